"""Serves the emulated AWS on 127.0.0.1, on a port that the system picks.

Run as a module, it serves in a process of its own until it is asked to stop:

    python -m tasks.sandbox.server
"""

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tasks.errors import ConfigError
from tasks.project.files import replacing
from tasks.project.model import Project
from tasks.project.workspace import Workspace
from tasks.sandbox.faults import read_faults
from tasks.sandbox.invocation import Instances
from tasks.sandbox.keys import Keys
from tasks.sandbox.lambda_rules import CODE
from tasks.sandbox.messages import Settings
from tasks.sandbox.seed import seed
from tasks.sandbox.strict import Strict

_LOOK_EVERY = 1.0

IDENTITY = "/_sandbox"
"""GET says whose sandbox this is, DELETE stops it."""


class Server:
    """One emulated AWS. `url` is its address with its key; it ends with the process, or with `stop`."""

    def __init__(self, root: Path, faults: Path | None = None) -> None:
        self._root = root
        settings, asked = read_faults(faults) if faults else (Settings(), None)
        try:
            from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
            from werkzeug.serving import WSGIRequestHandler, make_server
        except ImportError as error:
            raise ConfigError(f"The sandbox needs moto ({error}); run: pip install -r requirements-dev.txt") from error

        class Quiet(WSGIRequestHandler):
            """Logs no request."""

            def log_request(self, *_: object) -> None:
                pass

        self.keys = Keys()
        self.aws = Strict(DomainDispatcherApplication(create_backend_app), Settings(), self.keys, Instances(root))
        self._asked = settings, asked
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet)
        self.address = self.aws.functions.address = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"http://sandbox:{self.keys.secret}@127.0.0.1:{self._server.server_port}"

    def start(self, project: Project) -> None:
        """Serve from a thread of this process, and put the project's environments there."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.prepare(project)

    def prepare(self, project: Project) -> None:
        """Put the project's environments there; what goes wrong on request goes wrong afterwards."""
        seed(project, self.url)
        self.aws.settings = self.aws.functions.settings = self._asked[0]
        self.aws.faults = self._asked[1]

    def stop(self) -> None:
        """Stop serving; what it held is gone, and so are the functions that ran."""
        self.aws.functions.instances.stop()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Our own addresses first, AWS's for everything else."""
        path, host = request["PATH_INFO"], request.get("HTTP_HOST", "")
        if path.startswith(CODE):
            token = parse_qs(request.get("QUERY_STRING", "")).get("token", [""])[0]
            contents = self.aws.functions.bytes_at(path) if self.keys.is_ours(host, path, token) else None
            start_response("200 OK" if contents is not None else "403 Forbidden", [])
            return [_part(contents or b"", request.get("HTTP_RANGE", ""))]
        if path != IDENTITY:
            return self.aws(request, start_response)
        token = request.get("HTTP_AUTHORIZATION", "")
        if not self.keys.is_ours(host, IDENTITY, token):
            start_response("403 Forbidden", [])
            return []
        start_response("200 OK", [("Content-Type", "application/json")])
        if request["REQUEST_METHOD"] == "DELETE":
            threading.Thread(target=self._server.shutdown).start()
        nonce = parse_qs(request.get("QUERY_STRING", "")).get("nonce", [""])[0]
        said = {"root": str(self._root), "pid": os.getpid(), "proof": self.keys.token(nonce)}
        return [json.dumps(said).encode()]

    def wait(self) -> None:
        """Serve until asked to stop."""
        self._server.serve_forever()


def _part(contents: bytes, span: str) -> bytes:
    """The bytes that a Range header asks for: all, the last n, or from one to another."""
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", span)
    if not asked:
        return contents
    if not asked[1]:
        return contents[-int(asked[2]) :]
    return contents[int(asked[1]) : int(asked[2] or len(contents)) + 1]


def main() -> None:
    """Serve in the background, leaving the address for others to find."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    workspace = Workspace(Path.cwd())
    server = Server(workspace.root, Path(sys.argv[1]) if sys.argv[1:] else None)
    serving = threading.Thread(target=server.wait, daemon=True)
    serving.start()
    server.prepare(workspace.project())
    note = json.dumps({"url": server.url, "pid": os.getpid()})
    path = workspace.standing_sandbox
    path.unlink(missing_ok=True)
    with replacing(path, mode=0o600) as aside:  # it holds the key
        aside.write_text(note, encoding="utf-8")
    while serving.is_alive() and _reads(path) == note and workspace.root.is_dir():
        serving.join(_LOOK_EVERY)
    server.aws.functions.instances.stop()


def _reads(path: Path) -> str:
    """What a file says; empty if it is gone: a sandbox that nobody can find any more has no reason to stay."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


if __name__ == "__main__":
    main()
