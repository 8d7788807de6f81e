"""Builds layers and functions' packages: made in the cache, checked alone and together, and only then given names.

Archives are kept under a key that stands for their inputs, so that what has not changed is never made again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tasks.archives import advice, manifest
from tasks.archives.archive import UNREADABLE, Span, archive_sha256, members_digest, write_archive
from tasks.archives.contents import read_distributions
from tasks.archives.downloads import check_intact
from tasks.archives.judge import check_configured, conditions_of, judge_kept, runtimes_of, tell_of_libraries
from tasks.archives.known import known_as, known_of
from tasks.archives.manifest import Archive
from tasks.archives.recipes import Recipe, recipe_for
from tasks.archives.sbom import bill_of_materials
from tasks.archives.together import check_together
from tasks.errors import BuildError, PlanError
from tasks.project import cache
from tasks.project.files import alone, file_sha256, replacing
from tasks.project.model import Layer, Project
from tasks.project.runtimes import SDK
from tasks.project.workspace import Checkout
from tasks.release import events
from tasks.release.artifacts import Artifact, Kind, top_modules
from tasks.release.codec import decode, encode
from tasks.release.events import Report, unheard

_MEGABYTE = 1_000_000


def build(checkout: Checkout, names: Iterable[str], report: Report, *, clean: bool = False) -> list[Archive]:
    """Build artifacts. Each gets its name only after all of the project were made and found to work together.

    To `clean` means that whatever else was built before is removed in the end, so that a build that fails takes nothing
    away. Another build in this folder is waited for.
    """
    # held by tests/archives/test_workshop.py
    with alone(checkout.workspace.build):
        return _build(checkout, names, report, clean=clean)


def _build(checkout: Checkout, names: Iterable[str], report: Report, *, clean: bool) -> list[Archive]:
    wanted = list(names)
    recipes = {name: recipe_for(checkout, name, report) for name in checkout.project.select("")}
    for name in wanted:
        for each in recipes[name].left_out:
            report(each)
    for text in advice.on_files(checkout):
        report(events.Noticed(text))
    made = {name: make(checkout, name, recipe, report) for name, recipe in recipes.items()}
    check_configured(checkout, list(made.values()))
    report(events.Importing(tuple(runtime.name for runtime in checkout.project.runtimes)))
    imported = check_together(checkout, list(made.values()), report)
    if not all(each.cached for each in made.values()):
        tell_of_libraries(checkout.project, list(made.values()), report)
        cache.bound(checkout.workspace.cache)
    placed = manifest.place(checkout, [made[name] for name in wanted], clean=clean)
    new, unchanged = (tuple(each.artifact for each in placed if each.cached is cached) for cached in (False, True))
    report(events.AllBuilt(new, unchanged, tuple(imported)))
    return placed


def kind_of(project: Project, name: str) -> Kind:
    """What an artifact of a project is."""
    return Kind.PACKAGE if name in project.functions else Kind.LAYER


def make_all(checkout: Checkout) -> list[Archive]:
    """Every artifact of a project, in the cache, each checked by itself and not imported; nothing is told."""
    names = checkout.project.select("")
    return [make(checkout, name, recipe_for(checkout, name), unheard) for name in names]


def make(checkout: Checkout, name: str, recipe: Recipe, report: Report) -> Archive:
    """One artifact at its version in VERSION, in the cache: made there and checked by itself if it was not yet."""
    path = checkout.workspace.cache / "archives" / f"{recipe.key}.zip"
    artifact = _cached(path, recipe)
    cached = artifact is not None
    if artifact is None:
        report(events.Building(kind_of(checkout.project, name), name, manifest.why(checkout, name, recipe)))
        if packages := {each: recipe.requirements[each] for each in SDK if each in recipe.requirements}:
            report(events.Noticed(advice.on_packages(name, packages), warning=False))
        artifact = _make(checkout, name, recipe, path)
    else:
        # held by tests/archives/test_workshop.py
        judge_kept(checkout, name, artifact, path)
    function = checkout.project.functions.get(name)
    version = checkout.versions.get(name, artifact.tree[:16])
    artifact = replace(artifact, name=name, version=version, handler=function.handler if function else "")
    _check_budget(checkout.project.layers.get(name), artifact, path)
    return Archive(artifact, path, recipe, cached)


def _cached(archive: Path, recipe: Recipe) -> Artifact | None:
    """What is in the cache under an archive's name; None if it is not there whole.

    Where the members are at hand, its note is not believed: they say which bytes it must have.
    """
    try:
        artifact, _ = decode(archive.with_suffix(".json").read_bytes(), Artifact, archive.name)
        # held by tests/archives/test_workshop.py `-> True`
        whole = file_sha256(archive) == artifact.sha256
        whole = whole and file_sha256(archive.with_suffix(".cdx.json")) == artifact.bill
        if whole and recipe.tree:
            # held by tests/archives/test_workshop.py `-> True`
            whole = (artifact.tree, artifact.sha256) == (recipe.tree, archive_sha256(recipe.members()))
    except (*UNREADABLE, PlanError):
        return None
    if not whole:
        return None
    cache.use(archive)
    return artifact


def _make(checkout: Checkout, name: str, recipe: Recipe, archive: Path) -> Artifact:
    """Write an archive and its bill of materials; it gets its name only if nothing is wrong with it."""
    from tasks.archives.checks import check_archive

    project, known = checkout.project, known_of(checkout.workspace)
    members, kind = recipe.members(), kind_of(project, name)
    tree = members_digest(members)
    runtimes, conditions = runtimes_of(project, name), conditions_of(project, name)
    keys = {each.name: known_as(each.name, each.sha256, conditions) for each in members}
    with replacing(archive) as aside:
        sha256 = write_archive(aside, members)
        check_intact((each.packed.path for each in members if isinstance(each.packed, Span)), checkout.workspace.cache)
        sound = {each for each, key in keys.items() if key in known.sound}
        check_archive(aside, f"{name}.zip", project, runtimes, kind, name, sound)
        bill = bill_of_materials(name, read_distributions(aside), tree)
    # held by tests/archives/test_workshop.py
    known.sound.update(keys.values())
    known.judged.add(known_as("archive", sha256, conditions))
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
        kind=kind,
        bill=hashlib.sha256(bill.encode()).hexdigest(),
    )
    with replacing(archive.with_suffix(".json")) as aside:
        aside.write_bytes(encode(artifact))
    return artifact


def _check_budget(layer: Layer | None, artifact: Artifact, archive: Path) -> None:
    """BuildError if a layer is larger than its budget in release.toml."""
    if layer is None:
        return
    for key, size in [("max_zipped_mb", artifact.size), ("max_unzipped_mb", artifact.unzipped)]:
        budget = getattr(layer, key)
        # held by tests/archives tests/test_build.py
        if budget and size > budget * _MEGABYTE:
            raise BuildError(
                f"{artifact} has {size / _MEGABYTE:.1f} MB, more than its budget {key} = {budget}; see what is in it "
                f"with: inv show {archive.as_posix()}, or raise the budget in release.toml"
            )
