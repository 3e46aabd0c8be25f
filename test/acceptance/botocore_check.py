"""Checks requests to AWS with botocore, AWS's client for Python: with its models of the services, and with its signer.

Reads requests as lines of JSON {method, path, headers: [[name, value]], body (base64), key, secret, token} and prints for each
{service, operation, problems, signature}: violations of the model, and problems of the signature.
"""

import base64
import functools
import gzip
import json
import re
import sys
from hashlib import sha256
from io import BytesIO
from urllib.parse import parse_qsl, unquote

from botocore import loaders, model, serialize, validate
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import RpcV2CBORParser
from botocore.utils import parse_timestamp

# The services by their names in signatures.
SERVICES = {
    "timestream": "timestream-write",
    "s3": "s3",
    "sqs": "sqs",
    "states": "stepfunctions",
    "lambda": "lambda",
    "monitoring": "cloudwatch",
    "secretsmanager": "secretsmanager",
}
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)
# Headers of the signature and of the client itself; they are not parameters of an operation.
OWN_HEADERS = re.compile(r"x-amz-(date|content-sha256|security-token|user-agent|target)|x-amzn-query-mode")
UNSIGNED_PAYLOADS = {"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


@functools.cache
def service_model(service):
    return model.ServiceModel(loaders.Loader().load_service_model(service, "service-2"), service)


class Request:
    def __init__(self, line):
        self.method = line["method"]
        self.path, _, self.query = line["path"].partition("?")
        self.headers = {name.lower(): value for name, value in line["headers"]}
        self.body = base64.b64decode(line["body"])
        self.credentials = Credentials(line["key"], line["secret"], line["token"])

    @property
    def content(self):
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body


def signature_problems(request):
    """The problems of a signature, as a server with the secret finds them."""
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        return ["the request has no version 4 signature"]
    key, day, region, service, names, signature = found.groups()
    signed = names.split(";")
    problems = [f"{name} is not signed" for name in must_be_signed(request) if name not in signed]
    if signed != sorted(signed):
        problems.append("the signed headers are not sorted")
    if key != request.credentials.access_key or not request.headers["x-amz-date"].startswith(day):
        problems.append("key or day of the scope differ from the request")
    if request.headers.get("x-amz-security-token") != request.credentials.token:
        problems.append("the session token differs from the credentials")
    body_hash = request.headers.get("x-amz-content-sha256", sha256(request.body).hexdigest())
    if body_hash not in UNSIGNED_PAYLOADS and body_hash != sha256(request.body).hexdigest():
        problems.append("x-amz-content-sha256 does not match the body")
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(request.credentials, service, region)
    url = f"http://{request.headers['host']}{request.path}" + (f"?{request.query}" if request.query else "")
    headers = {name: request.headers[name] for name in signed}
    resigned = AWSRequest(method=request.method, url=url, headers=headers, data=request.body)
    resigned.context["timestamp"] = request.headers["x-amz-date"]
    expected = signer.signature(signer.string_to_sign(resigned, signer.canonical_request(resigned)), resigned)
    return problems + ([] if signature == expected else ["the signature differs"])


def must_be_signed(request):
    return [
        name
        for name in request.headers
        if name in ("host", "content-type") or (name.startswith("x-amz-") and name != "x-amz-user-agent")
    ]


def operation_of(request, service):
    """The operation and the protocol of a request."""
    target = request.headers.get("x-amz-target")
    if target is not None:
        prefix, _, name = target.rpartition(".")
        if prefix != service.metadata.get("targetPrefix"):
            raise LookupError(f"x-amz-target {target}: the service is {service.metadata.get('targetPrefix')}")
        return service.operation_model(name), "json"
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        _, _, _, _, name = request.path.split("/")
        return service.operation_model(name), "smithy-rpc-v2-cbor"
    if service.metadata["protocol"].startswith("rest"):
        candidates = [service.operation_model(name) for name in service.operation_names]
        matching = [each for each in candidates if path_parameters(request, each) is not None and has_required(request, each)]
        if not matching:
            raise LookupError(f"no operation matches {request.method} {request.path}?{request.query}")
        # GET /bucket/key?acl is another operation than GET /bucket/key: choose the operation with the most query parameters.
        return max(matching, key=lambda each: len(static_query(each))), service.metadata["protocol"]
    raise LookupError("neither a header nor the path names an operation")


def static_query(operation):
    return dict(parse_qsl(operation.http["requestUri"].partition("?")[2], keep_blank_values=True))


def path_parameters(request, operation):
    """The parameters in the path; None if the request is for another operation."""
    if request.method != operation.http["method"]:
        return None
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if any(query.get(name) != value for name, value in static_query(operation).items()):
        return None
    template = operation.http["requestUri"].partition("?")[0]
    pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", lambda found: f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})", re.escape(template))
    # The address of a bucket may end with a slash.
    found = re.fullmatch(pattern + "/?", request.path)
    return found and {name: unquote(value) for name, value in found.groupdict().items()}


