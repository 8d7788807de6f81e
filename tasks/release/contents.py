"""What is in an archive: its files, the distributions they belong to, and how two archives differ."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.release.artifacts import site_of


@dataclass(frozen=True, order=True)
class Distribution:
    """A Python package as its METADATA describes it; `runtimes` are those it is made for, empty for all."""

    name: str
    version: str
    licence: str
    runtimes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """An archive's files (name -> SHA-256 and size in bytes), its distributions, and its own size in bytes."""

    files: Mapping[str, tuple[str, int]]
    distributions: tuple[Distribution, ...]
    size: int

    @property
    def unzipped(self) -> int:
        """Bytes once unpacked."""
        return sum(size for _, size in self.files.values())

    @property
    def packages(self) -> dict[str, int]:
        """Unpacked bytes by top-level package, the largest first."""
        sizes: dict[str, int] = {}
        for name, (_, size) in self.files.items():
            top = site_of(name)[1].partition("/")[0]
            sizes[top] = sizes.get(top, 0) + size
        return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class Difference:
    """How one archive differs from another: distributions and files, and the bytes it has grown by."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    files_added: tuple[str, ...]
    files_removed: tuple[str, ...]
    files_changed: tuple[str, ...]
    size: int
    unzipped: int

    @property
    def empty(self) -> bool:
        """Whether both hold the same files."""
        return not (self.files_added or self.files_removed or self.files_changed)


def compare(before: Contents, after: Contents) -> Difference:
    """What has to happen to `before` to make it `after`."""
    old, new = _versions(before), _versions(after)
    both = before.files.keys() & after.files.keys()
    return Difference(
        added=tuple(f"{name} {new[name]}" for name in sorted(new.keys() - old.keys())),
        removed=tuple(f"{name} {old[name]}" for name in sorted(old.keys() - new.keys())),
        changed=tuple(
            f"{name} {old[name]} -> {new[name]}" for name in sorted(old.keys() & new.keys()) if old[name] != new[name]
        ),
        files_added=tuple(sorted(after.files.keys() - both)),
        files_removed=tuple(sorted(before.files.keys() - both)),
        files_changed=tuple(sorted(name for name in both if before.files[name][0] != after.files[name][0])),
        size=after.size - before.size,
        unzipped=after.unzipped - before.unzipped,
    )


def _versions(contents: Contents) -> dict[str, str]:
    from packaging.utils import canonicalize_name

    return {canonicalize_name(each.name): each.version for each in contents.distributions}


def read_bill(text: str) -> dict[str, str]:
    """The distributions that a bill of materials lists, name -> version; none if it is no bill."""
    try:
        components = json.loads(text)["components"]
        return {str(each["name"]): str(each["version"]) for each in components}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def bill_changes(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """How one list of distributions differs from another: `requests 2.32.3 -> 2.32.4, + idna 3.1`."""
    parts = [f"{name} {old[name]} -> {new[name]}" for name in sorted(old.keys() & new.keys()) if old[name] != new[name]]
    parts += [f"+ {name} {new[name]}" for name in sorted(new.keys() - old.keys())]
    parts += [f"- {name} {old[name]}" for name in sorted(old.keys() - new.keys())]
    return ", ".join(parts) or "the same distributions"
