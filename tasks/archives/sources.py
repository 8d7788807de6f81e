"""The files of our own code, as members of an archive: what git tracks, with the contents of the working tree."""

import ast
import hashlib
import os
import re
import stat
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from fnmatch import translate
from pathlib import Path

from tasks.archives.advice import on_ignored
from tasks.archives.archive import Member, stored_file
from tasks.archives.known import Known
from tasks.archives.secrets import check_name, check_secrets
from tasks.errors import BuildError, has_control, one_line
from tasks.project.git import Git, ignored_files
from tasks.release.events import Noticed, left_out

BYTECODE = ("__pycache__", "*.pyc", "*.pyo")
"""Belongs to the Python that wrote it, and stays out without a word."""

STRAY = (".DS_Store", "*.backup", "*.bak", "*.orig", "*.swp", "*~")
"""What systems and editors leave behind: stays out, even if git tracks it, and is named."""

_BYTECODE, _STRAY = (re.compile("|".join(map(translate, each))) for each in (BYTECODE, STRAY))
_LFS = b"version https://git-lfs.github.com/spec/"
_OF_TOOLS = re.compile(r"(^|/)(\.[^/]+|__pycache__|node_modules|[^/]+\.egg-info)(/|$)")
_LEFT_BEHIND = "is left out: a system or an editor left it behind"
NO_FILES = {"120000": "a link", "160000": "another repository"}
"""Modes of what git tracks that is no file."""


def read_sources(  # noqa: PLR0913, PLR0917  (where they are, what they become, what may be passed over)
    root: Path,
    git: Git | None,
    source: str,
    prefix: str,
    allowed: Container[str] = (),
    known: Known | None = None,
) -> tuple[list[Member], list[Noticed]]:
    """Every file below the folder `source` of `root` that git tracks (every file without git), named below `prefix`.

    Beside these members, the files that stay out: unknown to git, or left behind by a system or an editor.
    Files that git ignores never enter, whatever they are, and those `known` to hold no secret are not searched for one.
    BuildError if the folder is missing, has no Python file, or holds what must never ship, be it tracked or only lying
    there.
    """
    folder = root / source
    if not folder.is_dir():
        raise BuildError(f"Source folder not found: {folder}; check `source` in release.toml")
    known = known or Known()
    tracked, untracked = _listed(git, root, source) if git else (sorted(_walk(folder, folder)), [])
    _check_names(source, tracked)
    for name in [*tracked, *untracked]:
        check_name(f"{source}/{name}", allowed)
    for name in untracked if git else tracked:  # those that git tracks were looked at
        _is_there(folder, name)  # or an error
    beside = [left_out(f"{source}/{name}") for name in untracked if not _is(name, _BYTECODE)]
    beside += [Noticed(f"{source}/{name} {_LEFT_BEHIND}", warning=False) for name in tracked if _is(name, _STRAY)]
    members = []
    for name in tracked:
        if _is(name, _BYTECODE) or _is(name, _STRAY):
            continue
        program = _is_program(git, root, f"{source}/{name}")
        members.append(member := replace(stored_file(prefix + name, folder / name), executable=program))
        if member.sha256 not in known.clean:
            contents = member.contents()
            if contents.startswith(_LFS):
                raise BuildError(f"{source}/{name} is a pointer of Git LFS and not the file itself; run: git lfs pull")
            check_secrets(f"{source}/{name}", contents, allowed)
            # held by tests/archives/test_known.py tests/archives/test_sources.py `-> True`
            if f"{source}/{name}" not in allowed:
                known.clean.add(hashlib.sha256(contents).hexdigest())  # of what was searched
    if not any(member.name.endswith(".py") for member in members):
        hint = "git tracks none of them: git add them" if untracked else "check `source` in release.toml"
        raise BuildError(f"Source folder is empty: {folder} has no Python file to ship; {hint}")
    return members, beside


def hidden(git: Git | None, root: Path, source: str) -> list[Noticed]:
    """A word on what git ignores in a folder and code might need: no bytecode, and nothing of an editor or a tool."""
    found = ignored_files(root, [source]) if git else []
    # held by tests/archives/test_sources.py
    found = [each for each in found if not (_OF_TOOLS.search(each) or _is(each, _BYTECODE) or _is(each, _STRAY))]
    return [Noticed(on_ignored(source, found), warning=False)] if found else []


def _is_program(git: Git | None, root: Path, name: str) -> bool:
    """Whether a file is executable: on Lambda nobody can make it so."""
    mode = (root / name).stat().st_mode
    # held by tests/archives/test_sources.py `git.is_executable(name, mode) -> False`
    return git.is_executable(name, mode) if git else os.name != "nt" and bool(mode & 0o100)


def _listed(git: Git, root: Path, source: str) -> tuple[list[str], list[str]]:
    """The tracked and the untracked files below a folder, named from there."""
    below = source.rstrip("/") + "/"
    tracked = []
    for name, mode in git.tracked.items():
        if not name.startswith(below):
            continue
        if mode in NO_FILES:
            raise BuildError(f"{root / name} is {NO_FILES[mode]}, which a layer cannot hold; put the files there")
        if _is_there(root, name):
            tracked.append(name.removeprefix(below))
    untracked = [name.removeprefix(below) for name in git.untracked if name.startswith(below)]
    return sorted(tracked), untracked


def _walk(folder: Path, top: Path) -> Iterator[str]:
    """The names of all files below a folder, and of what must never ship."""
    for path in folder.iterdir():
        descend = path.is_dir() and not path.is_symlink() and path.name != ".git"
        yield from _walk(path, top) if descend else [path.relative_to(top).as_posix()]


def _is_there(folder: Path, name: str) -> bool:
    """Whether a file was not deleted. BuildError if it would not arrive on Lambda as what it is."""
    try:
        mode = os.lstat(f"{folder}/{name}").st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(mode):
        raise BuildError(f"{folder / name} is a link, which Lambda could not follow; replace it with the file itself")
    if not stat.S_ISREG(mode):
        raise BuildError(f"{folder / name} is another repository, or no file at all; move it out of {folder}")
    return True


def _check_names(source: str, names: Iterable[str]) -> None:
    """BuildError for names that not every system can hold."""
    seen: dict[str, str] = {}
    for name in names:
        shown = f"{source}/{name}".encode("utf-8", "backslashreplace").decode()
        if shown != f"{source}/{name}":
            raise BuildError(f"{shown}: the name is not UTF-8, and an archive could not hold it; rename the file")
        if has_control(name):
            raise BuildError(f"{one_line(shown)}: its name has control characters; rename the file")
        if other := seen.get(name.lower()):
            raise BuildError(f"{shown} and {other} differ in case alone, and Windows holds one of them; rename one")
        seen[name.lower()] = name


def parse_source(contents: bytes, name: str) -> ast.Module:
    """The syntax tree of a Python file. BuildError, with the line, if Python could not read it."""
    try:
        return ast.parse(contents, name)
    except SyntaxError as error:
        raise BuildError(f"{name}, line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise BuildError(f"{name}: cannot be read as Python ({error or 'nested too deeply'})") from error


def _is(name: str, pattern: re.Pattern[str]) -> bool:
    """Whether a file, or a folder that it is in, has such a name."""
    return any(map(pattern.match, name.split("/")))
