"""What git says of a repository: which commit is checked out, whether files differ from it, which files it tracks."""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tasks.errors import BuildError
from tasks.jobs import results

_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
"""A repository that the environment names (inside a hook) is not the one that the files are in."""

_STAGED = re.compile(
    r"(?P<mode>\d+) \S+ \d\ti/(?P<there>\S*) +w/(?P<here>\S*) +attr/(?P<rules>[^\t]*)\t(?P<name>.*)", re.DOTALL
)
"""A line of `git ls-files --stage --eol`: a link has mode 120000, another repository 160000."""


@dataclass(frozen=True)
class Git:
    """A work tree below the repository's folder; paths are relative to that and have forward slashes.

    commit     7 hex digits, empty before the first commit
    changed    tracked files among the inputs of a build that differ from the commit
    tracked    file -> mode, as in `git ls-files --stage`
    untracked  files that git neither tracks nor ignores
    endings    inputs that differ from their commit in nothing but line endings, which git does not call a change
    """

    commit: str
    changed: tuple[str, ...]
    tracked: Mapping[str, str]
    untracked: tuple[str, ...]
    endings: tuple[str, ...] = ()


def read_git(root: Path, inputs: Iterable[str] = (".",)) -> Git | None:
    """What git says, of changes to `inputs` (files and folders) alone.

    None outside a work tree, or without git. BuildError if it cannot say.
    """
    built = tuple(inputs)
    asked = [
        ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "-z", "--no-renames", "--", *built),
        ("ls-files", "-z", "--stage", "--eol", "--", "."),
        ("ls-files", "-z", "--others", "--exclude-standard", "--", "."),
        ("rev-parse", "--show-prefix"),
    ]
    said = results([partial(ask_git, root, *each) for each in asked])
    if None in said:
        return None
    status, staged, others, prefix = said
    commit = re.search(r"(?:^|\0)# branch\.oid ([0-9a-f]{7})", status)
    # "1 <XY> <sub> <3 modes> <2 objects> <name>", "u <XY> <sub> <4 modes> <3 objects> <name>"
    named = [line.split(" ", {"1": 8, "u": 10}[line[0]])[-1] for line in status.split("\0") if line[:1] in ("1", "u")]
    changed = [name.removeprefix(prefix.strip("\n")) for name in named]  # status alone names them from the top
    files = [found for line in staged.split("\0") if (found := _STAGED.fullmatch(line))]
    other = [each for each in files if each["there"] == "lf" and each["here"] in ("crlf", "mixed")]
    endings = [each["name"] for each in other if "eol=crlf" not in each["rules"]]
    return Git(
        commit=commit[1] if commit else "",
        changed=tuple(changed),
        tracked={each["name"]: each["mode"] for each in files},
        untracked=tuple(sorted(others.split("\0")[:-1])),
        endings=tuple(name for name in endings if name not in changed and _among(name, built)),
    )


def _among(name: str, inputs: tuple[str, ...]) -> bool:
    """Whether a file is one of the inputs, or lies below one."""
    return any(each in (".", name) or name.startswith(f"{each.rstrip('/')}/") for each in inputs)


def ask_git(root: Path, *command: str) -> str | None:
    """What a git command prints; None if there is no work tree, or no git."""
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE} | {"LC_ALL": "C"}
    try:
        whole = ["git", "--literal-pathspecs", *command]
        result = subprocess.run(whole, cwd=root, env=environment, capture_output=True, check=False)
    except OSError:
        return None
    if result.returncode and b"not a git repository" in result.stderr:
        return None
    if result.returncode:
        complaint = result.stderr.decode("utf-8", "replace").strip()
        raise BuildError(f"git {command[0]} failed in {root}; correct that first:\n{complaint}")
    return os.fsdecode(result.stdout)


def git_user(root: Path) -> str:
    """The name that git gives to whoever commits here; the system's without git."""
    try:
        found = ask_git(root, "config", "user.name")
    except BuildError:
        found = None
    return (found or "").strip() or os.environ.get("USER") or os.environ.get("USERNAME") or ""
