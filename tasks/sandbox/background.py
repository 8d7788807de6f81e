"""A sandbox in a process of its own, which keeps what is deployed to it between commands."""

import hmac
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tasks.errors import ReleaseError
from tasks.project.command import address_of
from tasks.project.files import cannot_write
from tasks.project.workspace import Workspace
from tasks.sandbox.keys import token_for
from tasks.sandbox.server import IDENTITY

_PATIENCE = 60
_BUSY = 5
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def find(workspace: Workspace, patience: float = _BUSY) -> str:
    """The address, with its key, of the sandbox that is up for this repository; empty if none is.

    A note that nobody stands behind any more is removed.
    """
    url = ""
    try:
        url = str(json.loads(workspace.standing_sandbox.read_text(encoding="utf-8"))["url"])
        if _ask(url, patience=patience)["root"] == str(workspace.root):
            return url
    except FileNotFoundError:
        return ""
    except TimeoutError:
        return url  # busy, and there
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        pass
    workspace.standing_sandbox.unlink(missing_ok=True)
    return ""


def start(workspace: Workspace, faults: str = "") -> str:
    """Start a sandbox and return its address once it is ready. ReleaseError with the log's end if it does not start."""
    try:
        workspace.sandbox.mkdir(parents=True, exist_ok=True)
        workspace.sandbox.chmod(0o700)
    except OSError as error:
        raise cannot_write(workspace.sandbox, error) from error
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


def _ask(url: str, method: str = "GET", patience: float = _BUSY) -> dict[str, Any]:
    """What the sandbox says of itself. TimeoutError if it does not answer for a while."""
    key, nonce = urlsplit(url).password or "", secrets.token_hex(16)
    headers = {"Authorization": token_for(key, IDENTITY)}
    asked = f"{address_of(url)}{IDENTITY}?nonce={nonce}"
    request = urllib.request.Request(asked, method=method, headers=headers)  # noqa: S310  (our own note's address)
    try:
        with _DIRECT.open(request, timeout=patience) as answer:
            said: dict[str, Any] = json.load(answer)
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise error.reason from error
        raise
    if not hmac.compare_digest(str(said["proof"]), token_for(key, nonce)):
        raise ValueError("another server answers there, which does not know the key")
    return said


def _detached() -> dict[str, Any]:
    """How a process is started that outlives this one and does not hear its Ctrl-C."""
    if os.name == "nt":
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        return {"creationflags": flags}
    return {"start_new_session": True}
