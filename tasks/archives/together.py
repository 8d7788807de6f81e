"""What can only be said of all artifacts of a project together: whether they fit, and whether they import."""

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from tasks.archives.advice import on_failure
from tasks.archives.handlers import check_modules, check_untried, module_of
from tasks.archives.imports import undeclared
from tasks.archives.known import known_of
from tasks.archives.manifest import Archive
from tasks.archives.recipes import places_of
from tasks.archives.stage import Stage
from tasks.archives.trial import CHILD, try_imports
from tasks.errors import BuildError, PlanError, listed
from tasks.jobs import results
from tasks.project.files import replacing
from tasks.project.git import ignored_files
from tasks.project.interpreters import find_interpreter, runs_here
from tasks.project.model import Project
from tasks.project.runtimes import MAX_LAYERS, MAX_UNZIPPED, PROVIDED, RUNTIMES, Runtime, standard_library
from tasks.project.workspace import Checkout
from tasks.release.artifacts import Artifact, Kind, is_allowed, site_of, top_modules
from tasks.release.codec import decode, encode
from tasks.release.events import Imported, Report, unheard
from tasks.release.limits import hiding


def check_together(checkout: Checkout, built: Sequence[Archive], report: Report = unheard) -> list[Imported]:
    """Check what was built side by side, and import it on each runtime; BuildError lists what is wrong."""
    layers = [each for each in built if each.artifact.kind is Kind.LAYER]
    packages = [each for each in built if each.artifact.kind is Kind.PACKAGE]
    _check_fit([each.artifact for each in layers], [each.artifact for each in packages])
    _check_one_tree(checkout.project, layers)
    check_modules(checkout.project, packages, layers)
    checks: list[Callable[[], Imported | None]] = [partial(_check_declared, checkout, layers, packages)]
    for runtime in checkout.project.runtimes:
        own = [each for each in packages if each.artifact.runtimes == (runtime.name,)]
        checks.append(partial(_trial, checkout, runtime, layers, own, report))
    _, *trials = results(checks)
    theirs = [module for each in layers if each.recipe.requirements for module in each.artifact.modules]
    foreign = {module.partition(".")[0] for module in theirs}
    ours = [each.source for each in checkout.project.layers.values()]
    ours += [each.source for each in checkout.project.functions.values()]
    refuse_failures(trials, foreign, lambda: ignored_files(checkout.root, filter(None, ours)))
    check_untried(checkout.project, packages, [each.runtime for each in trials if each.modules])
    return trials


def refuse_failures(
    trials: list[Imported], foreign: Container[str] = (), ignored: Callable[[], Iterable[str]] = tuple
) -> list[Imported]:
    """The trials; BuildError, with a remedy for each, if something could not be imported."""
    for trial in trials:
        if trial.failures:
            hidden = ignored()
            remedies = {each: on_failure(each, trial.runtime, foreign, hidden) for each in trial.failures}
            alike = set(remedies.values())
            # held by tests/archives/test_together.py
            if len(alike) == 1:
                raise BuildError(
                    listed(f"Not everything can be imported on {trial.runtime}; {alike.pop()}:", list(remedies))
                )
            lines = [f"{failure}\n      {remedy}" for failure, remedy in remedies.items()]
            raise BuildError(listed(f"Not everything can be imported on {trial.runtime}:", lines))
    return trials


def _check_fit(layers: Sequence[Artifact], packages: Sequence[Artifact]) -> None:
    """BuildError if a package hides a layer, or they are too many or too large for one function."""
    if reason := hiding(packages, layers):
        raise BuildError(reason)
    sizes = [layer.unzipped for layer in layers]
    largest = max((package.unzipped for package in packages), default=0)
    if len(layers) > MAX_LAYERS:
        raise BuildError(f"There are {len(layers)} layers and Lambda allows {MAX_LAYERS} on a function; join some")
    if sum(sizes) + largest > MAX_UNZIPPED:
        listed = ", ".join(f"{layer.name} {layer.unzipped:,}" for layer in layers)
        raise BuildError(
            f"The layers unpack to more than Lambda's {MAX_UNZIPPED:,} bytes together with a function: {listed}, "
            f"function {largest:,}; make one of them smaller"
        )


