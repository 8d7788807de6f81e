"""AWS's rules over moto, for S3 and Lambda as this project uses them.

Plain moto accepts what AWS refuses, so a rehearsal on it would prove little. Every request passes through here: a rule
may answer it in AWS's place, change it, or change moto's answer. Where AWS's answer is only believed and not recorded,
the rule says so. Checked with the moto version in `CHECKED_WITH`, whose insides the rules read.
"""

import io
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs, unquote

from tasks.errors import ConfigError
from tasks.sandbox.invocation import Instances
from tasks.sandbox.keys import Keys
from tasks.sandbox.lambda_rules import LambdaRules
from tasks.sandbox.messages import Answer, Call, FaultSource, Refusal, Reset, Settings
from tasks.sandbox.s3_rules import S3Rules

CHECKED_WITH = "5.2.5"
_LAMBDA_PATH = re.compile(r"/20\d\d-\d\d-\d\d/")
_SCOPE = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")


class Strict:
    """A WSGI application: moto behind AWS's rules."""

    def __init__(
        self, moto: Any, settings: Settings, keys: Keys, instances: Instances, faults: FaultSource | None = None
    ) -> None:
        if version("moto") != CHECKED_WITH:
            raise ConfigError(
                f"The sandbox was checked with moto {CHECKED_WITH}, and this is {version('moto')}; "
                "run: pip install -r requirements-dev.txt"
            )
        self.moto = moto
        self._lock = threading.RLock()
        self.settings, self.faults = settings, faults
        self.keys = keys
        self.functions = LambdaRules(settings, keys, instances)
        self._s3 = S3Rules()
        self._recent: list[float] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        call = Call(environ["REQUEST_METHOD"], environ["PATH_INFO"], {}, {}, b"", _service(environ), "", "")
        try:
            self.keys.check_claim(environ)
            call = _call(environ)
            call.account = self.keys.verify(environ, call.body)
            call.headers["x-moto-account-id"] = call.account
            self.functions.instances.calls.hear(call)
            due = self.faults.before(call) if self.faults else []
            answer = self._answer(call, environ)
            answer = self.faults.after(due, answer) if self.faults else answer
        except Refusal as refusal:
            answer = refusal.answer(call)
        except Reset:
            return _hang_up(environ)
        headers = [(name, value) for name, value in answer.headers.items() if name.lower() != "content-length"]
        headers.append(("Content-Length", answer.headers.get("Content-Length", str(len(answer.body)))))
        start_response(f"{answer.status} {'OK' if answer.status < 400 else 'Error'}", headers)  # noqa: PLR2004
        return [answer.body]

    def _answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """The answer of the rules of the call's service, or moto's own."""

        def moto(changed: Call) -> Answer:
            return self._ask_moto(changed, environ)

        if call.service == "lambda":
            self.check_rate(call)
            if self.functions.invokes(call):
                return self.functions.invoke(call)
            with self._lock:
                return self.functions.answer(call, moto)
        if call.service == "s3":
            with self._lock:
                return self._s3.answer(call, moto)
        return moto(call)

    def check_rate(self, call: Call) -> None:
        """All control-plane calls but GetFunction share 15 requests a second; here only on request."""
        limit = self.settings.requests_per_second
        if not limit or (call.method == "GET" and re.fullmatch(r"/[^/]+/functions/[^/]+", call.path)):
            return
        now = time.monotonic()
        self._recent = [moment for moment in self._recent if now - moment < 1]
        if len(self._recent) >= limit:
            raise Refusal(429, "TooManyRequestsException", "Rate exceeded")
        self._recent.append(now)

    def _ask_moto(self, call: Call, environ: dict[str, Any]) -> Answer:
        """Moto's answer to a request that may have been changed."""
        changed = {**environ, "wsgi.input": io.BytesIO(call.body), "CONTENT_LENGTH": str(len(call.body))}
        if call.instead:
            changed |= {
                "PATH_INFO": call.instead,
                "RAW_URI": call.instead,
                "REQUEST_URI": call.instead,
                "QUERY_STRING": "",
            }
        for name, value in call.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
                changed[f"HTTP_{key}"] = value
        started: list[Any] = []
        body = b"".join(self.moto(changed, lambda status, headers, *_: started.extend([status, headers])))
        return Answer(int(started[0].split()[0]), dict(started[1]), body)


def _hang_up(environ: dict[str, Any]) -> Iterable[bytes]:
    """End the connection with nothing more said on it."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError


def _service(environ: dict[str, Any]) -> str:
    """The service that a request is for, as far as its head says."""
    claimed = str(environ.get("HTTP_AUTHORIZATION", "")) + unquote(str(environ.get("QUERY_STRING", "")))
    scope = _SCOPE.search(claimed)
    return scope[2] if scope else "lambda" if _LAMBDA_PATH.match(environ["PATH_INFO"]) else "s3"


def _call(environ: dict[str, Any]) -> Call:
    """The request, read once."""
    headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    # without a length only a chunked body ends by itself; to read anything else would wait for ever
    length, chunked = environ.get("CONTENT_LENGTH") or "0", environ.get("wsgi.input_terminated")
    body: bytes = environ["wsgi.input"].read() if chunked else environ["wsgi.input"].read(int(length))
    scope = _SCOPE.search(headers.get("authorization", ""))
    query = {
        name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).items()
    }
    if not scope and "X-Amz-Credential" in query:
        scope = _SCOPE.search("Credential=" + query["X-Amz-Credential"])
    path = unquote(environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"))
    return Call(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=query,
        headers=headers,
        body=body,
        service=scope[2] if scope else "lambda" if _LAMBDA_PATH.match(path) else "s3",
        region=scope[1] if scope else "",
        account="",
    )
