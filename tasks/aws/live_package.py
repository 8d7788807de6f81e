"""Looks into the package that a function runs, without downloading it.

A ZIP's directory of names is at its end (APPNOTE.TXT 4.3.6), and the presigned address that GetFunction gives takes
range requests, so two short reads are enough for a package of any size.
"""

import http.client
import json
import struct
from contextlib import suppress

from tasks.project.cache import cache_folder
from tasks.project.files import replacing
from tasks.project.web import open_url
from tasks.release.artifacts import top_modules

_TAIL = 65_557
"""Bytes: the end record with the longest comment it may have."""
_PATIENCE = 20


def modules_of(package: str, location: str) -> tuple[str, ...]:
    """The top-level modules of a package by its SHA-256 (hex), looked into once and then known."""
    note = cache_folder() / "roots" / f"{package}.json"
    try:
        return tuple(map(str, json.loads(note.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError, RecursionError):
        found = live_modules(location)
    if found:
        with suppress(OSError), replacing(note) as aside:
            aside.write_text(json.dumps(found), encoding="utf-8")
    return found


def live_modules(location: str) -> tuple[str, ...]:
    """The top-level modules of the package at a presigned address; none if it cannot be read, which is no error."""
    try:
        tail = _read(location, f"bytes=-{_TAIL}")
        start, size = _directory(tail)
        return top_modules(names_in_directory(_read(location, f"bytes={start}-{start + size - 1}")))
    except (http.client.HTTPException, OSError, ValueError, struct.error):  # URLError is an OSError
        return ()


def names_in_directory(directory: bytes) -> list[str]:
    """The file names in a ZIP's central directory."""
    names, at = [], 0
    while directory[at : at + 4] == b"PK\x01\x02":
        name, extra, comment = struct.unpack_from("<3H", directory, at + 28)
        names.append(directory[at + 46 : at + 46 + name].decode("utf-8", "replace"))
        at += 46 + name + extra + comment
    return names


def _directory(tail: bytes) -> tuple[int, int]:
    """Where the central directory begins, and its size. ValueError if this is not the end of a ZIP."""
    end = tail.rindex(b"PK\x05\x06")
    size, start = struct.unpack_from("<2L", tail, end + 12)
    return start, size


def _read(location: str, span: str) -> bytes:
    with open_url(location, _PATIENCE, Range=span) as answer:
        contents: bytes = answer.read()
        return contents
