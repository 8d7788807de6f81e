"""Clients that record what they are asked and answer as they are told."""

from typing import Any

from botocore.exceptions import ClientError

from tasks.aws.connection import Connection
from tasks.aws.pace import Clock
from tasks.project.model import Environment

Call = tuple[str, dict[str, Any]]


def refusal(code: str, status: int = 400) -> ClientError:
    """What botocore raises for AWS's refusal."""
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")


class Recorder:
    """A client. `answers` maps an operation to what it answers or raises: one thing, or a list taken in turn."""

    def __init__(self, calls: list[Call], answers: dict[str, Any]) -> None:
        self._calls, self._answers = calls, answers

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self._calls.append((operation, {k: v.read() if hasattr(v, "read") else v for k, v in request.items()}))
            answer = self._answers.get(operation, {})
            if isinstance(answer, list):
                answer = answer.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer(request) if callable(answer) else answer

        return call


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def recorded(environment: Environment, **answers: Any) -> tuple[Connection, list[Call]]:
    """A connection to nowhere, and the calls made on it."""
    calls: list[Call] = []
    client = Recorder(calls, answers)
    clock = FakeClock()
    return Connection(environment, lambda _service, _patience: client, clock=Clock(clock.now, clock.sleep)), calls
