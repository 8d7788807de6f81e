"""Faults on request: what an emulated AWS does wrong, and when.

A file says so, in TOML:

    seed = 7                     # for probabilities
    pending = 1.5                # seconds that an update of a function takes
    requests_per_second = 15     # Lambda answers 429 beyond that

    [[fault]]
    operation = "PublishLayerVersion"
    call = 2                     # the second call of it; or probability = 0.1
    status = 429                 # what goes wrong, one or more of: status and code,
    code = "TooManyRequestsException"
    latency = 2.0                # seconds before the answer,
    reset = "after"              # the connection, "before" or "after" the call took effect,
    truncate = 100               # the answer's body, to that many bytes,
    kill = "before"              # this whole process, as kill -9 would, "before" or "after"
"""

import os
import random
import re
import signal
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tasks.errors import ConfigError
from tasks.project.files import parse_toml, read_text
from tasks.sandbox.messages import Answer, Call, Refusal, Reset, Settings

_LAMBDA = [
    ("POST", r"layers/[^/]+/versions", "PublishLayerVersion"),
    ("GET", r"layers/[^/]+/versions", "ListLayerVersions"),
    ("GET", r"layers/[^/]+/versions/\d+", "GetLayerVersion"),
    ("DELETE", r"layers/[^/]+/versions/\d+", "DeleteLayerVersion"),
    ("POST", r"functions", "CreateFunction"),
    ("GET", r"functions", "ListFunctions"),
    ("GET", r"functions/[^/]+", "GetFunction"),
    ("GET", r"functions/[^/]+/configuration", "GetFunctionConfiguration"),
    ("PUT", r"functions/[^/]+/configuration", "UpdateFunctionConfiguration"),
    ("PUT", r"functions/[^/]+/code", "UpdateFunctionCode"),
    ("POST", r"functions/[^/]+/invocations", "Invoke"),
]
_MOST = 1_000_000_000
_WHEN = ("", "before", "after")
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("operation", "code", "reset", "kill"), str),
    **dict.fromkeys(("call", "status", "truncate"), int),
    **dict.fromkeys(("probability", "latency"), (int, float)),
}
_WORDS = {name: "text" if kind is str else "a number" for name, kind in _TYPES.items()}
_CODES = {
    "lambda": {403: "AccessDeniedException", 429: "TooManyRequestsException", 500: "ServiceException"},
    "s3": {403: "AccessDenied", 429: "SlowDown", 500: "InternalError", 503: "SlowDown"},
}


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, at the `call`-th call of an operation or with a `probability`."""

    operation: str
    call: int = 0
    probability: float = 0.0
    status: int = 0
    code: str = ""
    latency: float = 0.0
    reset: str = ""
    truncate: int = -1
    kill: str = ""


class Faults:
    """All that goes wrong, and the count of calls by which it does."""

    def __init__(self, faults: tuple[Fault, ...], seed: int = 0) -> None:
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311  (a rehearsal that can be repeated)
        self._calls: dict[str, int] = {}

    def before(self, call: Call) -> list[Fault]:
        """The faults of this call, and what they do before it takes effect. Refusal or Reset if they end it."""
        operation = operation_of(call)
        count = self._calls[operation] = self._calls.get(operation, 0) + 1
        due = [each for each in self._faults if each.operation == operation and self._due(each, count)]
        for fault in due:
            time.sleep(fault.latency)
            if fault.kill == "before":
                _kill()
            if fault.reset == "before":
                raise Reset
            if fault.status:
                raise Refusal(fault.status, fault.code or _code(call, fault.status), "a fault on request")
        return due

    def after(self, due: list[Fault], answer: Answer) -> Answer:
        """What those faults do to the answer. Reset if it never arrives."""
        for fault in due:
            if fault.kill == "after":
                _kill()
            if fault.reset == "after":
                raise Reset
            if fault.truncate >= 0:
                headers = {**answer.headers, "Content-Length": str(len(answer.body))}
                answer = Answer(answer.status, headers, answer.body[: fault.truncate])
        return answer

    def _due(self, fault: Fault, count: int) -> bool:
        return fault.call == count or self._random.random() < fault.probability


def operation_of(call: Call) -> str:
    """The name that AWS gives to a request, as far as this project uses it; empty for others."""
    if call.service == "lambda":
        path = "/".join(call.path.strip("/").split("/")[1:])
        return next((name for method, form, name in _LAMBDA if method == call.method and re.fullmatch(form, path)), "")
    if call.service != "s3":
        return ""
    has_key = call.path.strip("/").count("/") > 0
    if call.method == "PUT" and has_key:
        return "CopyObject" if "x-amz-copy-source" in call.headers else "PutObject"
    if call.method == "GET":
        return "GetObject" if has_key else "ListObjectsV2"
    return {"HEAD": "HeadObject" if has_key else "HeadBucket", "DELETE": "DeleteObject"}.get(call.method, "")


def read_faults(path: Path) -> tuple[Settings, Faults]:
    """What a file asks for. ConfigError names what it cannot mean."""
    document = parse_toml(read_text(path, str(path), "name another file with --faults"), str(path))
    unknown = document.keys() - {"seed", "pending", "requests_per_second", "fault"}
    if unknown:
        raise ConfigError(
            f"{path} has an unknown key {min(unknown)!r}; see tasks/sandbox/faults.py for those there are"
        )
    numbers = {name: document.get(name, 0) for name in ("seed", "pending", "requests_per_second")}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
            raise ConfigError(f"{path}: {name} must be a number from 0 to {_MOST:,}; correct it")
    settings = Settings(float(numbers["pending"]), int(numbers["requests_per_second"]))
    return settings, Faults(tuple(_fault(path, entry) for entry in document.get("fault", [])), int(numbers["seed"]))


def _code(call: Call, status: int) -> str:
    """AWS's usual error code for a status, where the file names none."""
    return _CODES.get(call.service, {}).get(status, "ServiceException")


def _fault(path: Path, entry: dict[str, Any]) -> Fault:
    known = {each.name for each in fields(Fault)}
    if unknown := entry.keys() - known:
        raise ConfigError(f"{path}: a fault has an unknown key {min(unknown)!r}; known: {', '.join(sorted(known))}")
    for each in fields(Fault):
        if each.name in entry and not isinstance(entry[each.name], _TYPES[each.name]):
            raise ConfigError(f"{path}: {each.name} of a fault must be {_WORDS[each.name]}; correct it")
    fault = Fault(**{"operation": "", **entry})
    if fault.operation not in _operations():
        raise ConfigError(f"{path}: {fault.operation!r} is no operation; known: {', '.join(_operations())}")
    if fault.reset not in _WHEN or fault.kill not in _WHEN:
        raise ConfigError(f'{path}: reset and kill of {fault.operation} must be "before" or "after"')
    if not 0 <= fault.probability <= 1 or bool(fault.call) == bool(fault.probability):
        raise ConfigError(f"{path}: {fault.operation} needs a call (1, 2, ...) or a probability (0 to 1), one of them")
    if fault == Fault(fault.operation, fault.call, fault.probability):
        raise ConfigError(f"{path}: {fault.operation} says when, not what: status, latency, reset, truncate or kill")
    return fault


def _operations() -> list[str]:
    s3 = ["CopyObject", "DeleteObject", "GetObject", "HeadBucket", "HeadObject", "ListObjectsV2", "PutObject"]
    return [*s3, *(name for _, _, name in _LAMBDA)]


def _kill() -> None:
    """End this process at once, as kill -9 does."""
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(137)
