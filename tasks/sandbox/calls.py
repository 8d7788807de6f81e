"""What functions asked of the sandbox while they answered an event: a function is known by its User-Agent."""

import hashlib
import json
import re
import threading
import time
from collections import defaultdict, deque

from tasks.sandbox.messages import Call

HEADER = "X-Sandbox-Calls"
"""Where an invocation's answer says what the function called, as a list in JSON."""
_MOST, _LONGEST = 5, 200
"""Calls that are told of an event, and characters of each: they travel in a header."""
_KEPT = 1000
_NAMED = re.compile(r"\bapp/(fn-[0-9a-f]{16})\b")
_S3 = {"GET": "read", "HEAD": "read", "PUT": "wrote", "POST": "wrote", "DELETE": "deleted"}


def mark_of(arn: str) -> str:
    """Return what a function's SDK calls itself (AWS_SDK_UA_APP_ID), so that its calls are told from others."""
    return "fn-" + hashlib.sha256(arn.encode()).hexdigest()[:16]


class Calls:
    """The latest calls of each function, and when they were made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: defaultdict[str, deque[tuple[float, str]]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def hear(self, call: Call) -> None:
        """Keep a call, if a function made it."""
        if found := _NAMED.search(call.headers.get("user-agent", "")):
            with self._lock:
                self._heard[found[1]].append((time.monotonic(), _told(call)))

    def since(self, arn: str, moment: float) -> str:
        """Return what a function has called since a moment (monotonic seconds), as a list in JSON."""
        with self._lock:
            made = [text for when, text in self._heard[mark_of(arn)] if when >= moment]
        return json.dumps([each[:_LONGEST] for each in dict.fromkeys(made)][:_MOST])


def _told(call: Call) -> str:
    """A call in words."""
    if call.service == "s3":
        return f"{_S3.get(call.method, call.method)} s3:/{call.path}"
    operation = call.headers.get("x-amz-target", "").rpartition(".")[2]
    return f"called {call.service} {operation or f'{call.method} {call.path}'}"
