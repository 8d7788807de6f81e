"""What git says of a repository: which commit is checked out, whether files differ from it, which files it tracks."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tasks.errors import BuildError
from tasks.jobs import results

_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""A repository that the environment names (inside a hook) is not the one that the files are in."""


@dataclass(frozen=True)
class Git:
    """A work tree below the repository's folder; paths are relative to that and have forward slashes.

    commit     7 hex digits, empty before the first commit
    clean      whether no file that git tracks differs from the commit
    tracked    file -> mode, as in `git ls-files --stage`
    untracked  files that git neither tracks nor ignores
    """

    commit: str
    clean: bool
    tracked: Mapping[str, str]
    untracked: tuple[str, ...]


def read_git(root: Path) -> Git | None:
    """What git says; None outside a work tree, or without git. BuildError if it cannot say."""
    asked = [
        ("status", "--porcelain=v2", "--branch", "--untracked-files=no"),
        ("ls-files", "-z", "--stage", "--", "."),
        ("ls-files", "-z", "--others", "--exclude-standard", "--", "."),
    ]
    status, staged, others = results([partial(_ask, root, *each) for each in asked])
    if status is None or staged is None or others is None:
        return None
    commit = re.search(r"^# branch\.oid ([0-9a-f]{7})", status, re.MULTILINE)
    # "<mode> <object> <stage>\t<name>": a link is 120000, another repository 160000
    facts = (line.split("\t", 1) for line in staged.split("\0")[:-1])
    return Git(
        commit=commit[1] if commit else "",
        clean=not re.search(r"^[^#]", status, re.MULTILINE),
        tracked={name: fact.split(" ", 1)[0] for fact, name in facts},
        untracked=tuple(sorted(others.split("\0")[:-1])),
    )


def _ask(root: Path, *command: str) -> str | None:
    """What a git command prints; None if there is no work tree, or no git."""
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE} | {"LC_ALL": "C"}
    try:
        result = subprocess.run(["git", *command], cwd=root, env=environment, capture_output=True, check=False)  # noqa: S607
    except OSError:
        return None
    if result.returncode and b"not a git repository" in result.stderr:
        return None
    if result.returncode:
        complaint = result.stderr.decode("utf-8", "replace").strip()
        raise BuildError(f"git cannot say what is in {root}; correct that first:\n{complaint}")
    return os.fsdecode(result.stdout)


def git_user(root: Path) -> str:
    """The name that git gives to whoever commits here; the system's without git."""
    try:
        found = _ask(root, "config", "user.name")
    except BuildError:
        found = None
    return (found or "").strip() or os.environ.get("USER") or os.environ.get("USERNAME") or ""
