"""Builds layers into `.build/layers` and functions' packages into `.build/functions`, and says what is there.

What has not changed its inputs since any earlier build is taken from the cache. An archive gets its name only after
it was checked; archives and the manifest are written aside and renamed, so that a build that fails leaves nothing
half-written.
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
from tasks.release.artifacts import Artifact, artifact_from_json, top_modules
from tasks.release.project import Layer, Project

__all__ = ["Built", "build", "clean", "find_built", "prepare", "withdraw"]

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Built:
    """An archive on disk, whether it was there before, and the sources left out that git does not track."""

    artifact: Artifact
    path: Path
    cached: bool
    untracked: tuple[str, ...] = ()

    @property
    def bill(self) -> Path:
        """The bill of materials beside the archive."""
        return self.path.with_suffix(".cdx.json")


def prepare(workspace: Workspace, project: Project, names: Iterable[str]) -> dict[str, Recipe]:
    """The recipe of each artifact. Raises what is wrong with VERSION, the sources or the lock, and changes nothing."""
    workspace.versions(project)
    return {name: recipe_for(workspace.root, project, name, workspace.cache) for name in names}


def build(workspace: Workspace, project: Project, name: str, recipe: Recipe) -> Built:
    """Build one artifact at its version, note it in the manifest, and remove its archives of other versions."""
    artifact, archive, cached = _cached(workspace, project, name, recipe)
    _check_budget(project.layers.get(name), artifact)
    built = Built(artifact, _path(workspace, artifact), cached, recipe.untracked)
    for target, source in [(built.bill, archive.with_suffix(".cdx.json")), (built.path, archive)]:
        with replacing(target) as aside:
            shutil.copyfile(source, aside)
    for other in _archives(workspace, artifact):
        if other not in (built.path, built.bill):
            other.unlink()
    _write_manifest(workspace, _manifest(workspace) | {name: _entry(workspace, artifact, recipe)})
    return built


def withdraw(workspace: Workspace, built: Iterable[Built]) -> None:
    """Take back archives that turned out unfit."""
    noted = _manifest(workspace)
    for each in built:
        each.path.unlink(missing_ok=True)
        each.bill.unlink(missing_ok=True)
        noted.pop(each.artifact.name, None)
    _write_manifest(workspace, noted)


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
        raise BuildError(f"{'Layer' if kind == 'layers' else 'Package'} file not found: {missing}; run: inv build")
    artifact = artifact_from_json(entry)
    path = _path(workspace, artifact)
    shown = path.relative_to(workspace.root).as_posix()
    if not path.is_file():
        raise BuildError(f"Layer file not found: {shown}; run: inv build")
    if entry["key"] != recipe_for(workspace.root, project, name, workspace.cache).key:
        raise BuildError(f"{shown} is older than what it is built from; run: inv build")
    if file_sha256(path) != artifact.sha256:
        raise BuildError(f"{shown} is not the archive that was built; run: inv build")
    return Built(artifact, path, cached=True)


def _cached(workspace: Workspace, project: Project, name: str, recipe: Recipe) -> tuple[Artifact, Path, bool]:
    """What a recipe gives, its archive in the cache, and whether that was there; it is made and checked if need be."""
    archive = workspace.cache / "archives" / f"{recipe.key}.zip"
    facts = archive.with_suffix(".json")
    cached = facts.exists() and archive.exists()
    artifact = artifact_from_json(json.loads(facts.read_text(encoding="utf-8"))) if cached else None
    if artifact is None or file_sha256(archive) != artifact.sha256:
        artifact, cached = _make(project, name, recipe, archive), False
        with replacing(facts) as aside:
            aside.write_text(json.dumps(asdict(artifact)), encoding="utf-8")
    version = workspace.versions(project).get(name, artifact.tree[:16])
    function = project.functions.get(name)
    return replace(artifact, name=name, version=version, handler=function.handler if function else ""), archive, cached


def _make(project: Project, name: str, recipe: Recipe, archive: Path) -> Artifact:
    """Write an archive and its bill of materials; it gets its name only if nothing is wrong with it."""
    from tasks.layers.checks import check_archive
    from tasks.layers.contents import read_contents
    from tasks.layers.sbom import bill_of_materials

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
    return Artifact(
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


def _check_budget(layer: Layer | None, artifact: Artifact) -> None:
    """BuildError if a layer is larger than its budget in release.toml."""
    if layer is None:
        return
    for key, size in [("max_zipped_mb", artifact.size), ("max_unzipped_mb", artifact.unzipped)]:
        budget = getattr(layer, key)
        if budget and size > budget * _MEGABYTE:
            raise BuildError(
                f"{artifact} has {size / _MEGABYTE:.1f} MB, more than its budget {key} = {budget}; see what is in it "
                f"with: inv show {artifact.name}, or raise the budget in release.toml"
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
