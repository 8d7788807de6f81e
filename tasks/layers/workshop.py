"""Builds layers into `.build/layers`, and says what is there.

A layer whose inputs have not changed since any earlier build is taken from the cache. Archives and the manifest are
written aside and renamed, so that a build that fails leaves nothing half-written.
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
from tasks.layers.workspace import Workspace, file_sha256, replacing
from tasks.release.artifacts import Artifact
from tasks.release.project import Project

__all__ = ["Built", "build_layer", "clean", "find_built"]


@dataclass(frozen=True)
class Built:
    """A layer on disk: its artifact, its archive, and whether it was there before and only had to be found."""

    artifact: Artifact
    path: Path
    cached: bool


def build_layer(workspace: Workspace, project: Project, name: str) -> Built:
    """Build one layer at its version in VERSION, note it in the manifest, and remove its archives of other versions."""
    version = workspace.versions(project)[name]
    recipe = recipe_for(workspace.root, project, project.layers[name], workspace.cache)
    cached = (workspace.cache / "layers" / f"{recipe.key}.json").exists()
    artifact, archive = _artifact(workspace, project, recipe)
    artifact = replace(artifact, layer=name, version=version)
    path = workspace.layers / artifact.filename
    with replacing(path) as aside:
        shutil.copyfile(archive, aside)
    for other in workspace.layers.glob("*.zip"):
        if other != path and re.fullmatch(rf"{re.escape(name)}-\d+\.\d+\.\d+\.zip", other.name):
            other.unlink()
    _note(workspace, artifact, recipe)
    return Built(artifact, path, cached)


def clean(workspace: Workspace) -> None:
    """Remove what was built; the cache stays."""
    workspace.manifest.unlink(missing_ok=True)
    if workspace.layers.exists():
        shutil.rmtree(workspace.layers)


def find_built(workspace: Workspace, project: Project, names: Iterable[str]) -> list[Built]:
    """The layers in `.build`; BuildError unless each is what a build would give now."""
    noted, versions = _manifest(workspace), workspace.versions(project)
    return [_find(workspace, project, name, versions[name], noted.get(name, {})) for name in names]


def _find(workspace: Workspace, project: Project, name: str, version: str, entry: dict[str, Any]) -> Built:
    path = workspace.layers / f"{name}-{version}.zip"
    shown = path.relative_to(workspace.root).as_posix()
    if not path.is_file() or entry.get("version") != version:
        raise BuildError(f"Layer file not found: {shown}; run: inv build")
    if entry["key"] != recipe_for(workspace.root, project, project.layers[name], workspace.cache).key:
        raise BuildError(f"{shown} is older than what it is built from; run: inv build")
    if file_sha256(path) != entry["sha256"]:
        raise BuildError(f"{shown} is not the archive that was built; run: inv build")
    return Built(_from_json(entry), path, cached=True)


def _artifact(workspace: Workspace, project: Project, recipe: Recipe) -> tuple[Artifact, Path]:
    """What a recipe gives, with no layer or version yet, and its archive in the cache, made there if need be."""
    archive = workspace.cache / "layers" / f"{recipe.key}.zip"
    facts = archive.with_suffix(".json")
    if facts.exists() and archive.exists():
        artifact = _from_json(json.loads(facts.read_text(encoding="utf-8")))
        if archive.stat().st_size == artifact.size:
            return artifact, archive
    members = recipe.members()
    with replacing(archive) as aside:
        sha256 = write_archive(aside, members)
    artifact = Artifact(
        layer="",
        version="",
        tree=tree_digest(members),
        sha256=sha256,
        size=archive.stat().st_size,
        unzipped=sum(member.size for member in members),
        runtimes=tuple(runtime.name for runtime in project.runtimes),
        architecture=project.architecture,
    )
    with replacing(facts) as aside:
        aside.write_text(json.dumps(asdict(artifact)), encoding="utf-8")
    return artifact, archive


def _manifest(workspace: Workspace) -> dict[str, Any]:
    """What the manifest says of each layer; nothing if there is none, or if it is not ours."""
    try:
        layers: dict[str, Any] = json.loads(workspace.manifest.read_text(encoding="utf-8"))["layers"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
    return layers


def _note(workspace: Workspace, artifact: Artifact, recipe: Recipe) -> None:
    """Write an artifact into the manifest beside what it says of other layers."""
    layers = _manifest(workspace)
    layers[artifact.layer] = {**asdict(artifact), "key": recipe.key, "requirements": dict(recipe.requirements)}
    commit, _, dirty = workspace.commit().partition("-")
    noted = {"git": {"commit": commit, "clean": not dirty}, "layers": layers}
    with replacing(workspace.manifest) as aside:
        aside.write_text(json.dumps(noted, indent=2) + "\n", encoding="utf-8")


def _from_json(entry: dict[str, Any]) -> Artifact:
    fields = {name: entry[name] for name in Artifact.__dataclass_fields__}
    return Artifact(**{**fields, "runtimes": tuple(fields["runtimes"])})
