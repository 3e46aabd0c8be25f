"""
Translates a SAM template as the SAM CLI does to validate it, and evaluates its conditions with cfn-lint's solver.

Arguments: the template. Standard input: a JSON list of parameters, as objects by name. Standard output: JSON with the translated
`template` and, for each of the parameters, its list of logical ids in `resources`.
"""
import json
import sys

from cfnlint.template import Template
from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader

REGION = "us-east-1"

with open(sys.argv[1], encoding="utf-8") as file:
    written = yaml_parse(file.read())
# The template uses no managed policy of SAM, so none is loaded.
validator = SamTemplateValidator(written, ManagedPolicyLoader(None), region=REGION)
template = json.loads(json.dumps(yaml_parse(validator.get_translated_template_if_valid())))
conditions = Template("template", template, [REGION]).conditions
defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}


def exists(resource, parameters):
    condition = resource.get("Condition")
    return condition is None or conditions.satisfiable({condition: True}, {**defaults, **parameters})


resources = [
    [name for name, resource in template["Resources"].items() if exists(resource, parameters)]
    for parameters in json.load(sys.stdin)
]
json.dump({"template": template, "resources": resources}, sys.stdout)
