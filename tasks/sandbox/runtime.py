"""An execution environment: a function's own process, served by the Runtime API on loopback.

The process runs AWS's own runtime client, awslambdaric, in an interpreter of the function's runtime, and asks a small
server here for events: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import math
import os
import queue
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_INIT_LIMIT = 30.0
_KEPT_LOG = 256
_SETTLING = 2.0
_POST = re.compile(r"/2018-06-01/runtime/(?:invocation/[^/]+/(response|error)|(init)/error)")


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation: the payload, whether it is an error, its duration in seconds, and the log.

    `handed` is when the event was handed out (monotonic seconds): what a function does before belongs to its start.
    """

    payload: bytes
    error: bool
    duration: float
    log: bytes
    handed: float = math.inf


class Instance:
    """A process that waits for events. It is used again while it lives, one event at a time, under the lock `using`."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: Path, timeout: float) -> None:
        self._events: queue.Queue[tuple[str, bytes, float]] = queue.Queue()
        self._outcomes: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._taken, self._timeout, self.using = "", timeout, threading.Lock()
        self._log: deque[bytes] = deque(maxlen=_KEPT_LOG)
        self._read, self._handed = 0, math.inf
        self._token = secrets.token_hex(20)
        self._arn = environment.get("_FUNCTION_ARN", "")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}/{self._token}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=sys.platform != "win32",
        )
        self._reading = threading.Thread(target=self._read_log, daemon=True)
        self._reading.start()

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    def invoke(self, payload: bytes) -> Outcome:
        """Run one event. A process that hangs, exits or cannot start is an outcome too, as on Lambda."""
        with self.using:
            request, started = str(uuid.uuid4()), time.monotonic()
            self._handed = math.inf
            if self._taken:  # what it printed while it started belongs to the first event, as on Lambda
                self._log.clear()
            self._events.put((request, payload, time.time() + self._timeout))
            kind, body = self._wait(request)
            self._settle()
            if kind in ("timeout", "init") or not self.alive:
                self.stop()
            duration = time.monotonic() - started
            report = f"END RequestId: {request}\nREPORT RequestId: {request}\tDuration: {duration * 1000:.2f} ms\n"
            log = f"START RequestId: {request} Version: $LATEST\n".encode() + b"".join(self._log) + report.encode()
            return Outcome(body, kind != "response", duration, log, self._handed)

    def stop(self) -> None:
        """End the process and its server."""
        self._process.kill()
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):  # what it has started goes with it
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reading.join(1)
        if self._process.stdout and not self._reading.is_alive():
            self._process.stdout.close()
        self._server.shutdown()
        self._server.server_close()

    def _wait(self, request: str) -> tuple[str, bytes]:
        """What the process says, or what its silence means."""
        limit, begun = _INIT_LIMIT, time.monotonic()
        while True:
            try:
                return self._outcomes.get(timeout=0.02)
            except queue.Empty:
                pass
            if not self.alive:
                return self._last_word(request)
            if limit == _INIT_LIMIT and self._taken == request:
                limit, begun = self._timeout, time.monotonic()
            if time.monotonic() - begun > limit:
                return "timeout", _error("Sandbox.Timedout", f"{request} Task timed out after {limit:.2f} seconds")

    def _settle(self) -> None:
        """Wait until the log has come to rest: an answer may overtake what was printed before it."""
        deadline, before = time.monotonic() + _SETTLING, -1
        while self._read != before and time.monotonic() < deadline:
            before = self._read
            time.sleep(0.03)

    def _last_word(self, request: str) -> tuple[str, bytes]:
        """What a process that has ended said before, or its exit status."""
        try:
            return self._outcomes.get(timeout=0.2)
        except queue.Empty:
            status = self._process.returncode
            self._settle()
            said = b"".join(self._log).decode("utf-8", "replace").strip().splitlines()
            text = f"RequestId: {request} Error: Runtime exited with error: exit status {status}"
            return "exit", _error("Runtime.ExitError", f"{text} ({said[-1]})" if said else text)

    def _read_log(self) -> None:
        """Keep the end of what the process prints, however much that is."""
        assert self._process.stdout  # noqa: S101  (it was asked for)
        while block := self._process.stdout.read1(4096):  # type: ignore[attr-defined]  # a buffered pipe
            self._log.append(block)
            self._read += len(block)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        """The Runtime API for this instance."""
        instance = self

        class RuntimeApi(BaseHTTPRequestHandler):
            """next, response, error, init/error."""

            def is_ours(self) -> bool:
                """Whether it is the function's process that asks; anybody else gets 403."""
                host = f"127.0.0.1:{instance._server.server_port}"
                ours = self.headers.get("Host") == host and self.path.startswith(f"/{instance._token}/")
                if not ours:
                    self.send_response(403)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                return ours

            def do_GET(self) -> None:
                """Hand out the next event."""
                # held by tests/sandbox/test_keys.py
                if not self.is_ours():
                    return
                request, payload, deadline = instance._events.get()
                instance._taken, instance._handed = request, time.monotonic()
                self.send_response(200)
                for name, value in [
                    ("Lambda-Runtime-Aws-Request-Id", request),
                    ("Lambda-Runtime-Deadline-Ms", str(int(deadline * 1000))),
                    ("Lambda-Runtime-Invoked-Function-Arn", instance._arn),
                    ("Content-Type", "application/json"),
                    ("Content-Length", str(len(payload))),
                ]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(payload)

            def do_POST(self) -> None:
                """Take a result or an error."""
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not self.is_ours():
                    return
                found = _POST.fullmatch(self.path.removeprefix(f"/{instance._token}"))
                if found:
                    instance._outcomes.put((found[1] or found[2], body))
                self.send_response(202 if found else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        return RuntimeApi


def _error(kind: str, text: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": text}).encode()
