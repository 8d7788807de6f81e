"""What goes into a layer, as a recipe: a key that stands for all its inputs, and how to get its members.

The key is found without building, downloading or asking anyone, so that an unchanged layer is never built again.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tasks.archives.archive import Member, members_digest
from tasks.archives.downloads import RemoteFile, fetch_all, list_files
from tasks.archives.known import known_of
from tasks.archives.lock import Pin, lock_path, read_lock, versions_of
from tasks.archives.sdists import BUILDERS, build_wheel
from tasks.archives.sources import hidden, read_sources
from tasks.archives.wheels import best_wheel, runtime_tags, wheel_members
from tasks.errors import BuildError
from tasks.project.model import Project
from tasks.project.runtimes import Runtime
from tasks.project.workspace import Checkout
from tasks.release.artifacts import ARCHIVES, is_allowed, site_of
from tasks.release.events import Noticed, Report, unheard

_EVERYWHERE = "python/"


@dataclass(frozen=True)
class Recipe:
    """`key` stands for every input, `requirements` are the locked versions, `sources` our own files, path -> contents.

    `tree` is the digest of what will be in the archive, where that is known beforehand.
    """

    key: str
    members: Callable[[], list[Member]]
    requirements: Mapping[str, str] = field(default_factory=dict)
    tree: str = ""
    left_out: Sequence[Noticed] = ()
    sources: Mapping[str, bytes] = field(default_factory=dict)


def recipe_for(checkout: Checkout, name: str, report: Report = unheard) -> Recipe:
    """The recipe of a layer, or of a function's package; `report` hears of downloads. BuildError for unfit inputs."""
    project, cache = checkout.project, checkout.workspace.cache
    if name in project.functions:
        function = project.functions[name]
        return _from_sources(checkout, function.source, "", [function.runtime, project.architecture], report)
    layer = project.layers[name]
    runtimes = [runtime.name for runtime in project.runtimes]
    if layer.source:
        package = layer.source.rstrip("/").rpartition("/")[2]
        # held by tests/archives tests/test_build.py `*runtimes`
        made_for = [*runtimes, project.architecture]
        return _from_sources(checkout, layer.source, f"{_EVERYWHERE}{package}/", made_for, report)
    requirements = checkout.root / layer.requirements
    pins = read_lock(requirements, project.runtimes[0])
    builders = BUILDERS.read_text(encoding="utf-8")
    lines = [f"{pin}|{pin.marker}|{' '.join(sorted(pin.hashes))}" for pin in pins]
    # held by tests/archives tests/test_build.py `runtimes` `project.architecture` `builders`
    key = _key(lines, runtimes, project.architecture, builders)
    if project.allowed:  # what was allowed then need not be now
        key = _key(key, sorted(project.allowed))
    needed = versions_of(pin for pin in pins if _runtimes(pin, project))
    return Recipe(key, partial(_pinned_members, requirements, pins, project, cache, report), needed)


def _from_sources(checkout: Checkout, source: str, prefix: str, made_for: list[str], report: Report) -> Recipe:
    """The recipe of a folder of our own; `report` hears what git ignores there once it is made."""
    known = known_of(checkout.workspace)
    members, left_out = read_sources(checkout.root, checkout.git, source, prefix, checkout.project.allowed, known)
    own = {
        f"{source}/{each.name.removeprefix(prefix)}": each.packed for each in members if isinstance(each.packed, bytes)
    }
    tree = members_digest(members)

    def make() -> list[Member]:
        for each in hidden(checkout.git, checkout.root, source):
            report(each)
        return members

    return Recipe(_key(tree, made_for), make, tree=tree, left_out=left_out, sources=own)


def _key(*inputs: object) -> str:
    return hashlib.sha256(json.dumps([ARCHIVES, *inputs]).encode()).hexdigest()[:32]


def _runtimes(pin: Pin, project: Project) -> tuple[Runtime, ...]:
    """The declared runtimes that need a package."""
    return tuple(runtime for runtime in project.runtimes if pin.applies(runtime, project.architecture))


def _pinned_members(
    requirements: Path, pins: tuple[Pin, ...], project: Project, cache: Path, report: Report
) -> list[Member]:
    """The members of every pinned package, each path from one package only."""
    offered = list_files(lock_path(requirements), pins, project.runtimes[0], cache)
    chosen = {pin: choose(pin, offered[pin], project) for pin in pins}
    paths = fetch_all((file for files in chosen.values() for file in files.values()), cache, report)
    members: dict[str, Member] = {}
    owners: dict[tuple[str, str], tuple[Pin, str]] = {}
    for pin, files in chosen.items():
        for member in _placed(files, paths, project, cache, report):
            for place in places_of(member.name, project):
                other, sha256 = owners.setdefault(place, (pin, member.sha256))
                # held by tests/archives/test_workshop.py `sha256 != member.sha256`
                if other is not pin and sha256 != member.sha256 and not is_allowed(member.name, project.allowed):
                    raise BuildError(
                        f"{pin} and {other} both bring {place[1]}, with other contents; a layer can hold only one of "
                        f'them: require one alone, or say under [allowed] why the first will do: "{place[1]}" = "..."'
                    )
            members.setdefault(member.name, member)
    return list(members.values())


def places_of(name: str, project: Project) -> list[tuple[str, str]]:
    """Each runtime that finds a file, with the path it finds it under; two files in one place hide one another."""
    own, path = site_of(name)
    return [(own, path)] if own else [(runtime.name, path) for runtime in project.runtimes]


def choose(pin: Pin, offered: tuple[RemoteFile, ...], project: Project) -> dict[Runtime, RemoteFile]:
    """The file that serves each runtime: the wheel that fits best, or the sdist if the package has no wheel at all."""
    wheels = {file.filename: file for file in offered if file.filename.endswith(".whl")}
    sdists = [file for file in offered if file.filename not in wheels]
    chosen = {}
    for runtime in _runtimes(pin, project):
        best = best_wheel(wheels, runtime_tags(runtime, project.architecture))
        if best:
            chosen[runtime] = wheels[best]
        # held by tests/archives tests/test_build.py `not wheels`
        elif sdists and not wheels:
            chosen[runtime] = sdists[0]
        elif not offered:
            raise BuildError(f"{pin}: none of its files has a locked hash; the lock was edited by hand: run: inv lock")
        else:
            raise BuildError(
                f"{pin} has no wheel for {runtime.name} on {project.architecture} (glibc {runtime.glibc[0]}."
                f"{runtime.glibc[1]} or older) among the {len(wheels)} that are locked; require a version that has "
                "one, then run: inv lock"
            )
    return chosen


def _placed(
    files: Mapping[Runtime, RemoteFile], paths: Mapping[RemoteFile, Path], project: Project, cache: Path, report: Report
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
        built = not file.filename.endswith(".whl")
        wheel = build_wheel(paths[file], cache) if built else paths[file]
        yield from wheel_members(wheel, folders[runtime], report, built=built)
