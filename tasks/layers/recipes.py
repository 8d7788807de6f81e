"""What goes into a layer, as a recipe: a key that stands for all its inputs, and how to get its members.

The key is found without building, downloading or asking anyone, so that an unchanged layer is never built again.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tasks.errors import BuildError
from tasks.layers.archive import Member, tree_digest
from tasks.layers.downloads import RemoteFile, fetch_all, list_files
from tasks.layers.lock import Pin, lock_path, read_lock
from tasks.layers.sdists import BUILDERS, build_wheel
from tasks.layers.sources import source_members
from tasks.layers.wheels import Wheel, best_wheel, runtime_tags, wheel_members
from tasks.release.project import Layer, Project
from tasks.release.runtimes import Runtime

__all__ = ["Recipe", "recipe_for"]

_FORMAT = 1
"""Raise this when the same inputs come to give other archives."""

_EVERYWHERE = "python/"


@dataclass(frozen=True)
class Recipe:
    """`key` stands for every input; `requirements` are the locked versions, empty for a layer of our own sources."""

    key: str
    requirements: Mapping[str, str]
    members: Callable[[], list[Member]]


def recipe_for(root: Path, project: Project, layer: Layer, cache: Path) -> Recipe:
    """The recipe of a layer of the repository at `root`. BuildError if its inputs are missing or unfit."""
    if layer.source:
        members = source_members(root / layer.source)
        return Recipe(_key(tree_digest(members)), {}, lambda: members)
    requirements = root / layer.requirements
    pins = read_lock(requirements, project.runtimes[0])
    builders = BUILDERS.read_text(encoding="utf-8")
    lines = [f"{pin}|{pin.marker}|{' '.join(sorted(pin.hashes))}" for pin in pins]
    key = _key(lines, [runtime.name for runtime in project.runtimes], project.architecture, builders)
    return Recipe(key, _versions(pins, project), partial(_pinned_members, requirements, pins, project, cache))


def _key(*inputs: object) -> str:
    return hashlib.sha256(json.dumps([_FORMAT, *inputs]).encode()).hexdigest()[:32]


def _versions(pins: Iterable[Pin], project: Project) -> dict[str, str]:
    """What the layer brings, name -> version; a name pinned differently for two runtimes has both."""
    found: dict[str, str] = {}
    for pin in pins:
        if _runtimes(pin, project):
            found[pin.name] = f"{found[pin.name]}, {pin.version}" if pin.name in found else pin.version
    return found


def _runtimes(pin: Pin, project: Project) -> tuple[Runtime, ...]:
    """The declared runtimes that need a package."""
    return tuple(runtime for runtime in project.runtimes if pin.applies(runtime, project.architecture))


def _pinned_members(requirements: Path, pins: tuple[Pin, ...], project: Project, cache: Path) -> list[Member]:
    """The members of every pinned package, each path from one package only."""
    offered = list_files(lock_path(requirements), pins, project.runtimes[0], cache)
    chosen = {pin: _choose(pin, offered[pin], project) for pin in pins}
    paths = fetch_all((file for files in chosen.values() for file in files.values()), cache)
    members: dict[str, tuple[Member, Pin]] = {}
    for pin, files in chosen.items():
        for member in _placed(files, paths, project, cache):
            if member.name in members:
                other = members[member.name][1]
                raise BuildError(f"{pin} and {other} both bring {member.name}; a layer can hold only one of them")
            members[member.name] = (member, pin)
    return [member for member, _ in members.values()]


def _choose(pin: Pin, offered: tuple[RemoteFile, ...], project: Project) -> dict[Runtime, RemoteFile]:
    """The file that serves each runtime: the wheel that fits best, or the sdist if the package has no wheel at all."""
    wheels = {file.filename: file for file in offered if file.filename.endswith(".whl")}
    sdists = [file for file in offered if file.filename not in wheels]
    chosen = {}
    for runtime in _runtimes(pin, project):
        best = best_wheel(wheels, runtime_tags(runtime, project.architecture))
        if best:
            chosen[runtime] = wheels[best]
        elif sdists and not wheels:
            chosen[runtime] = sdists[0]
        else:
            raise BuildError(
                f"{pin} has no wheel for {runtime.name} on {project.architecture} (glibc {runtime.glibc[0]}."
                f"{runtime.glibc[1]} or older) among the {len(wheels)} that are locked; require a version that has "
                "one, then run: inv lock"
            )
    return chosen


def _placed(
    files: Mapping[Runtime, RemoteFile], paths: Mapping[RemoteFile, Path], project: Project, cache: Path
) -> Iterator[Member]:
    """A package's members where each runtime finds them.

    What is the same for all runtimes goes to `python/`; what differs goes, whole, to `python/lib/python3.X/
    site-packages/` of each. Both are on Lambda's path, the latter first:
    https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html
    """
    if len(files) == len(project.runtimes) and len(set(files.values())) == 1:
        files = {project.runtimes[0]: next(iter(files.values()))}
        folders = {project.runtimes[0]: _EVERYWHERE}
    else:
        folders = {runtime: f"{_EVERYWHERE}lib/{runtime.name}/site-packages/" for runtime in files}
    for runtime, file in files.items():
        path = paths[file]
        wheel = Wheel(path) if file.filename.endswith(".whl") else build_wheel(path, cache)
        yield from wheel_members(wheel, folders[runtime])
