"""The files of our own code, as members of an archive: what git tracks, with the contents of the working tree."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tasks.errors import BuildError
from tasks.layers.archive import Member, stored

__all__ = ["Sources", "read_sources"]

NEVER_SHIPPED = (".env", ".env.*", "*.pem", "*.key", ".git")
"""A file or folder of such a name among the sources is a secret or an accident, and stops the build."""

LEFT_OUT = ("__pycache__", "*.pyc", "*.pyo", ".DS_Store", "*.backup", "*.bak", "*.orig", "*.swp", "*~")
"""Bytecode belongs to the Python that wrote it, and what systems and editors leave behind to nobody."""


@dataclass(frozen=True)
class Sources:
    """The members to ship, and the files (relative to the folder) that lie beside them unknown to git."""

    members: list[Member]
    untracked: tuple[str, ...]


def read_sources(folder: Path, prefix: str) -> Sources:
    """Every file below `folder` that git tracks, or simply every file outside a work tree, named below `prefix`.

    Files that git ignores never enter, whatever they are. BuildError if the folder is missing, has no Python file, or
    holds what must never ship, be it tracked or only lying there.
    """
    if not folder.is_dir():
        raise BuildError(f"Source folder not found: {folder}; check `source` in release.toml")
    tracked, untracked = _ask_git(folder) or (sorted(_walk(folder, folder)), [])
    for name in [*tracked, *untracked]:
        _check(folder, name)
    members = [stored(prefix + name, (folder / name).read_bytes()) for name in tracked if not _left_out(name)]
    if not any(member.name.endswith(".py") for member in members):
        hint = "git tracks none of them: git add them" if untracked else "check `source` in release.toml"
        raise BuildError(f"Source folder is empty: {folder} has no Python file to ship; {hint}")
    return Sources(members, tuple(name for name in untracked if not _left_out(name)))


def _ask_git(folder: Path) -> tuple[list[str], list[str]] | None:
    """The tracked and the untracked files below a folder; None outside a work tree, or without git."""
    tracked = _ls_files(folder, "--stage")
    untracked = _ls_files(folder, "--others", "--exclude-standard")
    if tracked is None or untracked is None:
        return None
    # "<mode> <object> <stage>\t<name>": a link is 120000, another repository 160000
    staged = [line.split("\t", 1) for line in tracked]
    for facts, name in staged:
        if facts.startswith(("120000", "160000")):
            kind = "a link" if facts.startswith("120000") else "another repository"
            raise BuildError(f"{folder / name} is {kind}, which a layer cannot hold; put the files themselves there")
    return sorted({name for _, name in staged if (folder / name).exists()}), sorted(untracked)


def _ls_files(folder: Path, *options: str) -> list[str] | None:
    """What `git ls-files` says below a folder; None if it says nothing because there is no work tree, or no git."""
    command = ["git", "ls-files", "-z", *options, "--", "."]
    # a repository named by the environment (inside a hook) is not the one the folder is in
    named = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
    environment = {name: value for name, value in os.environ.items() if name not in named} | {"LC_ALL": "C"}
    try:
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    if result.returncode and b"not a git repository" in result.stderr:
        return None
    if result.returncode:
        complaint = result.stderr.decode("utf-8", "replace").strip()
        raise BuildError(f"git cannot say which files of {folder} it tracks; correct that first:\n{complaint}")
    return os.fsdecode(result.stdout).split("\0")[:-1]


def _walk(folder: Path, top: Path) -> Iterator[str]:
    """The names of all files below a folder, and of what must never ship."""
    for path in folder.iterdir():
        descend = path.is_dir() and not path.is_symlink() and path.name != ".git"
        yield from _walk(path, top) if descend else [path.relative_to(top).as_posix()]


def _check(folder: Path, name: str) -> None:
    """BuildError for a file that must never be in a layer, or that would not arrive there as what it is."""
    path = folder / name
    if any(fnmatch(part.lower(), pattern) for part in name.split("/") for pattern in NEVER_SHIPPED):
        raise BuildError(f"{path} must never ship in a layer; move it out of {folder} and build again")
    if path.is_symlink():
        raise BuildError(f"{path} is a link, which Lambda could not follow; replace it with the file itself")
    if path.is_dir():
        raise BuildError(f"{path} is another repository (.git), which must never ship; move it out of {folder}")


def _left_out(name: str) -> bool:
    return any(fnmatch(part, pattern) for part in name.split("/") for pattern in LEFT_OUT)
