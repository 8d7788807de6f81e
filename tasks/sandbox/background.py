"""A sandbox in a process of its own, which keeps what is deployed to it between commands."""

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.errors import ReleaseError
from tasks.project.workspace import Workspace
from tasks.sandbox.server import IDENTITY

_PATIENCE = 60
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def find(workspace: Workspace) -> str:
    """The address of the sandbox that is up for this repository; empty if none is. A stale note is removed."""
    try:
        url: str = json.loads(note(workspace).read_text(encoding="utf-8"))["url"]
        if _ask(url)["root"] == str(workspace.root):
            return url
    except FileNotFoundError:
        return ""
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        pass
    note(workspace).unlink(missing_ok=True)
    return ""


def note(workspace: Workspace) -> Path:
    """Where a sandbox that is up leaves its address."""
    return workspace.sandbox / "server.json"


def start(workspace: Workspace, faults: str = "") -> str:
    """Start a sandbox and return its address once it is ready. ReleaseError with the log's end if it does not start."""
    workspace.sandbox.mkdir(parents=True, exist_ok=True)
    log = workspace.sandbox / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tasks.sandbox.server", *([faults] if faults else [])],
            cwd=workspace.root,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            **_detached(),
        )
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if url := find(workspace):
            return url
        time.sleep(0.05)
    process.kill()
    tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    raise ReleaseError(f"The sandbox did not start: {' '.join(tail) or 'no answer'}; see {log}")


def stop(workspace: Workspace) -> bool:
    """Stop the sandbox and wait until it is gone; False if none was up."""
    url = find(workspace)
    if not url:
        return False
    with suppress(OSError, http.client.HTTPException, ValueError):  # it may be gone before it has answered
        _ask(url, "DELETE")
    deadline = time.monotonic() + _PATIENCE
    while find(workspace) and time.monotonic() < deadline:
        time.sleep(0.05)
    return True


def _ask(url: str, method: str = "GET") -> dict[str, Any]:
    """What the sandbox says of itself."""
    request = urllib.request.Request(url + IDENTITY, method=method)  # noqa: S310  (our own note's http://127.0.0.1)
    with _DIRECT.open(request, timeout=5) as answer:
        said: dict[str, Any] = json.load(answer)
        return said


def _detached() -> dict[str, Any]:
    """How a process is started that outlives this one and does not hear its Ctrl-C."""
    if os.name == "nt":
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        return {"creationflags": flags}
    return {"start_new_session": True}
