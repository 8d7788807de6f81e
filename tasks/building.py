"""Builds and checks archives, saying what comes out: what `inv build` and `inv deploy` have in common."""

from collections.abc import Iterable
from pathlib import Path

from tasks import console
from tasks.errors import BuildError
from tasks.layers.checks import check_archive
from tasks.layers.contents import read_contents
from tasks.layers.together import check_together
from tasks.layers.trial import Trial
from tasks.layers.workshop import Built, build, find_built, prepare, withdraw
from tasks.layers.workspace import Workspace
from tasks.release.project import Project

__all__ = ["build_artifacts", "check_all", "check_file"]


def build_artifacts(workspace: Workspace, project: Project, names: Iterable[str]) -> list[Built]:
    """Build artifacts. Once all of the project are there they are checked together, and taken back if unfit."""
    recipes = prepare(workspace, project, names)
    done = []
    for name, recipe in recipes.items():
        console.say(f"[INFO] Building {'package' if name in project.functions else 'layer'} {name}")
        for file in recipe.untracked:
            console.say(f"[WARNING] {file} is not tracked by git, so it is left out; git add it if it belongs there")
        built = build(workspace, project, name, recipe)
        console.say_built(built.artifact, built.path.relative_to(workspace.root), cached=built.cached)
        done.append(built)
    try:
        everything = find_built(workspace, project, project.select(""))
    except BuildError:
        return done
    try:
        _say_trials(check_together(workspace, project, everything))
    except BuildError:
        withdraw(workspace, done)
        raise
    return done


def _say_trials(trials: Iterable[Trial]) -> None:
    """Print on which runtimes everything could be imported."""
    for trial in trials:
        if trial.interpreter:
            console.say(f"[OK] Imported on {trial.runtime}: {trial.modules} modules")
        else:
            console.say(f"[SKIP] Not tried on {trial.runtime}: no such Python on this machine (static checks passed)")
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
    """Check one archive of any origin as a layer for the project's runtimes."""
    check_archive(path, str(path), project.runtimes, project.architecture, layer=True)
    console.say(f"[OK] {path}: nothing wrong in {read_contents(path).unzipped:,} bytes")
