"""Requests, answers and refusals, as the rules see them; and how the emulated AWS behaves."""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Settings:
    """How the emulated AWS behaves. `pending` is how long an update of a function takes, in seconds."""

    pending: float = 0.0
    requests_per_second: int = 0


@dataclass
class Call:
    """One request, as the rules see it: `service` is `lambda` or `s3` (or whatever else moto emulates).

    `instead` is the path that moto is to be asked for, if not this one.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    service: str
    region: str
    account: str
    instead: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """The body of a Lambda request."""
        document: dict[str, Any] = json.loads(self.body or b"{}")
        return document


@dataclass
class Answer:
    """One response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any]:
        """The body of Lambda's answer."""
        document: dict[str, Any] = json.loads(self.body or b"{}")
        return document

    def with_json(self, document: Any) -> "Answer":
        """The same answer with another body."""
        return Answer(self.status, {"Content-Type": "application/json"}, json.dumps(document).encode())


class Refusal(Exception):  # noqa: N818  (it is not an error of ours)
    """AWS's refusal of a request: a status, an error code, and words nobody should rely on."""

    def __init__(self, status: int, code: str, text: str = "refused by a rule of the sandbox") -> None:
        super().__init__(code)
        self.status, self.code, self.text = status, code, text

    def answer(self, call: Call) -> Answer:
        """As the service writes it."""
        if call.service != "lambda":
            body = f"<Error><Code>{self.code}</Code><Message>{escape(self.text)}</Message></Error>"
            body = body if call.service == "s3" else f"<ErrorResponse>{body}</ErrorResponse>"
            headers = {"Content-Type": "application/xml", **self.headers}
            return Answer(self.status, headers, b"" if call.method == "HEAD" else body.encode())
        body = json.dumps({"Type": "User", "Message": self.text, "message": self.text})
        return Answer(self.status, {"Content-Type": "application/json", "x-amzn-ErrorType": self.code}, body.encode())

    headers: dict[str, str] = {}  # noqa: RUF012  (replaced, never changed)


class Reset(Exception):  # noqa: N818
    """The connection ends without an answer."""


class FaultSource(Protocol):
    """What goes wrong on request: see `tasks.sandbox.faults`."""

    def before(self, call: Call) -> list[Any]:
        """What goes wrong before a call takes effect."""

    def after(self, due: list[Any], answer: Answer) -> Answer:
        """What goes wrong with its answer."""
