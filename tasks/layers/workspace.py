"""Where things are in a repository, and how a file is replaced without ever being half-written."""

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import ConfigError
from tasks.release.project import Project
from tasks.release.project_file import parse_project
from tasks.release.versions import read_versions

__all__ = ["Workspace", "file_sha256", "replacing"]


@dataclass(frozen=True)
class Workspace:
    """A repository on local disk; `root` is the folder that holds release.toml."""

    root: Path

    @property
    def layers(self) -> Path:
        """The archives that were built last."""
        return self.root / ".build" / "layers"

    @property
    def functions(self) -> Path:
        """The functions' packages that were built last."""
        return self.root / ".build" / "functions"

    @property
    def manifest(self) -> Path:
        """What is in them."""
        return self.root / ".build" / "manifest.json"

    @property
    def cache(self) -> Path:
        """What need not be downloaded or built again; `inv clean` leaves it."""
        return self.root / ".build" / "cache"

    @property
    def sandbox(self) -> Path:
        """Where a sandbox in the background leaves its address."""
        return self.root / ".build" / "sandbox"

    def project(self) -> Project:
        """The project that release.toml describes."""
        return parse_project(self.read("release.toml"))

    def versions(self, project: Project) -> dict[str, str]:
        """The version in VERSION of each layer, and of each function that has one there."""
        found = read_versions(self.read("VERSION"), project.version_keys.values())
        return {name: found[key] for name, key in project.version_keys.items()}

    def read(self, name: str) -> str:
        """A text file of the repository with its line endings as they are; ConfigError if it is missing."""
        try:
            return (self.root / name).read_bytes().decode("utf-8")
        except FileNotFoundError as error:
            raise ConfigError(f"{name} not found in {self.root}; run inv in the folder of your release.toml") from error
        except OSError as error:
            raise ConfigError(f"{name} cannot be read ({error.strerror}); put a file in its place") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{name} is not UTF-8 text ({error}); save it as UTF-8") from error

    def commit(self) -> str:
        """The commit that is checked out: 7 hex digits, `-dirty` behind them if files differ; `none` outside git."""
        command = ["git", "status", "--porcelain=v2", "--branch"]
        try:
            result = subprocess.run(
                command, cwd=self.root, capture_output=True, encoding="utf-8", errors="replace", check=False
            )
        except FileNotFoundError:
            return "none"
        commit = re.search(r"^# branch\.oid ([0-9a-f]{7})", result.stdout, re.MULTILINE)
        dirty = re.search(r"^[^#]", result.stdout, re.MULTILINE)
        return (commit[1] if commit else "none") + ("-dirty" if dirty else "")


def file_sha256(path: Path) -> str:
    """The SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place when all went well and is gone otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-", suffix=path.suffix)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        if path.exists():
            aside.chmod(path.stat().st_mode)
        else:
            aside.chmod(0o644)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
