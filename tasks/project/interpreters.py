"""Finds the Pythons on this machine that can stand in for Lambda's."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tasks.project.cache import cache_folder
from tasks.project.files import replacing
from tasks.project.runtimes import ARCHITECTURES, Runtime

_PATIENCE = 20
_WHAT = """
import json, platform, sys, sysconfig
free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
sys.stdout.write(json.dumps(["%d.%d" % sys.version_info[:2], platform.python_implementation(), free, sys.executable]))
"""
Answer = list[object]


def runs_here(architecture: str) -> bool:
    """Whether what is compiled for Lambda can be loaded on this machine."""
    return sys.platform == "linux" and platform.machine() == ARCHITECTURES[architecture]


@cache
def find_interpreter(runtime: Runtime) -> str:
    """The path of a CPython of the runtime's version; empty if none is found.

    A name on PATH may be a shim (pyenv's) with another version behind it, or none, so each is asked, and what
    answers is used by its own path. PyPy and free-threaded builds load other compiled modules than Lambda's Python.
    """
    wanted = [runtime.version, "CPython", False]
    if _own_answer()[:3] == wanted:
        return sys.executable
    candidates = list(_candidates(runtime.version))
    for look in (_remembered, _ask):  # asking one takes a tenth of a second, and a shim of pyenv's twice that
        for command in candidates:
            answer = look(command)
            if answer[:3] == wanted:
                return str(answer[3])
    return ""


def _own_answer() -> Answer:
    """What this Python says of itself."""
    version = "{}.{}".format(*sys.version_info[:2])
    return [version, platform.python_implementation(), bool(sysconfig.get_config_var("Py_GIL_DISABLED"))]


def _remembered(command: list[str]) -> Answer:
    """What an executable answered before, as long as it is the same file; empty if it was not asked yet.

    What a shim starts depends on the folder and the environment, so that it is never remembered.
    """
    try:
        return list(json.loads(_note(command[0]).read_text(encoding="utf-8"))) if len(command) == 1 else []
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _ask(command: list[str]) -> Answer:
    """Version, implementation, whether it is free-threaded, and path; empty if it cannot say."""
    try:
        asked = [*command, "-I", "-S", "-c", _WHAT]
        result = subprocess.run(
            asked, capture_output=True, encoding="utf-8", errors="replace", timeout=_PATIENCE, check=False
        )
        answer = json.loads(result.stdout)
        if len(command) == 1 and Path(answer[3]).samefile(command[0]):
            with replacing(_note(command[0])) as aside:
                aside.write_text(json.dumps(answer), encoding="utf-8")
        return list(answer)
    except (OSError, subprocess.TimeoutExpired, ValueError, LookupError, TypeError, RecursionError):
        return []


def _note(path: str) -> Path:
    """Where an executable's answer is kept: under what tells it from a file that was there before under its name."""
    facts = Path(path).stat()
    identity = [path, str(Path(path).resolve()), facts.st_mtime_ns, facts.st_size]
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
    return cache_folder() / "interpreters" / f"{digest}.json"


def _candidates(version: str) -> Iterator[list[str]]:
    """How an interpreter may be called: on PATH, with pyenv, with uv, or by Windows' launcher."""
    for name in (f"python{version}", "python3", "python"):
        if found := shutil.which(name):
            yield [found]
    pyenv = os.environ.get("PYENV_ROOT") or os.environ.get("PYENV") or str(Path.home() / ".pyenv")
    homes = [
        Path(pyenv) / "versions",
        Path.home() / ".local" / "share" / "uv" / "python",
        Path(os.environ.get("APPDATA") or Path.home()) / "uv" / "data" / "python",
    ]
    for home in homes:
        for folder in sorted(home.glob(f"*{version}*"), reverse=True):
            for path in (folder / "bin" / f"python{version}", folder / "python.exe"):
                if path.is_file():
                    yield [str(path)]
    if launcher := shutil.which("py"):
        yield [launcher, f"-{version}"]
