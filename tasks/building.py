"""Builds and checks archives, saying what comes out: what `inv build` and `inv deploy` have in common."""

from collections.abc import Iterable
from pathlib import Path

from tasks import console
from tasks.layers.checks import check_archive
from tasks.layers.contents import read_contents
from tasks.layers.together import check_together, refuse_failures
from tasks.layers.trial import Stage, Trial, try_imports
from tasks.layers.workshop import Built, find_built, make, place, prepare
from tasks.layers.workspace import Workspace
from tasks.release.artifacts import top_modules
from tasks.release.project import Project

__all__ = ["build_artifacts", "check_all", "check_file"]


def build_artifacts(workspace: Workspace, project: Project, names: Iterable[str]) -> list[Built]:
    """Build artifacts. Each gets its name only after all of the project were made and found to work together."""
    wanted = list(names)
    recipes = prepare(workspace, project, project.select(""))
    made = {}
    for name, recipe in recipes.items():
        if name in wanted:
            console.say(f"[INFO] Building {'package' if name in project.functions else 'layer'} {name}")
            for file in recipe.untracked:
                console.say(f"[WARNING] {file} is left out: git does not track it; git add it, or ignore or remove it")
        made[name] = make(workspace, project, name, recipe)
    _say_trials(check_together(workspace, project, list(made.values())))
    built = []
    for name in wanted:
        built.append(place(workspace, made[name], recipes[name]))
        console.say_built(built[-1].artifact, built[-1].path.relative_to(workspace.root), cached=built[-1].cached)
    return built


def _say_trials(trials: Iterable[Trial]) -> None:
    """Print on which runtimes everything could be imported."""
    for trial in trials:
        if trial.interpreter:
            console.say(f"[OK] Imported on {trial.runtime}: {trial.modules} modules")
        else:
            console.say(f"[SKIP] Not tried on {trial.runtime}: no such Python for Linux here (other checks passed)")
    console.say()


def check_all(workspace: Workspace, project: Project) -> None:
    """Check every archive in `.build`, alone and together."""
    built = find_built(workspace, project, project.select(""))
    for each in built:
        runtimes = [runtime for runtime in project.runtimes if runtime.name in each.artifact.runtimes]
        shown = each.path.relative_to(workspace.root).as_posix()
        check_archive(each.path, shown, runtimes, project.architecture, layer=not each.artifact.handler)
        console.say(f"[OK] {shown}: nothing wrong in {each.artifact.unzipped:,} bytes")
    _say_trials(check_together(workspace, project, built))


def check_file(project: Project, path: Path) -> None:
    """Check one archive of any origin: a function's package if it lies in `.build/functions`, else a layer."""
    layer = path.parent.name != "functions"
    check_archive(path, str(path), project.runtimes, project.architecture, layer=layer)
    contents = read_contents(path)
    console.say(f"[OK] {path}: nothing wrong in {contents.unzipped:,} bytes")
    if layer:
        trials = [
            try_imports(Stage(runtime, project.architecture, [path]), top_modules(contents.files))
            for runtime in project.runtimes
        ]
        refuse_failures(trials)
        _say_trials(trials)
