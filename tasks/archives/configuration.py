"""The configuration that travels with a release: files below the folders of [configuration] that git tracks."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.archives.secrets import check_secrets
from tasks.archives.sources import NO_FILES
from tasks.errors import BuildError, has_control, one_line
from tasks.project.workspace import Checkout


@dataclass(frozen=True)
class File:
    """One file: where it is, the SHA-256 (hex) of its contents, and its name from the repository."""

    path: Path
    sha256: str
    name: str = ""


def read_configuration(checkout: Checkout) -> dict[str, File]:
    """Key in the configuration bucket -> file. BuildError if a folder of release.toml does not exist."""
    found = {}
    for prefix, folder in checkout.project.configuration.items():
        top = checkout.root / folder
        if not top.is_dir():
            raise BuildError(f"Folder not found: {top}; check [configuration] in release.toml")
        for name in sorted(_files(checkout, folder)):
            path = checkout.root / name
            # held by tests/archives/test_canonical.py
            if has_control(name):
                raise BuildError(f"{one_line(name)}: its name has control characters, which no key should; rename it")
            contents = path.read_bytes()
            check_secrets(name, contents, checkout.project.allowed)
            digest = hashlib.sha256(contents).hexdigest()
            found[f"{prefix}/{path.relative_to(top).as_posix()}"] = File(path, digest, name)
    return found


def _files(checkout: Checkout, folder: str) -> Iterator[str]:
    """The files below a folder, named from the repository: those that git tracks, or all without git."""
    below = folder.rstrip("/") + "/"
    if checkout.git is None:
        paths = (path for path in (checkout.root / folder).rglob("*") if path.is_file())
        yield from (path.relative_to(checkout.root).as_posix() for path in paths)
        return
    for name, mode in checkout.git.tracked.items():
        # held by tests/archives/test_canonical.py `mode in NO_FILES`
        if name.startswith(below) and mode in NO_FILES:
            raise BuildError(f"{name} is {NO_FILES[mode]}, which no release can hold; put the files there")
        if name.startswith(below) and (checkout.root / name).is_file():
            yield name


def untracked_configuration(checkout: Checkout) -> list[str]:
    """Files in those folders that git does not track, and that travel nowhere."""
    below = tuple(folder.rstrip("/") + "/" for folder in checkout.project.configuration.values())
    return [name for name in checkout.git.untracked if name.startswith(below)] if checkout.git and below else []
