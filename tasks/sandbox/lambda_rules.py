"""What Lambda does and moto does not: revisions, pending updates, limits, and refusals of what cannot be unpacked."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tasks.sandbox.invocation import Instances
from tasks.sandbox.keys import Keys
from tasks.sandbox.lambda_checks import (
    LAYER_ARN,
    check_function,
    check_layer,
    check_layers,
    checked_content,
    read_bytes,
    unzipped_size,
    with_content,
)
from tasks.sandbox.messages import Answer, Call, Refusal, Settings

CODE = "/_sandbox/code/"
"""Where the bytes of layers and functions can be downloaded, as AWS's presigned addresses let one do."""

_PAGE = 50


@dataclass
class Update:
    """The state of a function between a change and its completion."""

    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    until: float = 0.0
    completed: bool = True
    failed: str = ""
    created: bool = False
    modified: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "+0000")


class LambdaRules:
    """Rules over moto's Lambda. `fail_next` makes the next update of a function end as Failed, with that reason."""

    def __init__(self, settings: Settings, keys: Keys, instances: Instances) -> None:
        self.settings, self.keys, self.instances = settings, keys, instances
        self.updates: dict[tuple[str, str, str], Update] = {}
        self.fail_next: dict[str, str] = {}
        self.address = ""

    def invokes(self, call: Call) -> bool:
        """Whether a call is an invocation, which must not keep others waiting."""
        return call.method == "POST" and call.path.endswith("/invocations")

    def invoke(self, call: Call) -> Answer:
        """Run the function on its real package and layers."""
        name = call.path.split("/")[3].rpartition(":")[2]
        function = _function(call, name)
        if function is None:
            raise Refusal(404, "ResourceNotFoundException", f"Function not found: {name}")
        return self.instances.invoke(function, call, self.address, self.keys.secret)

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
            check_layer("/".join(rest[:-1]), call.json)
            with_content(call, call.json, "Content")
            return self._located(moto(call), call)
        if call.method == "GET" and rest[1:] == ["versions"]:
            return _paged(call, moto(call), "LayerVersions")
        if call.method == "DELETE" and rest[1:2] == ["versions"]:
            answer = moto(call)
            return Answer(204) if answer.status == 404 else answer  # noqa: PLR2004  (idempotent on AWS)
        return self._located(moto(call), call)

    def _layer_by_arn(self, call: Call, moto: Callable[[Call], Answer]) -> Answer:
        """GetLayerVersionByArn, which moto does not have."""
        found = LAYER_ARN.fullmatch(call.query.get("Arn", ""))
        if not found:
            raise Refusal(400, "ValidationException", "not the ARN of a layer version")
        call.instead = f"/2018-10-31/layers/{found[3]}/versions/{found[4]}"
        return self._located(moto(call), call)

    def _located(self, answer: Answer, call: Call) -> Answer:
        """The same answer with an address from which a layer version's bytes can be downloaded."""
        if answer.status >= 300 or "LayerVersionArn" not in answer.json:  # noqa: PLR2004
            return answer
        document = answer.json
        document["Content"]["Location"] = self._location(f"{call.account}/{document['LayerVersionArn']}")
        return answer.with_json(document)

    def _location(self, what: str) -> str:
        """An address from which something can be downloaded, by whoever was told."""
        return f"{self.address}{CODE}{what}?token={self.keys.token(CODE + what)}"

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
                document["Code"]["Location"] = self._location(f"{call.account}/{configuration['FunctionArn']}")
            return answer.with_json(document)
        return answer

    def _create(self, call: Call, moto: Callable[[Call], Answer]) -> Answer:
        request = call.json
        check_function(request)
        with_content(call, request, "Code")
        check_layers(call, request.get("Layers", []), unzipped_size(read_bytes(call.json["Code"])))
        answer = moto(call)
        if answer.status == 201:  # noqa: PLR2004
            self.updates[_identity(call, request["FunctionName"])] = self._begin(created=True)
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
        check_function(request)
        if call.path.rstrip("/").endswith("/code"):
            call.body = checked_content(request)
            check_layers(call, [layer["Arn"] for layer in function.layers], unzipped_size(read_bytes(call.json)))
        elif "Layers" in request:
            check_layers(call, request["Layers"], unzipped_size(function.code_bytes))
        answer = moto(call)
        if answer.status == 200:  # noqa: PLR2004
            begun = self._begin(failed=self.fail_next.pop(name, ""))
            self.updates[_identity(call, name)] = begun
            document = answer.json
            self._report(call, document, in_reply=True)
            return answer.with_json(document)
        return answer

    def _begin(self, *, failed: str = "", created: bool = False) -> Update:
        until = time.monotonic() + self.settings.pending
        return Update(until=until, completed=False, failed=failed, created=created)

    def _current(self, call: Call, name: str) -> Update:
        """A function's update, completed if its time is over. The revision changes at the call and on completion."""
        update = self.updates.setdefault(_identity(call, name), Update())
        if not update.completed and time.monotonic() >= update.until:
            update.completed, update.revision = True, str(uuid.uuid4())
        return update

    def _report(self, call: Call, configuration: dict[str, Any], *, in_reply: bool = False) -> None:
        """Put state and revision into a function's configuration; the reply to an update always says InProgress."""
        name = configuration["FunctionName"]
        update = self.updates[_identity(call, name)] if in_reply else self._current(call, name)
        status = "InProgress" if in_reply or not update.completed else "Failed" if update.failed else "Successful"
        configuration |= {"RevisionId": update.revision, "State": "Active", "LastUpdateStatus": status}
        configuration["LastModified"] = update.modified
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
