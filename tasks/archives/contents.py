"""Reads what is in an archive: its files, and the distributions they belong to."""

import hashlib
import re
import zipfile
from collections.abc import Mapping
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from tasks.archives.archive import UNREADABLE
from tasks.errors import BuildError
from tasks.release.contents import Contents, Distribution

_SITE = re.compile(r"python/(?:lib/(python3\.\d+)/site-packages/)?")
_METADATA = re.compile(r"(?P<site>.*?)(?P<folder>[^/]+)\.dist-info/METADATA")
_LONGEST_LICENCE = 60


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
