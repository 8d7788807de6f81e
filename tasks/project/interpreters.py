"""Finds the Pythons on this machine that can stand in for Lambda's."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tasks.project.runtimes import ARCHITECTURES, Runtime

_PATIENCE = 20


@cache
def find_interpreter(runtime: Runtime, architecture: str) -> str:
    """The path of a Linux interpreter of the runtime's Python version and architecture; empty if none is found.

    A name on PATH may be a shim (pyenv's) that has no such version behind it, so each is asked what it is.
    """
    if sys.platform != "linux" or platform.machine() != ARCHITECTURES[architecture]:
        return ""  # what is compiled for Lambda could not be loaded here
    for path in _candidates(runtime.version):
        command = [path, "-I", "-S", "-c", "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if result.stdout.strip() == runtime.version:
            return path
    return ""


def _candidates(version: str) -> Iterator[str]:
    """Where an interpreter may be: on PATH, with pyenv, or with uv."""
    found = shutil.which(f"python{version}") or ""
    homes = [
        Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions",
        Path.home() / ".local" / "share" / "uv" / "python",
    ]
    yield from [found] if found else []
    for home in homes:
        for folder in sorted(home.glob(f"*{version}*"), reverse=True):
            yield str(folder / "bin" / f"python{version}")
