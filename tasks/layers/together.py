"""What can only be said of all artifacts of a project together: whether they fit, and whether they import."""

import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from tasks.errors import BuildError
from tasks.layers.interpreters import find_interpreter
from tasks.layers.sources import read_sources
from tasks.layers.trial import CHILD, PROVIDED, Stage, Trial, try_imports, undeclared
from tasks.layers.workshop import Built
from tasks.layers.workspace import Workspace, replacing
from tasks.release.artifacts import Artifact, top_modules
from tasks.release.limits import MAX_LAYERS, MAX_UNZIPPED, hiding
from tasks.release.project import Project
from tasks.release.runtimes import RUNTIMES, Runtime, standard_library

__all__ = ["check_together", "refuse_failures"]

_MOST_SHOWN = 10


def check_together(workspace: Workspace, project: Project, built: Sequence[Built]) -> list[Trial]:
    """Check what was built side by side, and import it on each runtime; BuildError lists what is wrong."""
    layers = [each for each in built if not each.artifact.handler]
    packages = [each for each in built if each.artifact.handler]
    _check_fit([each.artifact for each in layers], [each.artifact for each in packages])
    _check_declared(workspace.root, project, *([each.artifact for each in some] for some in (layers, packages)))
    trials = []
    for runtime in project.runtimes:
        own = [each for each in packages if each.artifact.runtimes == (runtime.name,)]
        trials.append(_trial(workspace, project, runtime, layers, own))
    refuse_failures(trials)
    return trials


def refuse_failures(trials: Iterable[Trial]) -> None:
    """BuildError if something could not be imported."""
    for trial in trials:
        if trial.failures:
            listed = "\n".join(f"   {failure}" for failure in trial.failures[:_MOST_SHOWN])
            raise BuildError(
                f"Not everything can be imported on {trial.runtime}; correct it, or add what is missing to the "
                f"requirements and run: inv lock\n{listed}"
            )


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


def _check_declared(root: Path, project: Project, layers: Sequence[Artifact], packages: Sequence[Artifact]) -> None:
    """BuildError if our own sources import what no layer brings and the runtime does not have."""
    brought = [module for layer in layers for module in layer.modules]
    problems: dict[str, None] = {}
    for artifact in [*layers, *packages]:
        source = project.functions[artifact.name].source if artifact.handler else project.layers[artifact.name].source
        members = read_sources(root / source, f"{source}/").members if source else []
        files = [member.name for member in members if member.name.endswith(".py")]
        for runtime in artifact.runtimes:
            library = standard_library(RUNTIMES[runtime], sys.stdlib_module_names)
            known = {*brought, *artifact.modules, *PROVIDED, *library}
            problems |= dict.fromkeys(undeclared(root, files, known))
    if problems:
        listed = "\n".join(f"   {problem}" for problem in problems)
        raise BuildError(f"The sources cannot run; correct them, or add what is missing and run: inv lock\n{listed}")


def _trial(
    workspace: Workspace, project: Project, runtime: Runtime, layers: Sequence[Built], packages: Sequence[Built]
) -> Trial:
    """Import everything on one runtime. Success depends on what is in `inputs` alone, so it is kept."""
    variables = {name: value.replace("{env}", "trial") for name, value in project.sandbox_variables.items()}
    stage = Stage(runtime, project.architecture, [each.path for each in layers], variables=variables)
    inputs = [
        runtime.name,
        find_interpreter(runtime, project.architecture),
        [each.artifact.sha256 for each in layers],
        [(each.artifact.sha256, each.artifact.handler) for each in packages],
        variables,
        CHILD,
        version("boto3"),
    ]
    key = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]
    note = workspace.cache / "trials" / f"{key}.json"
    if known := _read_trial(note):
        return known
    trial = try_imports(stage, _modules(project, layers, runtime))
    for each in packages:
        more = try_imports(replace(stage, package=each.path), [each.artifact.handler.rpartition(".")[0]])
        failures = tuple(f"{each.artifact.name}: {failure}" for failure in more.failures)
        trial = replace(trial, modules=trial.modules + more.modules, failures=(*trial.failures, *failures))
    if not trial.failures:
        with replacing(note) as aside:
            aside.write_text(json.dumps(asdict(trial)), encoding="utf-8")
    return trial


def _read_trial(note: Path) -> Trial | None:
    """A trial that went well before; None if there is none, or it cannot be read."""
    try:
        return Trial(**{**json.loads(note.read_text(encoding="utf-8")), "failures": ()})
    except (OSError, ValueError, TypeError):
        return None


def _modules(project: Project, layers: Sequence[Built], runtime: Runtime) -> list[str]:
    """What to import: of our own packages every module, of others the top-level ones that this runtime sees."""
    found: dict[str, None] = {}
    for each in layers:
        with zipfile.ZipFile(each.path) as archive:
            names = archive.namelist()
        other = re.compile(rf"python/lib/(?!{re.escape(runtime.name)}/)")
        seen = [name for name in names if not other.match(name)]
        if project.layers[each.artifact.name].source:
            dotted = [name.removeprefix("python/").removesuffix(".py") for name in seen if name.endswith(".py")]
            names = [name.removesuffix("/__init__").replace("/", ".") for name in dotted]
            found |= dict.fromkeys(name for name in names if not name.endswith("__main__"))
        else:
            found |= dict.fromkeys(top_modules(seen))
    return list(found)
