"""requirements.txt, and beside it requirements.lock: every package of the closure, at one version, with its hashes.

There is one lock for all runtimes: `uv pip compile --universal` writes an environment marker where runtimes differ,
which reads better in a diff than a file for each. A comment at its head says which requirements it was made from, so
that an outdated lock is noticed without asking an index.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tasks.errors import BuildError, ReleaseError
from tasks.project.files import read_text, replacing
from tasks.project.runtimes import Runtime, marker_environment
from tasks.project.uv import run_uv

_MADE_FROM = "# Written by `inv lock`; do not edit. Requirements and pins: "


@dataclass(frozen=True)
class Pin:
    """One locked package: the only version allowed, where it applies, and the SHA-256 (hex) of each of its files."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]

    def applies(self, runtime: Runtime, architecture: str) -> bool:
        """Whether the package is needed on this runtime."""
        return not self.marker or Marker(self.marker).evaluate(marker_environment(runtime, architecture))

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def lock_path(requirements: Path) -> Path:
    """The lock beside a requirements file."""
    return requirements.with_suffix(".lock")


def write_lock(requirements: Path, runtime: Runtime, options: tuple[str, ...] = ()) -> tuple[Path, list[str]]:
    """Resolve the requirements for `runtime` and everything later; pins in the present lock are kept if they can be.

    Returns the lock, and what has changed in it as lines. BuildError if `options` name a package to upgrade that is
    not in the lock.
    """
    wanted = _requirements(requirements)
    lock = lock_path(requirements)
    before = _pinned(lock)
    if options[:1] == ("--upgrade-package",) and canonicalize_name(options[1]) not in before:
        raise BuildError(f"{lock.name} has no {options[1]}; name one of: {', '.join(before) or 'none, it is empty'}")
    with replacing(lock) as aside:
        if lock.exists():
            aside.write_bytes(lock.read_bytes())
        run_uv(
            ["pip", "compile", requirements.name, "--universal", "--python-version", runtime.full_version],
            ["--generate-hashes", "--no-header", "--output-file", str(aside.resolve()), *options],
            folder=requirements.parent,
        )
        resolved = aside.read_text(encoding="utf-8")
        head = f"{_MADE_FROM}{_fingerprint(wanted, runtime)}, {_digest(_pins(resolved, lock))}\n"
        aside.write_text(head + resolved, encoding="utf-8", newline="\n")
    after = _pinned(lock)
    return lock, changed_pins(before, after)


def changed_pins(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What differs between two states of a lock, name -> versions, as lines."""
    changed = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    return [f"{name} {before.get(name, '(new)')} -> {after.get(name, '(gone)')}" for name in changed]


def versions_of(pins: Iterable[Pin]) -> dict[str, str]:
    """Name -> version; a name that is pinned differently for two runtimes has both."""
    found: dict[str, str] = {}
    for pin in pins:
        found[pin.name] = f"{found[pin.name]}, {pin.version}" if pin.name in found else pin.version
    return found


def _pinned(lock: Path) -> dict[str, str]:
    """What a lock pins, name -> versions; nothing if there is none, or it cannot be read."""
    try:
        return versions_of(_pins(_text(lock), lock))
    except ReleaseError:
        return {}


def read_lock(requirements: Path, runtime: Runtime) -> tuple[Pin, ...]:
    """The pins of the lock, in its order. BuildError unless it was made from these requirements for this runtime."""
    wanted, lock = _requirements(requirements), lock_path(requirements)
    if not lock.is_file():
        raise BuildError(f"Requirements are not locked: {lock} not found; run: inv lock")
    text = _text(lock)
    made_from, _, digest = text.partition("\n")[0].strip().removeprefix(_MADE_FROM).partition(", ")
    if made_from != _fingerprint(wanted, runtime):
        raise BuildError(f"{lock} is out of date: {requirements.name} or the runtimes have changed; run: inv lock")
    pins = read_pins(lock)
    for requirement in wanted:
        _check_satisfied(requirement, pins, lock)
    if digest != _digest(pins):
        raise BuildError(f"{lock} was edited by hand, so it may miss what a package needs; run: inv lock")
    return pins


def read_pins(lock: Path) -> tuple[Pin, ...]:
    """Return the pins of a lock, whatever it was made from."""
    return tuple(_pins(_text(lock), lock))


def _requirements(path: Path) -> list[Requirement]:
    """The direct requirements."""
    if not path.is_file():
        raise BuildError(f"Requirements file not found: {path}; check `requirements` in release.toml")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in _text(path).removeprefix("\ufeff").splitlines())
    return [_requirement(line, path) for line in lines if line]


def _text(path: Path) -> str:
    return read_text(path, str(path), "save it as UTF-8 text, or run: inv lock")


def _requirement(line: str, path: Path) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise BuildError(f"{path}: {line!r} is not a requirement such as requests>=2.32; correct it") from error


def _fingerprint(requirements: list[Requirement], runtime: Runtime) -> str:
    """What a lock depends on, in 16 hex digits; comments, order and line endings do not matter."""
    lines = sorted(f"{canonicalize_name(item.name)}|{item}" for item in requirements)
    return hashlib.sha256("\n".join([runtime.full_version, *lines]).encode()).hexdigest()[:16]


def _digest(pins: Iterable[Pin]) -> str:
    """What the lock pins, in 16 hex digits, so that a line that was lost or changed is noticed."""
    lines = [f"{pin}|{pin.marker}|{sorted(pin.hashes)}" for pin in pins]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _pins(text: str, lock: Path) -> Iterator[Pin]:
    """Each `name==version ; marker --hash=sha256:... --hash=...` of the lock."""
    logical = re.sub(r"\\\r?\n", " ", re.sub(r"(?m)^\s*#.*$", "", text))
    for line in filter(None, map(str.strip, logical.splitlines())):
        head, *hashes = re.split(r"\s+--hash=sha256:", line)
        requirement = _requirement(head, lock)
        version = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
        if not version or not hashes or not all(re.fullmatch("[0-9a-f]{64}", digest) for digest in hashes):
            raise BuildError(f"{lock}: {head!r} is not pinned with sha256 hashes; run: inv lock")
        yield Pin(canonicalize_name(requirement.name), version[1], str(requirement.marker or ""), frozenset(hashes))


def _check_satisfied(requirement: Requirement, pins: tuple[Pin, ...], lock: Path) -> None:
    """BuildError if a direct requirement has no pin, or one that it does not allow."""
    named = [pin for pin in pins if pin.name == canonicalize_name(requirement.name)]
    if not named and not requirement.marker:
        raise BuildError(f"{lock} has no {requirement.name}; run: inv lock")
    for pin in named:
        if not requirement.specifier.contains(pin.version, prereleases=True):
            raise BuildError(f"{lock} pins {pin}, but {requirement} is required; run: inv lock")
