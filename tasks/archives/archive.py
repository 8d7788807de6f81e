"""Writes ZIP archives whose bytes depend on their members alone.

The standard library's zipfile cannot do that everywhere: its deflate is whatever zlib this Python was built with, and
zlib, zlib-ng and their versions compress differently. So nothing is compressed here. A wheel is itself a ZIP: its
members arrive compressed by whoever published it, its hash is pinned, and they are copied as they are (which is also
many times faster). Everything else, our own sources and what was built from an sdist, is stored.

Names are sorted, dates are 1980-01-01 (the oldest a ZIP can hold), modes are 0644 or 0755, there are no directory
entries and no extra fields. The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3 and 4.4.
"""

import hashlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import BuildError
from tasks.release.artifacts import tree_digest

STORED, DEFLATED = 0, 8

UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, OSError, EOFError, ValueError,
)  # fmt: skip
"""What zipfile raises for an archive that is damaged, encrypted or packed by a method it does not know."""

_DATE = 1 << 5 | 1
_UNIX = 3 << 8
_REGULAR_FILE = 0o100000
_UTF8_NAME = 0x800
_BLOCK = 1 << 20
_MAX_SIZE, _MAX_MEMBERS = 0xFFFFFFFF, 0xFFFF


@dataclass(frozen=True)
class Span:
    """`length` bytes of a file from `offset` on: a member still inside its wheel, or a large file of our own."""

    path: Path
    offset: int
    length: int

    def blocks(self) -> Iterator[bytes]:
        """Those bytes, piece by piece."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            left = self.length
            while left and (block := file.read(min(left, _BLOCK))):
                yield block
                left -= len(block)


@dataclass(frozen=True)
class Member:
    """One file of an archive: `sha256`, `crc` and `size` describe its contents, `packed` is how they are stored."""

    name: str
    sha256: str
    crc: int
    size: int
    packed: bytes | Span
    method: int = STORED
    executable: bool = False

    @property
    def length(self) -> int:
        """How many bytes it takes in the archive."""
        return len(self.packed) if isinstance(self.packed, bytes) else self.packed.length

    def contents(self) -> bytes:
        """What is stored, whole."""
        return self.packed if isinstance(self.packed, bytes) else b"".join(self.packed.blocks())

    @property
    def mode(self) -> int:
        """Permissions: readable by every user Lambda may run as."""
        return 0o755 if self.executable else 0o644


def stored(name: str, contents: bytes) -> Member:
    """A member that is stored as it is."""
    return Member(name, hashlib.sha256(contents).hexdigest(), zlib.crc32(contents), len(contents), contents)


def stored_file(name: str, path: Path) -> Member:
    """A member that is stored as it is; a large one is not held in memory, unless it is a Python source."""
    size = path.stat().st_size
    if size <= _BLOCK or path.suffix == ".py":
        return stored(name, path.read_bytes())
    span, digest, crc = Span(path, 0, size), hashlib.sha256(), 0
    for block in span.blocks():
        digest.update(block)
        crc = zlib.crc32(block, crc)
    return Member(name, digest.hexdigest(), crc, size, span)


def members_digest(members: Iterable[Member]) -> str:
    """The tree digest of an archive that is made of these members."""
    return tree_digest((member.name, member.mode, member.sha256) for member in members)


def write_archive(path: Path, members: Iterable[Member]) -> str:
    """Write `members` to a new archive at `path`; returns the SHA-256 (hex) of its bytes."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for block in _blocks(members):
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def archive_sha256(members: Iterable[Member]) -> str:
    """The SHA-256 (hex) that the archive of these members has."""
    digest = hashlib.sha256()
    for block in _blocks(members):
        digest.update(block)
    return digest.hexdigest()


def _blocks(members: Iterable[Member]) -> Iterator[bytes]:
    """The bytes of an archive, piece by piece. BuildError if it has more of them than a layer can hold."""
    ordered = sorted(members, key=lambda member: member.name)
    directory, offset = bytearray(), 0
    for member in ordered:
        name = member.name.encode()
        common = _common(member, name)
        yield b"PK\x03\x04" + common + name
        yield from _packed(member)
        tail = struct.pack("<3H2L", 0, 0, 0, (_REGULAR_FILE | member.mode) << 16, offset)
        directory += b"PK\x01\x02" + struct.pack("<H", _UNIX | 20) + common + tail + name
        offset += 4 + len(common) + len(name) + member.length
    if offset + len(directory) > _MAX_SIZE or len(ordered) > _MAX_MEMBERS:
        raise BuildError(f"An archive of {len(ordered)} files in {offset} bytes is more than a layer can hold")
    yield bytes(directory)
    yield b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, len(ordered), len(ordered), len(directory), offset, 0)


def _packed(member: Member) -> Iterator[bytes]:
    """The bytes of a member. BuildError if its file is not what it was when it was looked at."""
    if isinstance(member.packed, bytes):
        yield member.packed
        return
    crc, length = 0, 0
    for block in member.packed.blocks():
        crc, length = zlib.crc32(block, crc), length + len(block)
        yield block
    # held by tests/archives/test_archive.py
    # held by tests/archives/test_archive.py `member.method == STORED and crc != member.crc`
    if length != member.length or (member.method == STORED and crc != member.crc):
        raise BuildError(f"{member.packed.path} changed while it was packed; build again")


def _common(member: Member, name: bytes) -> bytes:
    """The fields that a member's local header and its directory entry share."""
    flags = 0 if name.isascii() else _UTF8_NAME
    fields = (20, flags, member.method, 0, _DATE, member.crc, member.length, member.size, len(name), 0)
    return struct.pack("<5H3L2H", *fields)