def has_required(request, operation):
    """Whether the required headers and query parameters exist: PUT /bucket/key with a copy source is another operation."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    places = {"header": request.headers, "querystring": query}
    for name in operation.input_shape.required_members:
        serialization = operation.input_shape.members[name].serialization
        place = places.get(serialization.get("location"))
        if place is not None and serialization["name"].lower() not in place and serialization["name"] not in place:
            return False
    return True


def from_text(shape, text):
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name == "boolean":
        return {"true": True, "false": False}[text]
    return parse_timestamp(text) if shape.type_name == "timestamp" else text


def rest_parameters(request, operation, problems):
    found = path_parameters(request, operation)
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    for name in static_query(operation):
        query.pop(name)
    if query.pop("x-id", operation.name) != operation.name:
        problems.append("x-id names another operation")
    headers = {name for name in request.headers if name.startswith("x-amz") and not OWN_HEADERS.fullmatch(name)}
    parameters = {}
    for name, shape in operation.input_shape.members.items():
        location, key = shape.serialization.get("location"), shape.serialization.get("name", name)
        if location == "uri":
            parameters[name] = found[key]
        elif location == "querystring" and key in query:
            parameters[name] = from_text(shape, query.pop(key))
        elif location == "header" and key.lower() in request.headers:
            parameters[name] = from_text(shape, request.headers[key.lower()])
            headers.discard(key.lower())
    payload = operation.input_shape.serialization.get("payload")
    if payload is not None and request.body:
        parameters[payload] = request.body
    problems.extend(f"the operation has no {what}" for what in [*(f"query {name}" for name in query), *headers])
    return parameters


def from_json(value, shape):
    """A JSON value as a caller of botocore passes it; members that the model does not have stay unchanged."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: from_json(each, shape.members[name]) if name in shape.members else each for name, each in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [from_json(each, shape.member) for each in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: from_json(each, shape.value) for name, each in value.items()}
    if shape.type_name == "timestamp":
        return parse_timestamp(value)
    return base64.b64decode(value) if shape.type_name == "blob" else value


def parameters_of(request, operation, protocol, problems):
    if protocol == "json":
        return from_json(json.loads(request.content), operation.input_shape)
    if protocol == "smithy-rpc-v2-cbor":
        return RpcV2CBORParser().parse_data_item(BytesIO(request.content))
    return rest_parameters(request, operation, problems)


def limit_problems(value, shape, path=""):
    """Violations of the model's lengths, ranges, patterns and enumerations; botocore itself checks only minimum lengths."""
    if shape.type_name == "structure":
        for name, each in value.items():
            if name in shape.members:
                yield from limit_problems(each, shape.members[name], f"{path}.{name}")
        return
    size = value if shape.type_name in ("integer", "long", "double", "float") else len(value) if hasattr(value, "__len__") else 0
    if size > shape.metadata.get("max", size) or size < shape.metadata.get("min", size):
        yield f"{path}: {size} is not between {shape.metadata.get('min')} and {shape.metadata.get('max')}"
    if shape.type_name == "string":
        if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
            yield f"{path}: {value!r} is not one of {shape.metadata['enum']}"
        if "pattern" in shape.metadata and not matches(shape.metadata["pattern"], value):
            yield f"{path}: {value!r} does not match {shape.metadata['pattern']}"
    elements = [shape.member] * len(value) if shape.type_name == "list" else []
    for index, element in enumerate(elements):
        yield from limit_problems(value[index], element, f"{path}[{index}]")


def matches(pattern, value):
    """Patterns match the whole text; Python lacks Java's names of character classes."""
    return re.fullmatch(pattern.replace("\\p{ASCII}", "[\\x00-\\x7f]"), value, re.DOTALL) is not None


def difference_problems(request, parameters, operation, protocol):
    """How the request differs from botocore's request with the same parameters."""
    own = serialize.create_serializer(protocol, include_validation=False).serialize_to_request(parameters, operation)
    path = unquote(own["url_path"].partition("?")[0])
    if (own["method"], path.rstrip("/")) != (request.method, unquote(request.path).rstrip("/")):
        yield f"botocore sends {own['method']} {path}"
    for name, value in own["headers"].items():
        sent = request.headers.get(name.lower())
        if sent != value and name.lower() not in ("accept", "content-encoding"):
            yield f"botocore sends the header {name}: {value}, not {sent}"
    if protocol == "json" and json.loads(own["body"]) != json.loads(request.content):
        yield "botocore sends different JSON"


def check(line):
    request = Request(line)
    signature = signature_problems(request)
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    name = SERVICES.get(found[4]) if found else None
    if name is None:
        return {"service": None, "operation": None, "problems": ["the service is unknown"], "signature": signature}
    problems = []
    try:
        operation, protocol = operation_of(request, service_model(name))
        parameters = parameters_of(request, operation, protocol, problems)
        report = validate.ParamValidator().validate(parameters, operation.input_shape)
        if report.has_errors():
            problems.append(report.generate_report())
        else:
            problems.extend(limit_problems(parameters, operation.input_shape))
            problems.extend(difference_problems(request, parameters, operation, protocol))
    except (LookupError, ValueError, model.OperationNotFoundError) as error:
        return {"service": name, "operation": None, "problems": [f"{type(error).__name__}: {error}"], "signature": signature}
    return {"service": name, "operation": operation.name, "problems": problems, "signature": signature}


for each in sys.stdin:
    print(json.dumps(check(json.loads(each))))
