"""inv clean, build-core, build-deps, build-functions, build, check, lock: everything that happens on local disk."""

from pathlib import Path

from invoke import Context, task

from tasks.output.console import Console
from tasks.output.lines import say
from tasks.project.command import changes, here, shows
from tasks.release.artifacts import Kind


@task(help={"cache": "empty the cache, too, which all your projects share: downloads, archives, trials"})
@changes
def clean(c: Context, cache: bool = False) -> None:
    """Remove what was built (.build/layers, .build/functions, the manifest); the cache stays unless asked for."""
    from tasks.archives import manifest
    from tasks.project.cache import empty

    workspace = here(c).workspace
    manifest.clean(workspace)
    say("[OK] Removed .build/layers, .build/functions and .build/manifest.json")
    if cache:
        say(f"[OK] Emptied the cache, {workspace.cache}: {empty(workspace.cache) / 1e6:,.1f} MB")
    say("")


@task
@changes
def build_core(c: Context) -> None:
    """Build the layers that are made of our own sources."""
    from tasks.archives import workshop

    checkout = here(c).workspace.checkout()
    workshop.build(checkout, [name for name, each in checkout.project.layers.items() if each.source], Console())


@task
@changes
def build_deps(c: Context) -> None:
    """Build the layers that are made of locked requirements."""
    from tasks.archives import workshop

    checkout = here(c).workspace.checkout()
    names = [name for name, each in checkout.project.layers.items() if each.requirements]
    workshop.build(checkout, names, Console())


@task
@changes
def build_functions(c: Context) -> None:
    """Build the packages of the functions that have a source."""
    from tasks.archives import workshop

    checkout = here(c).workspace.checkout()
    workshop.build(checkout, checkout.project.packages, Console())


@task(help={"layer": "build only this layer, leaving everything else as it is"})
@changes
def build(c: Context, layer: str = "") -> None:
    """Build everything: clean -> build-core -> build-deps -> build-functions."""
    from tasks.archives import workshop

    checkout = here(c).workspace.checkout()
    workshop.build(checkout, checkout.project.select(layer), Console(), clean=not layer)


@task(help={"file": "check this archive instead, whatever made it", "package": "it is a function's package, no layer"})
@shows
def check(c: Context, file: str = "", package: bool = False) -> None:
    """Check the built archives, or any other, for what Lambda would refuse or fail to import."""
    from tasks.archives import judge, manifest

    workspace = here(c).workspace
    if file:
        kind = Kind.PACKAGE if package else Kind.LAYER
        judge.check_file(workspace.project(), Path(file), kind, Console())
        return
    checkout = workspace.checkout()
    judge.check_built(checkout, manifest.find_built(checkout, checkout.project.select("")), Console())


@task(
    help={"upgrade": "let versions rise to the newest allowed: all of them, or only that of the package named"},
    optional=["upgrade"],
)
@changes
def lock(c: Context, upgrade: str | bool = "") -> None:
    """Pin the full closure of the requirements, with hashes, in requirements.lock."""
    from tasks.archives.lock import write_lock

    workspace = here(c).workspace
    project = workspace.project()
    options: tuple[str, ...] = ("--upgrade",) if upgrade is True else ()
    if isinstance(upgrade, str) and upgrade:
        options = ("--upgrade-package", upgrade)
    for layer in project.layers.values():
        if layer.requirements:
            path, changed = write_lock(workspace.root / layer.requirements, project.runtimes[0], options)
            say(f"[OK] Locked {layer.requirements} in {path.relative_to(workspace.root).as_posix()}")
            say(*(f"   {change}" for change in changed or ["nothing changed"]))
