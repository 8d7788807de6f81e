"""What lies in `.build`: archives with their names, their bills of materials, and the manifest that says what they are.

Everything is written aside and renamed, so that a build that fails leaves nothing half-written.
"""

import re
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tasks.archives.archive import UNREADABLE
from tasks.archives.lock import changed_pins
from tasks.archives.recipes import Recipe, recipe_for
from tasks.errors import BuildError, PlanError
from tasks.project.files import alone, file_sha256, remove, replacing
from tasks.project.workspace import Checkout, Workspace
from tasks.release.artifacts import Artifact, Kind
from tasks.release.codec import decode, encode

# held by tests/archives tests/test_build.py `-> '-.*'`
_VERSIONED = r"-(\d+\.\d+\.\d+|[0-9a-f]{16})\.(zip|cdx\.json)"
"""How the name of an archive, or of its bill, goes on after that of its artifact."""


_NAMED = 3
"""How many changes are named when it is said why something is built."""


@dataclass(frozen=True)
class Archive:
    """An archive on disk, in the cache or in `.build`, what it is made from, and whether it was there before."""

    artifact: Artifact
    path: Path
    recipe: Recipe
    cached: bool

    @property
    def bill(self) -> Path:
        """The bill of materials beside the archive."""
        return self.path.with_suffix(".cdx.json")


@dataclass(frozen=True)
class Entry:
    """What the manifest says of an artifact: what it is, the key of its inputs, the commit it was built from."""

    artifact: Artifact
    key: str
    commit: str
    requirements: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """Everything in `.build`, by name."""

    entries: Mapping[str, Entry] = field(default_factory=dict)


def place(checkout: Checkout, made: Iterable[Archive], *, clean: bool = False) -> list[Archive]:
    """Give archives from the cache their names in `.build`, note them, and remove those of other versions.

    To `clean` removes everything else that was built, too.
    """
    before = read_manifest(checkout.workspace)
    placed, entries = [], {} if clean else dict(before.entries)
    for each in made:
        archive = replace(each, path=path_of(checkout.workspace, each.artifact))
        for target, source, sha256 in [
            (archive.bill, each.bill, each.artifact.bill),
            (archive.path, each.path, each.artifact.sha256),
        ]:
            if not (target.is_file() and not target.is_symlink() and file_sha256(target) == sha256):
                with replacing(target) as aside:
                    shutil.copyfile(source, aside)
        recipe = archive.recipe
        entries[archive.artifact.name] = Entry(archive.artifact, recipe.key, checkout.commit, recipe.requirements)
        placed.append(archive)
    if Manifest(entries) != before:
        with replacing(checkout.workspace.manifest) as aside:
            aside.write_bytes(encode(Manifest(entries)))
    named = {path for each in placed for path in (each.path, each.bill)}
    ours = [re.escape(each.artifact.name) + _VERSIONED for each in placed]
    for path in _everything(checkout.workspace):
        if path not in named and (clean or re.fullmatch("|".join(ours), path.name)):
            remove(path)
    return placed


def clean(workspace: Workspace) -> None:
    """Remove what was built, and nothing else that may lie there; the cache stays."""
    with alone(workspace.build):
        for path in (*_everything(workspace), workspace.manifest):
            remove(path)
        for kind in Kind:
            with suppress(OSError):  # not empty, or not there
                (workspace.build / kind.folder).rmdir()


def find_built(checkout: Checkout, names: Iterable[str]) -> list[Archive]:
    """The archives in `.build`; BuildError unless each is what a build would give now."""
    manifest = read_manifest(checkout.workspace)
    return [_find(checkout, name, manifest.entries.get(name)) for name in names]


def _find(checkout: Checkout, name: str, entry: Entry | None) -> Archive:
    """One archive in `.build`."""
    version = checkout.versions.get(name)
    kind = Kind.PACKAGE if name in checkout.project.functions else Kind.LAYER
    if entry is None or entry.artifact.version != (version or entry.artifact.version):
        missing = f".build/{kind.folder}/{name}-{version or '*'}.zip"
        raise BuildError(f"{kind.word} file not found: {missing}; run: inv build")
    path = path_of(checkout.workspace, entry.artifact)
    shown = path.relative_to(checkout.root).as_posix()
    if not path.is_file():
        raise BuildError(f"{kind.word} file not found: {shown}; run: inv build")
    recipe = recipe_for(checkout, name)
    if entry.key != recipe.key:
        raise BuildError(f"{shown} is older than what it is built from; run: inv build")
    # held by tests/archives tests/test_build.py
    if file_sha256(path) != entry.artifact.sha256:
        raise BuildError(f"{shown} is not the archive that was built; run: inv build")
    return Archive(entry.artifact, path, recipe, cached=True)


def why(checkout: Checkout, name: str, recipe: Recipe) -> str:
    """What has changed since an artifact was built here, in a few words."""
    entry = read_manifest(checkout.workspace).entries.get(name)
    if entry is None:
        return "none is built here"
    if entry.key == recipe.key:
        return "the one that was kept is gone or damaged"
    changed = changed_pins(entry.requirements, recipe.requirements)
    if recipe.sources:
        changed = _changed_sources(path_of(checkout.workspace, entry.artifact), recipe)
    more = f" and {len(changed) - _NAMED} more" if changed[_NAMED:] else ""
    return f"changed: {', '.join(changed[:_NAMED])}{more}" if changed else "its lock or release.toml changed"


def _changed_sources(built: Path, recipe: Recipe) -> list[str]:
    """The files of our own that are not what they are in the archive that was built before, below python/."""
    try:
        with zipfile.ZipFile(built) as archive:
            before = {each.filename: (each.CRC, each.external_attr >> 16 & 0o777) for each in archive.infolist()}
    except UNREADABLE:
        return []
    after = {member.name: (member.crc, member.mode) for member in recipe.members()}
    changed = sorted(each for each in before.keys() | after.keys() if before.get(each) != after.get(each))
    return [each.removeprefix("python/") for each in changed]


def path_of(workspace: Workspace, artifact: Artifact) -> Path:
    """Where an artifact's archive lies in `.build`."""
    return workspace.build / artifact.key


def _everything(workspace: Workspace) -> list[Path]:
    """The archives and bills where this tool puts them: what lies behind a link is not ours to remove."""
    ours = re.compile("[a-z0-9-]+" + _VERSIONED)
    folders = [workspace.build / kind.folder for kind in Kind]
    folders = [each for each in folders if each.is_dir() and not each.is_symlink()]
    found = [path for folder in folders for path in folder.iterdir() if ours.fullmatch(path.name)]
    return [path for path in found if path.is_file() and not path.is_symlink()]


def read_manifest(workspace: Workspace) -> Manifest:
    """What is in `.build`; nothing if there is no manifest, or it is not ours."""
    try:
        return decode(workspace.manifest.read_bytes(), Manifest, "The manifest")[0]
    except (FileNotFoundError, PlanError):
        return Manifest()
