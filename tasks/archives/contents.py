"""Reads what is in an archive: its files, and the distributions they belong to."""

import re
import zipfile
from collections.abc import Iterable
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from tasks.archives.archive import UNREADABLE
from tasks.errors import BuildError
from tasks.project.runtimes import MAX_UNZIPPED
from tasks.release.artifacts import files_in, member_sha256, site_of
from tasks.release.contents import Contents, Distribution

_METADATA = re.compile(r"(?P<site>.*?)(?P<folder>[^/]+)\.dist-info/METADATA")
_LONGEST_LICENCE = 60
_BLOCK = 1 << 20


def read_contents(path: Path) -> Contents:
    """What is in the archive at `path`. BuildError if it is missing, no ZIP archive, damaged, or larger than a layer.

    Files are read block by block, and never more of them than a layer may hold: a ZIP of 1 MB can unpack to a thousand.
    """
    if not path.is_file():
        raise BuildError(f"{path} does not exist, or is no file; name an archive, or run: inv build")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = files_in(archive)
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MAX_UNZIPPED:
                raise BuildError(f"{path} unpacks to {unpacked:,} bytes, more than Lambda's {MAX_UNZIPPED:,}; not read")
            facts = {entry.filename: (member_sha256(archive, entry), entry.file_size) for entry in entries}
            found = _distributions(archive, entries)
    except UNREADABLE as error:
        raise BuildError(f"{path} is not a ZIP archive, is damaged or encrypted ({error}); name another") from error
    return Contents(facts, found, path.stat().st_size)


def read_distributions(path: Path) -> tuple[Distribution, ...]:
    """The distributions in an archive, of which nothing else is read. Raises what `UNREADABLE` names."""
    with zipfile.ZipFile(path) as archive:
        return _distributions(archive, files_in(archive))


def _distributions(archive: zipfile.ZipFile, entries: Iterable[zipfile.ZipInfo]) -> tuple[Distribution, ...]:
    """Every distribution with METADATA; one that lies there for several runtimes is listed once."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        if metadata := _METADATA.fullmatch(entry.filename):
            with archive.open(entry) as file:
                headers = HeaderParser().parsestr(file.read(_BLOCK).decode("utf-8", "replace"))
            key = (headers.get("Name", metadata["folder"]), headers.get("Version", ""), _licence(headers))
            runtime, _ = site_of(entry.filename)
            found.setdefault(key, []).extend([runtime] if runtime else [])
    return tuple(sorted(Distribution(*key, tuple(sorted(runtimes))) for key, runtimes in found.items()))


def _licence(headers: Message) -> str:
    """The licence in few words: the expression, the field, or the classifiers; empty if none says."""
    stated = headers.get("License-Expression") or headers.get("License") or ""
    if stated and "\n" not in stated and len(stated) <= _LONGEST_LICENCE:
        return stated.strip()
    named = (each for each in headers.get_all("Classifier", []) if each.startswith("License :: "))
    return ", ".join(each.rpartition(" :: ")[2] for each in named)
