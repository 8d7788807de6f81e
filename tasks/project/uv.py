"""Runs uv, which resolves requirements, knows the indexes and builds sdists.

What uv starts is somebody else's code: the build script of a dependency. So it is handed what it needs, and no key:
asked to resolve, what tells indexes apart and how to reach them; asked to build, not even that.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tasks.errors import BuildError

_SYSTEM = re.compile(
    "PATH|PATHEXT|LD_LIBRARY_PATH|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|OS|NUMBER_OF_PROCESSORS|PROCESSOR_ARCHITECTURE|LANG|LC_[A-Z]+|TZ"
)
"""What any program needs of a system."""
_INDEXES = re.compile(
    "UV_.*|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|SSL_CLIENT_CERT|NETRC|HOME|USERPROFILE|HOMEDRIVE|HOMEPATH|APPDATA|"
    "LOCALAPPDATA|PROGRAMDATA|XDG_(CONFIG_HOME|CONFIG_DIRS|CACHE_HOME|DATA_HOME)|TEMP|TMP|TMPDIR|USER|USERNAME"
)
"""What uv needs besides to reach the indexes that somebody has set up, and its own cache."""
_OTHERS = re.compile("UV_PUBLISH_.*|UV_GITHUB_TOKEN")
"""Of those, what is for other commands of uv."""
_HOMES = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP", "TMPDIR", "UV_CACHE_DIR")


def for_indexes(everything: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment in which requirements are resolved: the indexes' settings and credentials, no others.

    Resolving runs the build scripts of sdists that do not say what they need. Where uv is to ask a keyring, that
    program is handed everything, and so are they: it may need any of it (that of CodeArtifact needs keys of AWS).
    """
    # held by tests/project/test_uv.py
    if everything.get("UV_KEYRING_PROVIDER", "disabled") != "disabled":
        return dict(everything)
    named = {name: text for name, text in everything.items() if _is(name, _SYSTEM) or _is(name, _INDEXES)}
    kept = {name: text for name, text in named.items() if not _is(name, _OTHERS)}
    if bundle := everything.get("AWS_CA_BUNDLE"):  # a company's own authority is theirs for every index, too
        kept = {"SSL_CERT_FILE": bundle, **kept}
    return kept


def for_building(home: Path, everything: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment in which an sdist is built: nothing of this user's, `home` in the place of their own."""
    kept = {name: text for name, text in everything.items() if _is(name, _SYSTEM)}
    return {**kept, **dict.fromkeys(_HOMES, str(home)), "UV_NO_CONFIG": "1"}


def _is(name: str, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(name.upper()) is not None


def run_uv(
    command: list[str],
    options: list[str],
    *,
    folder: Path,
    interpreter: str = sys.executable,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run `uv <command> <options>` in `folder`; BuildError carries the end of what it complained about.

    The environment is that for indexes, unless another is given. It never fetches a Python: without
    --no-python-downloads uv looks for the exact release named by --python-version on the internet, which takes seconds
    and pins nothing.
    """
    try:
        from uv import find_uv_bin
    except ImportError as error:
        raise BuildError("uv is not installed; for the command that installs it, run: inv doctor") from error
    fixed = ["--python", interpreter, "--no-python-downloads", "--quiet", "--color", "never"]
    result = subprocess.run(
        [find_uv_bin(), *command, *options, *fixed],
        cwd=folder,
        # 1980-01-01: what a build backend should date its files
        env={**(for_indexes() if environment is None else environment), "SOURCE_DATE_EPOCH": "315532800"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode:
        complaint = "\n".join(f"   {line}" for line in result.stderr.strip().splitlines()[-12:])
        raise BuildError(f"uv {' '.join(command[:2])} failed; correct what it names and try again:\n{complaint}")
