"""S3, Lambda and STS in memory, with a clock and a gate before and after each call: AWS's rules as far as they matter.

Quick enough for thousands of deployments. Conditional writes, revisions and S3's dates are as on AWS; archives are not
looked into.
"""

import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tasks.aws.connection import Connection
from tasks.aws.pace import Clock
from tasks.project.model import Environment
from tasks.release.artifacts import base64_digest
from tasks.release.functions import State
from tests.aws.recorder import refusal

Gate = Callable[[str, str, str], None]
"""Asked (actor, operation, "before" or "after"): may wait, or raise."""
BEGAN = datetime(2026, 2, 2, tzinfo=UTC)


@dataclass
class FakeFunction:
    """A function: what it runs, and its revision."""

    state: State
    revision: int = 0
    busy_until: float = 0.0


@dataclass
class Stored:
    """An object."""

    body: bytes
    modified: datetime
    sha256: str


@dataclass
class FakeAws:
    """One account.

    An update takes `pending` seconds; one that changes nothing keeps the revision if AWS `keeps` it; `broken` packages
    do not start.
    """

    gate: Gate = lambda _actor, _operation, _when: None
    seconds: float = 0.0
    objects: dict[tuple[str, str], Stored] = field(default_factory=dict)
    functions: dict[str, FakeFunction] = field(default_factory=dict)
    layers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    keeps: bool = False
    pending: float = 0.0
    broken: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def connection(self, environment: Environment, actor: str) -> Connection:
        """A connection of one who deploys."""
        client = FakeClient(self, actor)
        return Connection(environment, lambda _service, _patience: client, clock=Clock(self.now, self.sleep))

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.seconds += seconds

    @property
    def date(self) -> datetime:
        """S3's clock, in whole seconds."""
        return (BEGAN + timedelta(seconds=self.seconds)).replace(microsecond=0)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return sorted(key for there, key in self.objects if there == bucket and key.startswith(prefix))

    # S3

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **more: Any) -> dict[str, Any]:
        body = Body if isinstance(Body, bytes) else Body.read()
        self._condition(Bucket, Key, more)
        digest = hashlib.sha256(body).hexdigest()
        stated = more.get("ChecksumSHA256")
        if stated and stated != base64_digest(digest) and not body.startswith(b"archive"):
            raise refusal("BadDigest")
        self.objects[Bucket, Key] = Stored(body, self.date, stated or "")
        return {"ETag": etag(body)}

    def copy_object(self, *, Bucket: str, Key: str, CopySource: dict[str, str], **more: Any) -> dict[str, Any]:
        source = self._stored(CopySource["Bucket"], CopySource["Key"])
        if more.get("CopySourceIfMatch", etag(source.body)) != etag(source.body):
            raise refusal("PreconditionFailed", 412)
        self._condition(Bucket, Key, more)
        self.objects[Bucket, Key] = Stored(source.body, self.date, source.sha256)
        return {"CopyObjectResult": {"ETag": etag(source.body), "ChecksumSHA256": source.sha256}}

    def _condition(self, bucket: str, key: str, request: dict[str, Any]) -> None:
        there = self.objects.get((bucket, key))
        if request.get("IfNoneMatch") == "*" and there:
            raise refusal("PreconditionFailed", 412)
        if "IfMatch" in request and there is None:
            raise refusal("NoSuchKey", 404)
        if "IfMatch" in request and there and request["IfMatch"] != etag(there.body):
            raise refusal("PreconditionFailed", 412)

    def _stored(self, bucket: str, key: str) -> Stored:
        if (bucket, key) not in self.objects:
            raise refusal("NoSuchKey", 404)
        return self.objects[bucket, key]

    def get_object(self, *, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:
        there = self._stored(Bucket, Key)
        headers = {"date": format_datetime(self.date, usegmt=True)}
        return {
            "Body": Body(there.body),
            "ETag": etag(there.body),
            "LastModified": there.modified,
            "ResponseMetadata": {"HTTPHeaders": headers},
        }

    def head_object(self, *, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:
        there = self._stored(Bucket, Key)
        checksum = {"ChecksumSHA256": there.sha256} if there.sha256 else {}
        return {"ETag": etag(there.body), **checksum}

    def delete_object(self, *, Bucket: str, Key: str, **more: Any) -> dict[str, Any]:
        self._condition(Bucket, Key, more)
        self.objects.pop((Bucket, Key), None)
        return {}

    def list_objects_v2(
        self, *, Bucket: str, Prefix: str, MaxKeys: int = 1000, StartAfter: str = "", **_: Any
    ) -> dict[str, Any]:
        found = [key for key in self.keys(Bucket, Prefix) if key > StartAfter][:MaxKeys]
        return {"Contents": [{"Key": key, "LastModified": self.objects[Bucket, key].modified} for key in found]}

    # Lambda

    def get_function(self, *, FunctionName: str) -> dict[str, Any]:
        if FunctionName not in self.functions:
            raise refusal("ResourceNotFoundException", 404)
        there = self.functions[FunctionName]
        return {
            "Configuration": {
                "Runtime": there.state.runtime,
                "Handler": there.state.handler,
                "Layers": [{"Arn": arn} for arn in there.state.arns],
                "CodeSha256": base64_digest(there.state.package),
                "RevisionId": f"r{there.revision}",
                "LastUpdateStatus": "InProgress" if self.seconds < there.busy_until else "Successful",
            }
        }

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:
        return {**self.get_function(FunctionName=FunctionName)["Configuration"], "Timeout": 3}

    def update_function_configuration(self, *, FunctionName: str, RevisionId: str, **request: Any) -> dict[str, Any]:
        there = self._updatable(FunctionName, RevisionId)
        there.busy_until = self.seconds + self.pending
        if not request and self.keeps:
            return {}
        there.state = changed(there.state, request)
        there.revision += 2
        return {}

    def update_function_code(self, *, FunctionName: str, RevisionId: str, S3Bucket: str, S3Key: str, **_: Any) -> Any:
        there = self._updatable(FunctionName, RevisionId)
        there.busy_until = self.seconds + self.pending
        stored = self._stored(S3Bucket, S3Key)
        there.state = changed(there.state, {"package": hex_of(stored.sha256)})
        there.revision += 2
        return {}

    def _updatable(self, name: str, revision: str) -> FakeFunction:
        if name not in self.functions:
            raise refusal("ResourceNotFoundException", 404)
        if self.seconds < self.functions[name].busy_until:
            raise refusal("ResourceConflictException", 409)
        if revision != f"r{self.functions[name].revision}":
            raise refusal("PreconditionFailedException", 412)
        return self.functions[name]

    def publish_layer_version(self, *, LayerName: str, Description: str, Content: dict[str, str], **_: Any) -> Any:
        stored = self._stored(Content["S3Bucket"], Content["S3Key"])
        versions = self.layers.setdefault(LayerName, [])
        arn = f"arn:aws:lambda:eu-west-3:111122223333:layer:{LayerName}:{len(versions) + 1}"
        made = {"LayerVersionArn": arn, "Description": Description, "Content": {"CodeSha256": stored.sha256}}
        versions.insert(0, made)
        return made

    def list_aliases(self, *, FunctionName: str) -> dict[str, Any]:
        assert FunctionName in self.functions
        return {"Aliases": []}

    def list_layer_versions(self, *, LayerName: str) -> dict[str, Any]:
        return {"LayerVersions": list(self.layers.get(LayerName, []))}

    def get_layer_version(self, *, LayerName: str, VersionNumber: int) -> dict[str, Any]:
        return next(each for each in self.layers[LayerName] if each["LayerVersionArn"].endswith(f":{VersionNumber}"))

    def invoke(self, *, FunctionName: str, **_: Any) -> dict[str, Any]:
        assert FunctionName in self.functions
        error = {"FunctionError": "Unhandled"} if self.broken else {}
        return {"Payload": io.BytesIO(b'{"statusCode": 200}'), **error}

    def get_caller_identity(self) -> dict[str, Any]:
        return {"Account": "111122223333", "Arn": "arn:aws:sts::111122223333:user/fake"}


class Body(io.BytesIO):
    """A body as botocore hands it out."""

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while block := self.read(size):
            yield block


def changed(state: State, request: dict[str, Any]) -> State:
    """A function's state after an update."""
    from dataclasses import replace

    from tasks.release.functions import LayerVersion

    facts: dict[str, Any] = {name.lower(): value for name, value in request.items()}
    if "layers" in facts:
        facts["layers"] = tuple(map(LayerVersion, facts["layers"]))
    return replace(state, **facts)


def hex_of(base64_text: str) -> str:
    import base64

    return base64.b64decode(base64_text).hex()


def etag(body: bytes) -> str:
    """As S3 makes it: of the contents."""
    return f'"{hashlib.md5(body).hexdigest()}"'  # noqa: S324


class Instead(BaseException):
    """Raised by a gate, after a call took effect: the answer is this one."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__()
        self.answer = answer


class FakeClient:
    """All services, as one actor reaches them."""

    def __init__(self, aws: FakeAws, actor: str) -> None:
        self._aws, self._actor = aws, actor

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self._aws.gate(self._actor, operation, "before")
            with self._aws.lock:
                self._aws.calls.append((self._actor, operation))
                answer = getattr(self._aws, operation)(**request)
            try:
                self._aws.gate(self._actor, operation, "after")
            except Instead as instead:
                return instead.answer
            return answer

        return call

    def get_paginator(self, operation: str) -> Any:
        client = self

        class Paginator:
            def paginate(self, **request: Any) -> Iterator[Any]:
                yield getattr(client, operation)(**request)

        return Paginator()
