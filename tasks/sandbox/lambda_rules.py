"""What Lambda does and moto does not: revisions, pending updates, limits, and refusals of what cannot be unpacked."""

import base64
import binascii
import io
import json
import re
import time
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tasks.release.limits import MAX_LAYERS, MAX_UNZIPPED
from tasks.release.runtimes import RUNTIMES
from tasks.sandbox.s3_rules import find_bucket
from tasks.sandbox.strict import Answer, Call, Refusal, Settings

__all__ = ["CODE", "LambdaRules"]

CODE = "/_sandbox/code/"
"""Where the bytes of layers and functions can be downloaded, as AWS's presigned addresses let one do."""

_MAX_DIRECT = 50_000_000
_PAGE = 50
_MAX_DESCRIPTION = 256
_LAYER_ARN = re.compile(r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([A-Za-z0-9_-]+):(\d+)")
_LAYER_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OTHER_RUNTIMES = re.compile(
    r"(nodejs\d+\.x|java\d+(\.al2)?|dotnet(core)?\d.*|ruby\d\.\d|go1\.x|provided(\.al2(023)?)?)"
)


@dataclass
class Update:
    """The state of a function between a change and its completion."""

    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    until: float = 0.0
    completed: bool = True
    failed: str = ""
    created: bool = False


class LambdaRules:
    """Rules over moto's Lambda. `fail_next` makes the next update of a function end as Failed, with that reason."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._updates: dict[tuple[str, str, str], Update] = {}
        self.fail_next: dict[str, str] = {}
        self.url = ""

    def invokes(self, call: Call) -> bool:
        """Whether a call is an invocation, which must not keep others waiting."""
        return call.method == "POST" and call.path.endswith("/invocations")

    def invoke(self, call: Call) -> Answer:
        """Run the function on its real package and layers."""
        from tasks.sandbox.invocation import invoke

        name = call.path.split("/")[3].rpartition(":")[2]
        function = _function(call, name)
        if function is None:
            raise Refusal(404, "ResourceNotFoundException", f"Function not found: {name}")
        return invoke(function, call, self.url)

    def answer(self, call: Call, moto: Callable[[Call], Answer]) -> Answer:
        """Lambda's answer. Refusal where Lambda would refuse and moto does not."""
        _, _, kind, *rest = call.path.rstrip("/").split("/")
        if kind == "layers":
            return self._layers(call, rest, moto)
        if kind == "functions":
            return self._functions(call, rest, moto)
        return moto(call)

    # Layers

    def _layers(self, call: Call, rest: list[str], moto: Callable[[Call], Answer]) -> Answer:
        if call.method == "GET" and call.query.get("find") == "LayerVersion":
            return self._layer_by_arn(call, moto)
        if call.method == "POST" and rest[-1:] == ["versions"]:
            _check_layer("/".join(rest[:-1]), call.json)
            _with_content(call, call.json, "Content")
            return self._located(moto(call), call)
        if call.method == "GET" and rest[1:] == ["versions"]:
            return _paged(call, moto(call), "LayerVersions")
        if call.method == "DELETE" and rest[1:2] == ["versions"]:
            answer = moto(call)
            return Answer(204) if answer.status == 404 else answer  # noqa: PLR2004  (idempotent on AWS)
        return self._located(moto(call), call)

    def _layer_by_arn(self, call: Call, moto: Callable[[Call], Answer]) -> Answer:
        """GetLayerVersionByArn, which moto does not have."""
        found = _LAYER_ARN.fullmatch(call.query.get("Arn", ""))
        if not found:
            raise Refusal(400, "ValidationException", "not the ARN of a layer version")
        call.instead = f"/2018-10-31/layers/{found[3]}/versions/{found[4]}"
        return self._located(moto(call), call)

    def _located(self, answer: Answer, call: Call) -> Answer:
        """The same answer with an address from which a layer version's bytes can be downloaded."""
        if answer.status >= 300 or "LayerVersionArn" not in answer.json:  # noqa: PLR2004
            return answer
        document = answer.json
        document["Content"]["Location"] = f"{self.url}{CODE}{call.account}/{document['LayerVersionArn']}"
        return answer.with_json(document)

    # Functions

    def _functions(self, call: Call, rest: list[str], moto: Callable[[Call], Answer]) -> Answer:
        if call.method == "POST" and not rest:
            return self._create(call, moto)
        if call.method == "PUT" and rest[1:] in (["configuration"], ["code"]):
            return self._update(call, rest[0], moto)
        if call.method == "GET" and not rest:
            return _paged(call, moto(call), "Functions")
        answer = moto(call)
        if call.method == "GET" and rest[1:] in ([], ["configuration"]) and answer.status == 200:  # noqa: PLR2004
            document = answer.json
            configuration = document.get("Configuration", document)
            self._report(call, configuration)
            if "Code" in document:
                document["Code"]["Location"] = f"{self.url}{CODE}{call.account}/{configuration['FunctionArn']}"
            return answer.with_json(document)
        return answer

    def _create(self, call: Call, moto: Callable[[Call], Answer]) -> Answer:
        request = call.json
        _check_function(request)
        _with_content(call, request, "Code")
        _check_layers(call, request.get("Layers", []), _unzipped(_bytes(call.json["Code"])))
        answer = moto(call)
        if answer.status == 201:  # noqa: PLR2004
            self._updates[_identity(call, request["FunctionName"])] = self._begin(created=True)
            document = answer.json
            self._report(call, document)
            return answer.with_json(document)
        return answer

    def _update(self, call: Call, name: str, moto: Callable[[Call], Answer]) -> Answer:
        """UpdateFunctionConfiguration and UpdateFunctionCode."""
        function = _function(call, name)
        if function is None:
            return moto(call)
        request, update = call.json, self._current(call, name)
        if not update.completed:
            raise Refusal(409, "ResourceConflictException", "An update is in progress for resource")
        if request.get("RevisionId") not in (None, update.revision):
            raise Refusal(412, "PreconditionFailedException", "The Revision Id provided does not match")
        _check_function(request)
        if call.path.rstrip("/").endswith("/code"):
            call.body = _content(request)
            _check_layers(call, [layer["Arn"] for layer in function.layers], _unzipped(_bytes(call.json)))
        elif "Layers" in request:
            _check_layers(call, request["Layers"], _unzipped(function.code_bytes))
        answer = moto(call)
        if answer.status == 200:  # noqa: PLR2004
            begun = self._begin(failed=self.fail_next.pop(name, ""))
            self._updates[_identity(call, name)] = begun
            document = answer.json
            self._report(call, document, in_reply=True)
            return answer.with_json(document)
        return answer

    def _begin(self, *, failed: str = "", created: bool = False) -> Update:
        until = time.monotonic() + self.settings.pending
        return Update(until=until, completed=False, failed=failed, created=created)

    def _current(self, call: Call, name: str) -> Update:
        """A function's update, completed if its time is over. The revision changes at the call and on completion."""
        update = self._updates.setdefault(_identity(call, name), Update())
        if not update.completed and time.monotonic() >= update.until:
            update.completed, update.revision = True, str(uuid.uuid4())
        return update

    def _report(self, call: Call, configuration: dict[str, Any], *, in_reply: bool = False) -> None:
        """Put state and revision into a function's configuration; the reply to an update always says InProgress."""
        name = configuration["FunctionName"]
        update = self._updates[_identity(call, name)] if in_reply else self._current(call, name)
        status = "InProgress" if in_reply or not update.completed else "Failed" if update.failed else "Successful"
        configuration |= {"RevisionId": update.revision, "State": "Active", "LastUpdateStatus": status}
        if update.created and not update.completed:
            configuration["State"] = "Pending"
            del configuration["LastUpdateStatus"]
        if status == "Failed":
            configuration |= {"LastUpdateStatusReason": update.failed, "LastUpdateStatusReasonCode": "InternalError"}
        if not configuration.get("Layers"):
            configuration.pop("Layers", None)

    def bytes_at(self, path: str) -> bytes | None:
        """What is behind an address that was handed out; None if nothing is."""
        from moto.awslambda.exceptions import UnknownFunctionException
        from moto.awslambda.models import lambda_backends

        account, _, arn = path.removeprefix(CODE).partition("/")
        parts = arn.split(":")
        if account not in lambda_backends or len(parts) < 7:  # noqa: PLR2004
            return None
        backend = lambda_backends[account][parts[3]]
        if parts[5] == "layer":
            version = backend.layers_versions_by_arn(arn)
            return bytes(version.code_bytes) if version else None
        try:
            return bytes(backend.get_function(parts[6]).code_bytes)
        except UnknownFunctionException:
            return None


def _identity(call: Call, name: str) -> tuple[str, str, str]:
    return call.account, call.region, name


def _function(call: Call, name: str) -> Any:
    """Moto's function; None if there is none."""
    from moto.awslambda.exceptions import UnknownFunctionException
    from moto.awslambda.models import lambda_backends
    from moto.core.models import DEFAULT_ACCOUNT_ID

    try:
        return lambda_backends[call.account or DEFAULT_ACCOUNT_ID][call.region].get_function(name)
    except UnknownFunctionException:
        return None


def _check_layer(name: str, request: dict[str, Any]) -> None:
    """What PublishLayerVersion refuses at once."""
    if not _LAYER_NAME.fullmatch(name):
        raise Refusal(400, "ValidationException", f"layerName {name!r} does not match")
    if len(request.get("Description", "")) > _MAX_DESCRIPTION:
        raise Refusal(400, "ValidationException", "description is longer than 256 characters")
    for runtime in request.get("CompatibleRuntimes", []):
        _check_runtime(runtime)


def _check_function(request: dict[str, Any]) -> None:
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


def _with_content(call: Call, request: dict[str, Any], key: str) -> None:
    """Check `request[key]`, the code that was sent or is in S3, and put the bytes that AWS would take in its place."""
    content = json.loads(_content(request[key]))
    call.body = json.dumps({**request, key: content}).encode()


def _content(source: dict[str, Any]) -> bytes:
    """The same source with its bytes checked; those of an S3 object version are put in directly."""
    contents = _bytes(source)
    if "ZipFile" in source and len(contents) > _MAX_DIRECT:
        raise Refusal(413, "RequestEntityTooLargeException", "Request must be smaller than 50 MB")
    if _unzipped(contents) > MAX_UNZIPPED:
        raise Refusal(400, "InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes")
    if source.get("S3ObjectVersion"):
        kept = {name: value for name, value in source.items() if not name.startswith("S3")}
        source = {**kept, "ZipFile": base64.b64encode(contents).decode()}
    return json.dumps(source).encode()


def _bytes(source: dict[str, Any]) -> bytes:
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


def _unzipped(contents: bytes) -> int:
    """The size of an archive once unpacked. Refusal if it is none (the code is believed, for layers)."""
    try:
        with zipfile.ZipFile(io.BytesIO(contents)) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError):
        raise Refusal(400, "InvalidParameterValueException", "Could not unzip uploaded file") from None


def _check_layers(call: Call, arns: list[str], code: int) -> None:
    """What a function may carry: existing versions, each layer once, five at most, and not too much to unpack."""
    found = [_LAYER_ARN.fullmatch(arn) for arn in arns]
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
    return _unzipped(version.code_bytes)


def _paged(call: Call, answer: Answer, key: str) -> Answer:
    """50 items at a time, or as many as were asked for."""
    if answer.status != 200:  # noqa: PLR2004
        return answer
    document = answer.json
    start = int(call.query.get("Marker") or 0)
    end = start + min(int(call.query.get("MaxItems") or _PAGE), _PAGE)
    page: dict[str, Any] = {key: document[key][start:end]}
    if end < len(document[key]):
        page["NextMarker"] = str(end)
    return answer.with_json(page)
