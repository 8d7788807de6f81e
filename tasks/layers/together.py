"""What can only be said of all artifacts of a project together: whether they fit, and whether they import."""

import hashlib
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tasks.errors import BuildError
from tasks.layers.interpreters import find_interpreter
from tasks.layers.sources import read_sources
from tasks.layers.trial import Trial, try_imports, undeclared
from tasks.layers.workshop import Built
from tasks.layers.workspace import Workspace, replacing
from tasks.release.artifacts import Artifact, top_modules
from tasks.release.limits import MAX_LAYERS, MAX_UNZIPPED, hidden_modules
from tasks.release.project import Project
from tasks.release.runtimes import Runtime

__all__ = ["check_together"]


def check_together(workspace: Workspace, project: Project, built: Sequence[Built]) -> list[Trial]:
    """Check what was built side by side, and import it on each runtime; BuildError lists what is wrong."""
    layers = [each for each in built if not each.artifact.handler]
    packages = [each for each in built if each.artifact.handler]
    _check_fit([each.artifact for each in layers], [each.artifact for each in packages])
    _check_declared(workspace.root, project, [each.artifact for each in built])
    trials = []
    for runtime in project.runtimes:
        own = [each for each in packages if each.artifact.runtimes == (runtime.name,)]
        trial = _trial(workspace, project, runtime, layers, own)
        if trial.failures:
            listed = "\n".join(f"   {failure}" for failure in trial.failures)
            raise BuildError(f"Not everything can be imported on {runtime.name}; add what is missing:\n{listed}")
        trials.append(trial)
    return trials


def _check_fit(layers: Sequence[Artifact], packages: Sequence[Artifact]) -> None:
    """BuildError if a package hides a layer, or they are too many or too large for one function."""
    for package in packages:
        for module, layer in hidden_modules(package.modules, layers).items():
            raise BuildError(
                f"The package of function {package.name} holds {module}, which would hide the layer {layer} (Lambda "
                f"looks in /var/task before /opt/python); take {module} out of the function's source folder"
            )
    sizes = [layer.unzipped for layer in layers]
    largest = max((package.unzipped for package in packages), default=0)
    if len(layers) > MAX_LAYERS:
        raise BuildError(f"There are {len(layers)} layers and Lambda allows {MAX_LAYERS} on a function; join some")
    if sum(sizes) + largest > MAX_UNZIPPED:
        listed = ", ".join(f"{layer.name} {layer.unzipped:,}" for layer in layers)
        raise BuildError(
            f"The layers unpack to more than Lambda's {MAX_UNZIPPED:,} bytes together with a function: {listed}, "
            f"function {largest:,}; see what is in them with: inv show {layers[0].name}"
        )


def _check_declared(root: Path, project: Project, artifacts: Sequence[Artifact]) -> None:
    """BuildError if our own sources import what no layer brings and the runtime does not have."""
    brought = [module for artifact in artifacts for module in artifact.modules]
    folders = [layer.source for layer in project.layers.values() if layer.source]
    folders += [function.source for function in project.functions.values() if function.source]
    files = [
        root / folder / member.name
        for folder in folders
        for member in read_sources(root / folder, "").members
        if member.name.endswith(".py")
    ]
    problems = [problem.replace(f"{root}/", "") for problem in undeclared(files, brought)]
    if problems:
        listed = "\n".join(f"   {problem}" for problem in problems)
        raise BuildError(f"An import is not declared; add it to the requirements, then run: inv lock\n{listed}")


def _trial(
    workspace: Workspace, project: Project, runtime: Runtime, layers: Sequence[Built], packages: Sequence[Built]
) -> Trial:
    """Import everything on one runtime. It depends on the archives and the interpreter alone, so success is kept."""
    inputs = [runtime.name, find_interpreter(runtime), *(each.artifact.sha256 for each in [*layers, *packages])]
    key = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:32]
    note = workspace.cache / "trials" / f"{key}.json"
    if note.exists():
        return Trial(**json.loads(note.read_text(encoding="utf-8")))
    paths = [each.path for each in layers]
    trial = try_imports(runtime, paths, None, _modules(project, layers, runtime))
    for each in packages:
        more = try_imports(runtime, paths, each.path, [each.artifact.handler.rpartition(".")[0]])
        failures = tuple(f"{each.artifact.name}: {failure}" for failure in more.failures)
        trial = replace(trial, modules=trial.modules + more.modules, failures=(*trial.failures, *failures))
    if not trial.failures:
        with replacing(note) as aside:
            aside.write_text(json.dumps(asdict(trial)), encoding="utf-8")
    return trial


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
            found |= dict.fromkeys(name.removesuffix("/__init__").replace("/", ".") for name in dotted)
        else:
            found |= dict.fromkeys(top_modules(seen))
    return list(found)
