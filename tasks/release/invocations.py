"""What comes of running a function."""

from dataclasses import dataclass
from typing import Any

from tasks.errors import one_line

CALLS = "x-sandbox-calls"
"""The header in which the sandbox tells what a function called while it answered; AWS has none."""
REFUSED = 400
"""Statuses from here on mean that the event was refused, or failed."""


@dataclass(frozen=True)
class Invocation:
    """What came of an invocation. `error` is Lambda's FunctionError, empty if the handler returned.

    `body` is the handler's answer, or the error document; `log` the last 4 KB of the log; `seconds` as seen from here.
    `work` is what it asked of AWS meanwhile ("read s3://bucket/key"), which only the sandbox tells.
    """

    function: str
    error: str
    body: Any
    log: str
    seconds: float
    work: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The `statusCode` of the answer; 200 if it has none, 500 for an error."""
        if self.error:
            return 500
        code = self.body.get("statusCode", 200) if isinstance(self.body, dict) else 200
        return code if isinstance(code, int) else 200

    @property
    def failure(self) -> str:
        """Why it failed, in one line; empty if it did not."""
        if not self.error:
            return ""
        known = self.body if isinstance(self.body, dict) else {}
        return one_line(f"{known.get('errorType', self.error)}: {known.get('errorMessage', '')}")
