"""Builds layers into `.build/layers` and functions' packages into `.build/functions`, and says what is there.

Archives are made in the cache, under a key that stands for their inputs, so that what has not changed is never made
again. They get their names in `.build` only after they were checked; everything is written aside and renamed, so that a
build that fails leaves nothing half-written.
"""

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tasks.errors import BuildError
from tasks.layers.archive import tree_digest, write_archive
from tasks.layers.recipes import Recipe, recipe_for
from tasks.layers.sbom import bill_of_materials, serial_number
from tasks.layers.workspace import Workspace, file_sha256, replacing
from tasks.release.artifacts import Artifact, artifact_from_json, top_modules
from tasks.release.project import Layer, Project

__all__ = ["Built", "clean", "find_built", "make", "place", "prepare"]

_MEGABYTE = 1_000_000
_KINDS = {"layers": "Layer", "functions": "Package"}


@dataclass(frozen=True)
class Built:
    """An archive on disk, in the cache or in `.build`, and whether it was there before."""

    artifact: Artifact
    path: Path
    cached: bool

    @property
    def bill(self) -> Path:
        """The bill of materials beside the archive."""
        return self.path.with_suffix(".cdx.json")


def prepare(workspace: Workspace, project: Project, names: Iterable[str]) -> dict[str, Recipe]:
    """The recipe of each artifact. Raises what is wrong with VERSION, the sources or the lock, and changes nothing."""
    workspace.versions(project)
    return {name: recipe_for(workspace.root, project, name, workspace.cache) for name in names}


def make(workspace: Workspace, project: Project, name: str, recipe: Recipe) -> Built:
    """One artifact at its version in VERSION, in the cache: made there and checked by itself if it was not yet."""
    archive = workspace.cache / "archives" / f"{recipe.key}.zip"
    artifact = _cached(archive)
    cached = artifact is not None
    if artifact is None:
        artifact = _make(project, name, recipe, archive)
    function = project.functions.get(name)
    version = workspace.versions(project).get(name, artifact.tree[:16])
    artifact = replace(artifact, name=name, version=version, handler=function.handler if function else "")
    _check_budget(project.layers.get(name), artifact, archive.relative_to(workspace.root))
    return Built(artifact, archive, cached)


def place(workspace: Workspace, made: Built, recipe: Recipe) -> Built:
    """Give an artifact from the cache its name in `.build`, note it, and remove its archives of other versions."""
    built = replace(made, path=_path(workspace, made.artifact))
    for target, source in [(built.bill, made.bill), (built.path, made.path)]:
        with replacing(target) as aside:
            shutil.copyfile(source, aside)
    for other in _archives(workspace, built.artifact):
        if other not in (built.path, built.bill):
            other.unlink()
    noted = _manifest(workspace) | {built.artifact.name: _entry(workspace, built.artifact, recipe)}
    _write_manifest(workspace, noted)
    return built


def clean(workspace: Workspace) -> None:
    """Remove what was built; the cache stays."""
    workspace.manifest.unlink(missing_ok=True)
    for folder in (workspace.layers, workspace.functions):
        if folder.exists():
            shutil.rmtree(folder)


def find_built(workspace: Workspace, project: Project, names: Iterable[str]) -> list[Built]:
    """The archives in `.build`; BuildError unless each is what a build would give now."""
    noted, versions = _manifest(workspace), workspace.versions(project)
    return [_find(workspace, project, name, versions, noted.get(name)) for name in names]


def _find(
    workspace: Workspace, project: Project, name: str, versions: dict[str, str], entry: dict[str, Any] | None
) -> Built:
    """One archive in `.build`."""
    kind = "functions" if name in project.functions else "layers"
    if entry is None or entry["version"] != versions.get(name, entry["version"]):
        missing = f".build/{kind}/{name}-{versions.get(name, '*')}.zip"
        raise BuildError(f"{_KINDS[kind]} file not found: {missing}; run: inv build")
    artifact = artifact_from_json(entry)
    path = _path(workspace, artifact)
    shown = path.relative_to(workspace.root).as_posix()
    if not path.is_file():
        raise BuildError(f"{_KINDS[kind]} file not found: {shown}; run: inv build")
    if entry["key"] != recipe_for(workspace.root, project, name, workspace.cache).key:
        raise BuildError(f"{shown} is older than what it is built from; run: inv build")
    if file_sha256(path) != artifact.sha256:
        raise BuildError(f"{shown} is not the archive that was built; run: inv build")
    return Built(artifact, path, cached=True)


