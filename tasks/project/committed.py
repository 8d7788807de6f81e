"""Compares files with what a commit holds of them, byte by byte, as git itself names contents."""

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FILES = ("100644", "100755")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Committed:
    """A file in a commit, or in the index: its mode, and git's name of its contents (SHA-1 or SHA-256, hex)."""

    mode: str
    blob: str


def differences(
    root: Path, committed: Mapping[str, Committed], known: Mapping[str, Committed], *, has_modes: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files that are not what the commit holds, and those that differ in line endings alone.

    `known` are the files in the index: others are not built from.
    """
    changed, endings = [], []
    for name in sorted(committed.keys() | known.keys()):
        wanted, here = committed.get(name), known.get(name)
        verdict = _compare(root / name, wanted, here, has_modes) if wanted and here else "changed"
        changed += [name] if verdict == "changed" else []
        endings += [name] if verdict == "endings" else []
    return tuple(changed), tuple(endings)


def _compare(path: Path, wanted: Committed, here: Committed, has_modes: bool) -> str:
    """What is to be said of a file that both have: nothing, that its line endings differ, or that it is changed."""
    if wanted.mode not in _FILES or here.mode not in _FILES:  # a link, or another repository
        return "" if wanted == here else "changed"
    try:
        facts = path.lstat()
        mode = ("100755" if facts.st_mode & 0o100 else "100644") if has_modes else here.mode
        # held by tests/project/test_committed.py `mode != wanted.mode`
        if mode != wanted.mode or not stat.S_ISREG(facts.st_mode):
            return "changed"
        found = _blob_of(path, facts.st_size, wanted.blob)
    except OSError:  # it is gone
        return "changed"
    if found == wanted.blob:
        return ""
    contents = path.read_bytes()
    if _name(_pointer(contents), wanted.blob) == wanted.blob:
        return ""
    same = b"\r\n" in contents and _name(contents.replace(b"\r\n", b"\n"), wanted.blob) == wanted.blob
    return "endings" if same else "changed"


def _blob_of(path: Path, size: int, like: str) -> str:
    """Git's name of a file's contents, read block by block."""
    digest = hashlib.new("sha1" if len(like) == hashlib.sha1().digest_size * 2 else "sha256", usedforsecurity=False)  # noqa: S324
    digest.update(b"blob %d\0" % size)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _name(contents: bytes, like: str) -> str:
    """Git's name of contents."""
    algorithm = hashlib.sha1 if len(like) == hashlib.sha1().digest_size * 2 else hashlib.sha256  # noqa: S324
    return algorithm(b"blob %d\0" % len(contents) + contents).hexdigest()


def _pointer(contents: bytes) -> bytes:
    """What Git LFS commits in the place of contents: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md."""
    digest = hashlib.sha256(contents).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(contents)}\n".encode()
