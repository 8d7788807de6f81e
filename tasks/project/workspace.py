"""A repository on local disk: where things are in it, and what is read from it once for each command."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.errors import ConfigError
from tasks.project.cache import cache_folder
from tasks.project.files import read_text
from tasks.project.git import Git, read_git
from tasks.project.model import Project
from tasks.project.release_toml import parse_project
from tasks.project.versions import read_versions


@dataclass(frozen=True)
class Workspace:
    """A repository; `root` is the folder that holds release.toml."""

    root: Path

    @property
    def build(self) -> Path:
        """The folder of all that is made here."""
        return self.root / ".build"

    @property
    def manifest(self) -> Path:
        """What was built."""
        return self.build / "manifest.json"

    @property
    def cache(self) -> Path:
        """What need not be downloaded or built again, known by its contents and shared by all projects of this user."""
        return cache_folder()

    @property
    def digest(self) -> str:
        """16 hex digits that tell this folder from all others on the machine, for what the cache keeps for it alone."""
        return hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:16]

    @property
    def sandbox(self) -> Path:
        """Where a sandbox in the background leaves its address and key: this user's own, readable by nobody else."""
        return self.cache / "sandboxes" / self.digest

    @property
    def standing_sandbox(self) -> Path:
        """The address of a sandbox that is up; no file if none was started, or it was stopped."""
        return self.sandbox / "server.json"

    def project(self) -> Project:
        """The project that release.toml describes."""
        return parse_project(self.read("release.toml"))

    def checkout(self) -> "Checkout":
        """Everything that release.toml, VERSION and git say now."""
        project = self.project()
        found = read_versions(self.read("VERSION"), project.version_keys.values())
        versions = {name: found[key] for name, key in project.version_keys.items()}
        git = read_git(self.root, project.inputs)
        if git:  # the line endings of what is read, and not built, change nothing
            git = replace(git, endings=tuple(each for each in git.endings if each not in ("VERSION", "release.toml")))
        return Checkout(self, project, versions, git)

    def read(self, name: str) -> str:
        """A text file of the repository with its line endings as they are; ConfigError if it is missing."""
        path = self.root / name
        if not path.exists():
            keys = ", with a line KEY=1.0.0 for each version_key of release.toml" if name == "VERSION" else ""
            raise ConfigError(f"{name} not found in {self.root}; write it{keys}, or bring it back from git")
        return read_text(path, name, "put a file in its place")


@dataclass(frozen=True)
class Checkout:
    """A repository as it was read: `versions` by layer (and function, if it has one), `git` None without git."""

    workspace: Workspace
    project: Project
    versions: Mapping[str, str]
    git: Git | None

    @property
    def root(self) -> Path:
        """The repository's folder."""
        return self.workspace.root

    @property
    def untracked(self) -> list[str]:
        """Files that a build is made from and git does not track; what a link or another repository holds is theirs."""
        tracked = self.git.tracked if self.git else {}
        files = [Path(each) for each in self.project.inputs if self.git and (self.root / each).is_file()]
        return [each.as_posix() for each in files if not any(up.as_posix() in tracked for up in (each, *each.parents))]

    @property
    def commit(self) -> str:
        """The commit that is checked out: 7 hex digits, `-dirty` behind them if what is built differs, or `none`."""
        if not self.git or not self.git.commit:
            return "none"
        return self.git.commit + ("-dirty" if self.git.changed or self.git.endings or self.untracked else "")
