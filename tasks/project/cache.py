"""What need not be downloaded or made again: where this user keeps it, what of it is ours to remove, and how much.

A variable may name any folder, so what is removed is told by its form: an entry lies in one of our folders there, and
is named after a digest. Whatever else lies there, and what lies behind a link, is left alone.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CACHE_VARIABLE = "LAMBDA_LAYERS_CACHE"
_MOST = 4_000_000_000
"""Bytes that are kept: the archives and wheels of many states of many projects."""
_DAY = 86_400
_GONE = ".gone-"
_FOLDERS = ("built", "files", "stages", "twins")
"""Where entries are folders."""
_NOTE = r"[0-9a-f]{16,64}(-\d+-[0-9a-f]{8})?\.json"
_FORMS = {
    "archives": r"[0-9a-f]{32}\.(zip|json|cdx\.json)",
    "built": r"[0-9a-f]{16}",
    "files": r"[0-9a-f]{16}",
    "interpreters": _NOTE,
    "index": r"pylock\.[0-9a-f]{16}\.toml",
    "modules": _NOTE,
    "rehearsals": _NOTE,
    "roots": _NOTE,
    "sources": _NOTE,
    "stages": r"[0-9a-f]{16}-python3\.\d+",
    "trials": _NOTE,
    "twins": r"[0-9a-f]{16}",
}
"""Folder -> what the names of its entries look like. Running sandboxes are no entries."""


def cache_folder() -> Path:
    """Where it is kept, for all projects: outside of them, and of OneDrive."""
    from platformdirs import user_cache_path

    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else user_cache_path("lambda-layers", appauthor=False)


@dataclass(frozen=True)
class Kept:
    """An entry: its files or its folder, its size in bytes, and when it was used last, in seconds."""

    paths: tuple[Path, ...]
    size: int
    used: float

    def last_used(self) -> float:
        """When it was used last, as it is now."""
        return max((path.stat().st_mtime for path in self.paths if path.exists()), default=0.0)

    def remove(self) -> None:
        """Remove it as far as that can be done; what is in use stays whole, or is no entry any more."""
        for path in self.paths:
            with suppress(OSError):
                if not path.is_dir():
                    path.unlink()
                    continue
                gone = path.with_name(f"{_GONE}{path.name.removeprefix(_GONE)}")
                path.rename(gone)  # so that what cannot be removed whole is no entry any more
                shutil.rmtree(gone, ignore_errors=True)  # which follows no link


def entries(cache: Path) -> Iterator[Kept]:
    """What is kept, told by its form."""
    for kind, form in _FORMS.items():
        folder = cache / kind
        # held by tests/project/test_cache.py `folder.is_symlink()`
        if folder.is_symlink() or not folder.is_dir():
            continue
        together: dict[str, list[Path]] = {}
        for path in folder.iterdir():
            # held by tests/project/test_cache.py `path.is_dir() == (kind in _FOLDERS)`
            # held by tests/project/test_cache.py `re.fullmatch(form, path.name.removeprefix(_GONE)) -> True`
            ours = re.fullmatch(form, path.name.removeprefix(_GONE)) and path.is_dir() == (kind in _FOLDERS)
            # held by tests/project/test_cache.py `not path.is_symlink()`
            if ours and not path.is_symlink():
                stem = path.name.partition(".")[0] if kind == "archives" else path.name
                together.setdefault(stem, []).append(path)
        for paths in together.values():
            with suppress(OSError):  # removed meanwhile
                yield Kept(tuple(paths), sum(map(_size, paths)), max(path.stat().st_mtime for path in paths))


def _size(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    if not path.is_dir():
        return path.stat().st_size
    files = (Path(place, name) for place, _, names in os.walk(path) for name in names)
    return sum(file.lstat().st_size for file in files)


def place_of(cache: Path, sha256: str, filename: str) -> Path:
    """Where a file is kept that has this digest (hex)."""
    return cache / "files" / sha256[:16] / filename


def use(path: Path) -> None:
    """Note that an entry is of use still."""
    with suppress(OSError):
        os.utime(path)


def empty(cache: Path) -> int:
    """Remove every entry; how many bytes those were."""
    found = list(entries(cache))
    for each in found:
        each.remove()
    return sum(each.size for each in found)


def bound(cache: Path, most: int = _MOST, clock: Callable[[], float] = time.time) -> None:
    """Once a day, remove what was used longest ago until a fifth is free again, but nothing of the last day."""
    note, now = cache / "bounded", clock()
    with suppress(OSError):
        if now - _DAY < note.stat().st_mtime <= now:
            return
    with suppress(OSError):  # housekeeping is no reason for a build to fail
        found = sorted(entries(cache), key=lambda each: each.used)
        total = sum(each.size for each in found)
        # held by tests/project/test_cache.py `-> most`
        goal = most if total <= most else most * 4 // 5
        for each in found:
            # held by tests/project/test_cache.py `each.last_used() < now - _DAY`
            if total > goal and each.last_used() < now - _DAY:
                each.remove()
                total -= each.size
        note.touch()
