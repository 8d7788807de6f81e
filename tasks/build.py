"""inv clean, build-core, build-deps, build, lock: everything that happens on local disk."""

from invoke import Context, task

from tasks import console
from tasks.layers import workshop
from tasks.layers.lock import write_lock
from tasks.releasing import build_layers
from tasks.site import WORKSPACE

__all__ = ["build", "build_core", "build_deps", "clean", "lock"]


@task
def clean(_c: Context) -> None:
    """Remove what was built (.build/layers and the manifest); the cache stays."""
    workshop.clean(WORKSPACE)
    console.say("[OK] Removed .build/layers and .build/manifest.json", "")


@task
def build_core(_c: Context) -> None:
    """Build the layers that are made of our own sources."""
    project = WORKSPACE.project()
    build_layers(WORKSPACE, project, [name for name, layer in project.layers.items() if layer.source])


@task
def build_deps(_c: Context) -> None:
    """Build the layers that are made of locked requirements."""
    project = WORKSPACE.project()
    build_layers(WORKSPACE, project, [name for name, layer in project.layers.items() if layer.requirements])


@task(help={"layer": "build only this layer, leaving the others as they are"})
def build(c: Context, layer: str = "") -> None:
    """Build every layer: clean -> build-core -> build-deps."""
    if layer:
        project = WORKSPACE.project()
        build_layers(WORKSPACE, project, project.select(layer))
        return
    clean(c)
    build_core(c)
    build_deps(c)


@task(help={"upgrade": "let every version rise to the newest that the requirements allow"})
def lock(_c: Context, upgrade: bool = False) -> None:
    """Pin the full closure of the requirements, with hashes, in requirements.lock."""
    project = WORKSPACE.project()
    for layer in project.layers.values():
        if layer.requirements:
            options = ("--upgrade",) if upgrade else ()
            path = write_lock(WORKSPACE.root / layer.requirements, project.runtimes[0], options)
            console.say(f"[OK] Locked {layer.requirements} in {path.relative_to(WORKSPACE.root).as_posix()}")
