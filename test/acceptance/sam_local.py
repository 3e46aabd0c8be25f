"""How the local commands read template and samconfig.toml, by the SAM CLI's own code and without Docker.

The argument is the folder of both. Prints a line of JSON {functions: {name: {handler, code, layers, variables}}, routes: [[methods,
path, function]], environment}; `environment` is the content of the file for --env-vars.
"""

import json
import logging
import sys
from pathlib import Path

from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.config.samconfig import SamConfig
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

logging.disable(logging.CRITICAL)
folder = sys.argv[1]
settings = [SamConfig(folder).get_all(["local", command], "parameters") for command in ("start-api", "invoke")]
(env_vars,) = {each["env_vars"] for each in settings}
environment = json.loads((Path(folder) / env_vars).read_text())

stacks, _ = SamLocalStackProvider.get_stacks(str(Path(folder) / "template.yml"))
provider = SamFunctionProvider(stacks)
runner = LocalLambdaRunner(None, provider, folder, folder, env_vars_values=environment)
functions = {
    function.function_id: {
        "handler": function.handler,
        "code": function.codeuri,
        "layers": [layer.codeuri for layer in function.layers],
        "variables": runner._make_env_vars(function).resolve(),
    }
    for function in provider.get_all()
}
routes = [[sorted(route.methods), route.path, route.function_name] for route in ApiProvider(stacks, cwd=folder).routes]
print(json.dumps({"functions": functions, "routes": routes, "environment": environment}))