def _check_one_tree(project: Project, layers: Sequence[Archive]) -> None:
    """BuildError if two layers bring one file with other contents: on Lambda all layers are one tree, and would mix."""
    owners: dict[tuple[str, str], tuple[str, int]] = {}
    mixed: dict[str, str] = {}
    for each in layers:
        with zipfile.ZipFile(each.path) as archive:
            found = [(entry.filename, entry.CRC) for entry in archive.infolist() if not entry.is_dir()]
        for name, crc in found:
            for place in places_of(name, project):
                other, before = owners.setdefault(place, (each.artifact.name, crc))
                if other != each.artifact.name and before != crc and not is_allowed(name, project.allowed):
                    mixed.setdefault(place[1].partition("/")[0], f"{other} and {each.artifact.name}: {place[1]}")
    # held by tests/archives/test_together.py
    if mixed:
        head = (
            "All layers of a function are one tree on Lambda, and these files would be mixed; keep each package in one "
            "layer, at one version, or say under [allowed] why it is harmless:"
        )
        raise BuildError(listed(head, list(mixed.values())))


def _check_declared(checkout: Checkout, layers: Sequence[Archive], packages: Sequence[Archive]) -> None:
    """BuildError if our own sources import what no layer brings and the runtime does not have."""
    brought = [module for layer in layers for module in layer.artifact.modules]
    problems: dict[str, None] = {}
    known = known_of(checkout.workspace)
    libraries = {name: standard_library(RUNTIMES[name], sys.stdlib_module_names) for name in RUNTIMES}
    for each in [*layers, *packages]:
        there = {*(module.partition(".")[0] for module in (*brought, *each.artifact.modules)), *PROVIDED}
        runtimes = [there | libraries[runtime] for runtime in each.artifact.runtimes]
        problems |= dict.fromkeys(undeclared(each.recipe.sources, runtimes, known))
    known.save()
    if problems:
        head = "The sources cannot run; correct them, or add what is missing and run: inv lock"
        raise BuildError(listed(head, list(problems)))


def _trial(
    checkout: Checkout, runtime: Runtime, layers: Sequence[Archive], packages: Sequence[Archive], report: Report
) -> Imported:
    """Import everything on one runtime. Success depends on what is in `inputs` alone, so it is kept."""
    project = checkout.project
    variables = {name: value.replace("{env}", "trial") for name, value in project.sandbox_variables.items()}
    stage = Stage(
        runtime,
        project.architecture,
        [each.path for each in layers],
        variables=variables,
        locks=[checkout.root / lock for lock in project.locks],
        folder=checkout.workspace.cache / "stages" / f"{checkout.workspace.digest}-{runtime.name}",
        report=report,
    )
    # held by tests/archives tests/test_build.py `[(each.artifact.sha256, each.artifact.handler) for each in packages]`
    inputs = [
        runtime.name,
        find_interpreter(runtime),
        [project.architecture, runs_here(project.architecture)],
        [each.artifact.sha256 for each in layers],
        [(each.artifact.sha256, each.artifact.handler) for each in packages],
        variables,
        CHILD,
        version("boto3"),
    ]
    key = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]
    note = checkout.workspace.cache / "trials" / f"{key}.json"
    if known := _read_trial(note):
        return known
    trials = [try_imports(stage, modules_of(project, layers, runtime)), *(_begin(stage, each) for each in packages)]
    failures = tuple(failure for each in trials for failure in each.failures)
    trial = replace(trials[0], modules=sum(each.modules for each in trials), failures=failures)
    if all_well(trials):
        with replacing(note) as aside:
            aside.write_bytes(encode(trial))
    return trial


def _begin(stage: Stage, package: Archive) -> Imported:
    """Import where a function begins, as far as its handler's function."""
    begins = replace(stage, package=package.path, handler=package.artifact.handler)
    trial = try_imports(begins, [module_of(begins.handler)])
    return replace(trial, failures=tuple(f"{package.artifact.name}: {failure}" for failure in trial.failures))


def all_well(trials: Sequence[Imported]) -> bool:
    """Whether each could be tried, and everything was imported: what could not be tried is tried again next time."""
    return all(each.modules and not each.failures for each in trials)


def _read_trial(note: Path) -> Imported | None:
    """A trial that went well before; None if there is none, or it cannot be read."""
    try:
        return decode(note.read_bytes(), Imported, note.name)[0]
    except (OSError, PlanError):
        return None


def modules_of(project: Project, layers: Sequence[Archive], runtime: Runtime) -> list[str]:
    """What to import: of our own packages every module, of others the top-level ones that this runtime sees."""
    found: dict[str, None] = {}
    for each in layers:
        with zipfile.ZipFile(each.path) as archive:
            names = archive.namelist()
        seen = [name for name in names if site_of(name)[0] in {"", runtime.name}]
        if project.layers[each.artifact.name].source:
            dotted = [site_of(name)[1].removesuffix(".py") for name in seen if name.endswith(".py")]
            names = [name.removesuffix("/__init__").replace("/", ".") for name in dotted]
            found |= dict.fromkeys(name for name in names if not name.endswith("__main__"))
        else:
            found |= dict.fromkeys(module.partition(".")[0] for module in top_modules(seen))
    return list(found)