def _cached(archive: Path) -> Artifact | None:
    """What is in the cache under an archive's name; None if it is not there whole."""
    try:
        artifact = artifact_from_json(json.loads(archive.with_suffix(".json").read_text(encoding="utf-8")))
        bill = json.loads(archive.with_suffix(".cdx.json").read_text(encoding="utf-8"))
        whole = file_sha256(archive) == artifact.sha256 and bill["serialNumber"] == serial_number(artifact.tree)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return artifact if whole else None


def _make(project: Project, name: str, recipe: Recipe, archive: Path) -> Artifact:
    """Write an archive and its bill of materials; it gets its name only if nothing is wrong with it."""
    from tasks.layers.checks import check_archive
    from tasks.layers.contents import read_contents

    members = recipe.members()
    tree = tree_digest(members)
    runtimes = [
        each for each in project.runtimes if name in project.layers or each.name == project.functions[name].runtime
    ]
    with replacing(archive) as aside:
        sha256 = write_archive(aside, members)
        check_archive(aside, f"{name}.zip", runtimes, project.architecture, layer=name in project.layers)
        bill = bill_of_materials(name, read_contents(aside).distributions, tree)
    with replacing(archive.with_suffix(".cdx.json")) as aside:
        aside.write_text(bill, encoding="utf-8", newline="\n")
    artifact = Artifact(
        name="",
        version="",
        tree=tree,
        sha256=sha256,
        size=archive.stat().st_size,
        unzipped=sum(member.size for member in members),
        runtimes=tuple(runtime.name for runtime in runtimes),
        architecture=project.architecture,
        modules=top_modules(member.name for member in members),
    )
    with replacing(archive.with_suffix(".json")) as aside:
        aside.write_text(json.dumps(asdict(artifact)), encoding="utf-8")
    return artifact


def _check_budget(layer: Layer | None, artifact: Artifact, archive: Path) -> None:
    """BuildError if a layer is larger than its budget in release.toml."""
    if layer is None:
        return
    for key, size in [("max_zipped_mb", artifact.size), ("max_unzipped_mb", artifact.unzipped)]:
        budget = getattr(layer, key)
        if budget and size > budget * _MEGABYTE:
            raise BuildError(
                f"{artifact} has {size / _MEGABYTE:.1f} MB, more than its budget {key} = {budget}; see what is in it "
                f"with: inv show {archive.as_posix()}, or raise the budget in release.toml"
            )


def _path(workspace: Workspace, artifact: Artifact) -> Path:
    """Where an artifact's archive lies."""
    return (workspace.functions if artifact.handler else workspace.layers) / artifact.filename


def _archives(workspace: Workspace, artifact: Artifact) -> list[Path]:
    """The archives and bills of an artifact at any version."""
    ours = re.compile(rf"{re.escape(artifact.name)}-(\d+\.\d+\.\d+|[0-9a-f]{{16}})\.(zip|cdx\.json)")
    return [path for path in _path(workspace, artifact).parent.iterdir() if ours.fullmatch(path.name)]


def _entry(workspace: Workspace, artifact: Artifact, recipe: Recipe) -> dict[str, Any]:
    """What the manifest says of an artifact, and the commit it was built from."""
    commit, _, dirty = workspace.commit().partition("-")
    git = {"commit": commit, "clean": not dirty} if commit != "none" else None
    return {**asdict(artifact), "key": recipe.key, "requirements": dict(recipe.requirements), "git": git}


def _manifest(workspace: Workspace) -> dict[str, Any]:
    """What the manifest says of each artifact; nothing if there is none, or if it is not ours."""
    try:
        noted: dict[str, Any] = json.loads(workspace.manifest.read_text(encoding="utf-8"))
        entries = {name: entry for kind in ("layers", "functions") for name, entry in noted[kind].items()}
        return {name: entry for name, entry in entries.items() if entry["key"] and artifact_from_json(entry)}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_manifest(workspace: Workspace, noted: dict[str, Any]) -> None:
    """Write what is in `.build`."""
    document = {
        "layers": {name: entry for name, entry in noted.items() if not entry["handler"]},
        "functions": {name: entry for name, entry in noted.items() if entry["handler"]},
    }
    with replacing(workspace.manifest) as aside:
        aside.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
