"""What Lambda refuses of a request before it does anything: names, sizes, runtimes, layers, code that is none."""

import base64
import binascii
import io
import json
import re
import zipfile
from collections import Counter
from typing import Any

from tasks.project.runtimes import MAX_LAYERS, MAX_UNZIPPED, RUNTIMES
from tasks.sandbox.messages import Call, Refusal
from tasks.sandbox.s3_rules import find_bucket

LAYER_ARN = re.compile(r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([A-Za-z0-9_-]+):(\d+)")
_MAX_DIRECT = 50_000_000
_MAX_DESCRIPTION = 256
_LAYER_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OTHER_RUNTIMES = re.compile(
    r"(nodejs\d+\.x|java\d+(\.al2)?|dotnet(core)?\d.*|ruby\d\.\d|go1\.x|provided(\.al2(023)?)?)"
)


def check_layer(name: str, request: dict[str, Any]) -> None:
    """What PublishLayerVersion refuses at once."""
    if not _LAYER_NAME.fullmatch(name):
        raise Refusal(400, "ValidationException", f"layerName {name!r} does not match")
    if len(request.get("Description", "")) > _MAX_DESCRIPTION:
        raise Refusal(400, "ValidationException", "description is longer than 256 characters")
    for runtime in request.get("CompatibleRuntimes", []):
        _check_runtime(runtime)


def check_function(request: dict[str, Any]) -> None:
    """What CreateFunction and the updates refuse at once."""
    if "FunctionName" in request and not _FUNCTION_NAME.fullmatch(request["FunctionName"]):
        raise Refusal(400, "ValidationException", "functionName does not match")
    if request.get("Runtime"):
        _check_runtime(request["Runtime"])
    if len(request.get("Description", "")) > _MAX_DESCRIPTION:
        raise Refusal(400, "ValidationException", "description is longer than 256 characters")


def _check_runtime(runtime: str) -> None:
    if runtime not in RUNTIMES and runtime not in ("python3.8", "python3.9") and not _OTHER_RUNTIMES.fullmatch(runtime):
        raise Refusal(
            400, "InvalidParameterValueException", f"Value {runtime} at 'runtime' failed to satisfy constraint"
        )


def with_content(call: Call, request: dict[str, Any], key: str) -> None:
    """Check `request[key]`, the code that was sent or is in S3, and put the bytes that AWS would take in its place."""
    content = json.loads(checked_content(request[key]))
    call.body = json.dumps({**request, key: content}).encode()


def checked_content(source: dict[str, Any]) -> bytes:
    """The same source with its bytes checked; those of an S3 object version are put in directly."""
    contents = read_bytes(source)
    if "ZipFile" in source and len(contents) > _MAX_DIRECT:
        raise Refusal(413, "RequestEntityTooLargeException", "Request must be smaller than 50 MB")
    if unzipped_size(contents) > MAX_UNZIPPED:
        raise Refusal(400, "InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes")
    if source.get("S3ObjectVersion"):
        kept = {name: value for name, value in source.items() if not name.startswith("S3")}
        source = {**kept, "ZipFile": base64.b64encode(contents).decode()}
    return json.dumps(source).encode()


def read_bytes(source: dict[str, Any]) -> bytes:
    """What a ZipFile or an S3 location holds."""
    if "ZipFile" in source:
        try:
            return base64.b64decode(source["ZipFile"])
        except (ValueError, binascii.Error):
            raise Refusal(400, "InvalidParameterValueException", "Could not unzip uploaded file") from None
    bucket = find_bucket(source.get("S3Bucket", ""))
    problem = "Error occurred while GetObject. S3 Error Code: {}."
    if bucket is None:
        raise Refusal(400, "InvalidParameterValueException", problem.format("NoSuchBucket"))
    versions = bucket.keys.getlist(source.get("S3Key", ""), [])
    wanted = source.get("S3ObjectVersion")
    found = [each for each in versions if hasattr(each, "value") and wanted in (None, each.version_id)]
    if not found:
        raise Refusal(
            400, "InvalidParameterValueException", problem.format("NoSuchVersion" if versions else "NoSuchKey")
        )
    return bytes(found[-1].value)


def unzipped_size(contents: bytes) -> int:
    """The size of an archive once unpacked. Refusal if it is none (the code is believed, for layers)."""
    try:
        with zipfile.ZipFile(io.BytesIO(contents)) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError):
        raise Refusal(400, "InvalidParameterValueException", "Could not unzip uploaded file") from None


def check_layers(call: Call, arns: list[str], code: int) -> None:
    """What a function may carry: existing versions, each layer once, five at most, and not too much to unpack."""
    found = [LAYER_ARN.fullmatch(arn) for arn in arns]
    for arn, parts in zip(arns, found, strict=True):
        if not parts:
            raise Refusal(400, "ValidationException", f"{arn} is not the ARN of a layer version")
        if parts[1] != call.region:
            raise Refusal(400, "InvalidParameterValueException", f"Layer {arn} is in another region")
    if len(arns) > MAX_LAYERS:
        raise Refusal(400, "InvalidParameterValueException", "Cannot reference more than 5 layers.")
    if any(count > 1 for count in Counter(arn.rpartition(":")[0] for arn in arns).values()):
        raise Refusal(400, "InvalidParameterValueException", "Two different versions of the same layer are not allowed")
    total = code + sum(_layer_size(call, arn, parts) for arn, parts in zip(arns, found, strict=True) if parts)
    if total > MAX_UNZIPPED:
        raise Refusal(
            400, "InvalidParameterValueException", "Function code combined with layers exceeds 262144000 bytes"
        )


def _layer_size(call: Call, arn: str, parts: "re.Match[str]") -> int:
    """A layer version's size once unpacked. Refusal if it does not exist, or belongs to others and was not granted."""
    from moto.awslambda.models import lambda_backends

    backend = lambda_backends[parts[2]][parts[1]] if parts[2] in lambda_backends else None
    version = backend.layers_versions_by_arn(arn) if backend else None
    if parts[2] != call.account and not (version and version.policy.statements):
        raise Refusal(403, "AccessDeniedException", f"not authorized to perform: lambda:GetLayerVersion on {arn}")
    if version is None:
        raise Refusal(400, "InvalidParameterValueException", f"Layer version {arn} does not exist.")
    return unzipped_size(version.code_bytes)
