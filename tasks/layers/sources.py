"""The files of our own package, as members of a layer."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from tasks.errors import BuildError
from tasks.layers.archive import Member, stored

__all__ = ["source_members"]

NEVER_SHIPPED = (".env", ".env.*", "*.pem", "*.key", ".git")
"""A file or folder of such a name among the sources is a secret or an accident, and stops the build."""

LEFT_OUT = ("__pycache__", "*.pyc", "*.pyo")
"""Bytecode belongs to the Python that wrote it."""


def source_members(folder: Path) -> list[Member]:
    """Every file below the package `folder`, under `python/<package>/`. BuildError if it is missing or empty."""
    if not folder.is_dir():
        raise BuildError(f"Source folder not found: {folder}; check `source` in release.toml")
    members = [
        stored(f"python/{path.relative_to(folder.parent).as_posix()}", path.read_bytes()) for path in _files(folder)
    ]
    if not any(member.name.endswith(".py") for member in members):
        raise BuildError(f"Source folder is empty: {folder} has no Python file; check `source` in release.toml")
    return members


def _files(folder: Path) -> Iterator[Path]:
    """The files to ship; BuildError names the first that must never be."""
    for path in sorted(folder.iterdir()):
        if any(fnmatch(path.name.lower(), pattern) for pattern in NEVER_SHIPPED):
            raise BuildError(f"{path} must never ship in a layer; move it out of {folder} and build again")
        if any(fnmatch(path.name, pattern) for pattern in LEFT_OUT):
            continue
        if path.is_symlink():
            raise BuildError(f"{path} is a link, which Lambda could not follow; replace it with the file itself")
        yield from _files(path) if path.is_dir() else [path]
