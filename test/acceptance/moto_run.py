"""Runs executions of state machines in moto's engine, with given responses of the functions.

Reads executions as lines of JSON {definition, input, responses: {function: [{result} or {error, message}, ...]}}; the last response of
a function is repeated. Prints for each {status, output, error, cause, calls: [[function, payload], ...]}.

Replaces two parts of moto: a Java library that it does not ship (by jsonata-python), and the declarations of variables (by a version
that escapes texts). Retries do not wait.
"""

import json
import sys
import time
from types import SimpleNamespace

import boto3
from jsonata import Jsonata
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.jsonata import jsonata as bridge

ROLE = "arn:aws:iam::123456789012:role/any"


def evaluate(expression):
    parsed = Jsonata(expression)
    parsed.register_lambda("parse", json.loads)  # A function of the States Language.
    return parsed.evaluate(None)


class Functions:
    """The Lambda functions of one execution."""

    def __init__(self, responses):
        self.responses = responses
        self.calls = []

    def invoke(self, env, parameters, **_):
        name = parameters["FunctionName"].rpartition(":")[2]
        self.calls.append([name, json.loads(parameters["Payload"])])
        responses = self.responses[name]
        response = responses.pop(0) if len(responses) > 1 else responses[0]
        if "error" in response:
            payload = json.dumps({"errorType": response["error"], "errorMessage": response["message"], "trace": []})
            raise lambda_eval_utils.LambdaFunctionErrorException(response["error"], payload)
        env.stack.append({"Payload": response["result"], "StatusCode": 200, "ExecutedVersion": "$LATEST"})


def declarations(bindings):
    return "".join(f"{name}:={json.dumps(value, default=str)};" for name, value in bindings.items())


def run(client, number, execution):
    functions = Functions(execution["responses"])
    lambda_eval_utils.execute_lambda_function_integration = functions.invoke
    definition = json.dumps(execution["definition"])
    machine = client.create_state_machine(name=f"machine-{number}", definition=definition, roleArn=ROLE)
    start = {"stateMachineArn": machine["stateMachineArn"], "name": "execution", "input": json.dumps(execution["input"])}
    arn = client.start_execution(**start)["executionArn"]
    while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.01)
    output = json.loads(found["output"]) if found.get("output") else None
    return {"status": found["status"], "output": output, "error": found.get("error"), "cause": found.get("cause"), "calls": functions.calls}


bridge._eval_jsonata = evaluate
bridge.encode_jsonata_variable_declarations = declarations
for module in [each for name, each in list(sys.modules.items()) if name.startswith("moto.stepfunctions")]:
    if hasattr(module, "encode_jsonata_variable_declarations"):
        module.encode_jsonata_variable_declarations = declarations
retrier_decl.time = SimpleNamespace(sleep=lambda _: None)
with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    stepfunctions = boto3.client("stepfunctions", "us-east-1")
    for number, line in enumerate(sys.stdin):
        print(json.dumps(run(stepfunctions, number, json.loads(line))), flush=True)
