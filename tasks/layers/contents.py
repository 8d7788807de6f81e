"""What is in an archive: its files, the distributions they belong to, and how two archives differ."""

import hashlib
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from tasks.errors import BuildError
from tasks.layers.archive import UNREADABLE

__all__ = ["Contents", "Difference", "Distribution", "compare", "read_contents"]

_SITE = re.compile(r"python/(?:lib/(python3\.\d+)/site-packages/)?")
_METADATA = re.compile(r"(?P<site>.*?)(?P<folder>[^/]+)\.dist-info/METADATA")
_LONGEST_LICENCE = 60


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
            top = _SITE.sub("", name, count=1).partition("/")[0]
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


def read_contents(path: Path) -> Contents:
    """What is in the archive at `path`. BuildError if it is missing, no ZIP archive, or damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            files = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    except FileNotFoundError as error:
        raise BuildError(f"{path} does not exist; name an archive, or run: inv build") from error
    except UNREADABLE as error:
        raise BuildError(f"{path} is not a ZIP archive, is damaged or encrypted ({error}); name another") from error
    facts = {name: (hashlib.sha256(contents).hexdigest(), len(contents)) for name, contents in files.items()}
    return Contents(facts, _distributions(files), path.stat().st_size)


def _distributions(files: Mapping[str, bytes]) -> tuple[Distribution, ...]:
    """Every distribution with METADATA; one that lies there for several runtimes is listed once."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for name, contents in files.items():
        if metadata := _METADATA.fullmatch(name):
            headers = HeaderParser().parsestr(contents.decode("utf-8", "replace"))
            key = (headers.get("Name", metadata["folder"]), headers.get("Version", ""), _licence(headers))
            site = _SITE.match(name)
            found.setdefault(key, []).extend([site[1]] if site and site[1] else [])
    return tuple(sorted(Distribution(*key, tuple(sorted(runtimes))) for key, runtimes in found.items()))


def _licence(headers: Message) -> str:
    """The licence in few words: the expression, the field, or the classifiers; empty if none says."""
    classifiers = [
        value.rpartition(" :: ")[2]
        for key, value in headers.items()
        if key == "Classifier" and value.startswith("License :: ")
    ]
    stated = headers.get("License-Expression") or headers.get("License") or ""
    if stated and "\n" not in stated and len(stated) <= _LONGEST_LICENCE:
        return stated.strip()
    return ", ".join(classifiers)


def compare(before: Contents, after: Contents) -> Difference:
    """What has to happen to `before` to make it `after`."""
    old, new = _versions(before), _versions(after)
    both = before.files.keys() & after.files.keys()
    return Difference(
        added=tuple(f"{name} {new[name]}" for name in sorted(new.keys() - old.keys())),
        removed=tuple(f"{name} {old[name]}" for name in sorted(old.keys() - new.keys())),
        changed=tuple(
            f"{name} {old[name]} -> {new[name]}{_direction(old[name], new[name])}"
            for name in sorted(old.keys() & new.keys())
            if old[name] != new[name]
        ),
        files_added=tuple(sorted(after.files.keys() - both)),
        files_removed=tuple(sorted(before.files.keys() - both)),
        files_changed=tuple(sorted(name for name in both if before.files[name][0] != after.files[name][0])),
        size=after.size - before.size,
        unzipped=after.unzipped - before.unzipped,
    )


def _versions(contents: Contents) -> dict[str, str]:
    return {canonicalize_name(each.name): each.version for each in contents.distributions}


def _direction(old: str, new: str) -> str:
    """A word for a version that went down; going up needs none."""
    try:
        return " (downgraded)" if Version(new) < Version(old) else ""
    except InvalidVersion:
        return ""
