"""inv clean, build-core, build-deps, build-functions, build, check, lock: everything that happens on local disk."""

from pathlib import Path

from invoke import Context, task

from tasks import console
from tasks.building import build_artifacts, check_all, check_file
from tasks.layers import workshop
from tasks.layers.lock import write_lock
from tasks.site import WORKSPACE

__all__ = ["build", "build_core", "build_deps", "build_functions", "check", "clean", "lock"]


@task
def clean(_c: Context) -> None:
    """Remove what was built (.build/layers, .build/functions, the manifest); the cache stays."""
    workshop.clean(WORKSPACE)
    console.say("[OK] Removed .build/layers, .build/functions and .build/manifest.json", "")


@task
def build_core(_c: Context) -> None:
    """Build the layers that are made of our own sources."""
    project = WORKSPACE.project()
    build_artifacts(WORKSPACE, project, [name for name, layer in project.layers.items() if layer.source])


@task
def build_deps(_c: Context) -> None:
    """Build the layers that are made of locked requirements."""
    project = WORKSPACE.project()
    build_artifacts(WORKSPACE, project, [name for name, layer in project.layers.items() if layer.requirements])


@task
def build_functions(_c: Context) -> None:
    """Build the packages of the functions that have a source."""
    project = WORKSPACE.project()
    build_artifacts(WORKSPACE, project, project.packages)


@task(help={"layer": "build only this layer, leaving everything else as it is"})
def build(c: Context, layer: str = "") -> None:
    """Build everything: clean -> build-core -> build-deps -> build-functions."""
    project = WORKSPACE.project()
    names = project.select(layer)
    workshop.prepare(WORKSPACE, project, names)  # what is wrong must show before anything is removed
    if not layer:
        clean(c)
    build_artifacts(WORKSPACE, project, names)


@task(help={"file": "check this archive instead, whatever made it"})
def check(_c: Context, file: str = "") -> None:
    """Check the built archives, or any other, for what Lambda would refuse or fail to import."""
    if file:
        check_file(WORKSPACE.project(), Path(file))
    else:
        check_all(WORKSPACE, WORKSPACE.project())


@task(
    help={"upgrade": "let versions rise to the newest allowed: all of them, or only that of the package named"},
    optional=["upgrade"],
)
def lock(_c: Context, upgrade: str | bool = "") -> None:
    """Pin the full closure of the requirements, with hashes, in requirements.lock."""
    project = WORKSPACE.project()
    options: tuple[str, ...] = ("--upgrade",) if upgrade is True else ()
    if isinstance(upgrade, str) and upgrade:
        options = ("--upgrade-package", upgrade)
    for layer in project.layers.values():
        if layer.requirements:
            path, changes = write_lock(WORKSPACE.root / layer.requirements, project.runtimes[0], options)
            console.say(f"[OK] Locked {layer.requirements} in {path.relative_to(WORKSPACE.root).as_posix()}")
            console.say(*(f"   {change}" for change in changes or ["nothing changed"]))
