"""Runs uv, which resolves requirements, knows the indexes and builds sdists."""

import os
import subprocess
import sys
from pathlib import Path

from tasks.errors import BuildError


def run_uv(command: list[str], options: list[str], *, folder: Path, interpreter: str = sys.executable) -> None:
    """Run `uv <command> <options>` in `folder`; BuildError carries the end of what it complained about.

    It never fetches a Python: without --no-python-downloads uv looks for the exact release named by --python-version
    on the internet, which takes seconds and pins nothing.
    """
    try:
        from uv import find_uv_bin
    except ImportError as error:
        raise BuildError("uv is not installed; for the command that installs it, run: inv doctor") from error
    fixed = ["--python", interpreter, "--no-python-downloads", "--quiet", "--color", "never"]
    # 1980-01-01: what a build backend should date its files
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}
    if bundle := os.environ.get("AWS_CA_BUNDLE"):  # a company's own authority is theirs for every index, too
        environment = {"SSL_CERT_FILE": bundle, **environment}
    result = subprocess.run(
        [find_uv_bin(), *command, *options, *fixed],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode:
        complaint = "\n".join(f"   {line}" for line in result.stderr.strip().splitlines()[-12:])
        raise BuildError(f"uv {' '.join(command[:2])} failed; correct what it names and try again:\n{complaint}")
