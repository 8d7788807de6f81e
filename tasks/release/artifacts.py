"""What is built and stored: artifacts, each a layer or a function's package, at one version.

Two digests stand for an artifact, for two questions. The tree digest is what is *in* the archive and is its identity;
the SHA-256 of the archive's bytes is what S3 and Lambda must report back, a check of transport.
"""

import base64
import hashlib
import re
import zipfile
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import IO

ARCHIVES = 2
"""The format of archives: raised when the same inputs come to give other files. 1 left out scripts, data and modes."""
_SITE = re.compile(r"python/(?:lib/(python3\.\d+)/site-packages/)?")


_BLOCK = 1 << 20


def tree_digest(files: Iterable[tuple[str, int, str]]) -> str:
    """The identity of a set of files, in hex: SHA-256 over their sorted paths, modes and content digests."""
    lines = sorted(f"{name}\0{mode:o}\0{sha256}\n" for name, mode, sha256 in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def tree_of(file: IO[bytes] | str) -> str:
    """The tree digest of what is in an archive; raises what zipfile raises if it is none, or damaged."""
    with zipfile.ZipFile(file) as archive:
        return tree_digest(
            (each.filename, each.external_attr >> 16 & 0o777, member_sha256(archive, each))
            for each in files_in(archive)
        )


def files_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of an archive. Raises zipfile.BadZipFile if one has no name, at which zipfile itself would stumble."""
    entries = archive.infolist()
    if not all(entry.filename for entry in entries):
        raise zipfile.BadZipFile("a file in it has no name")
    return [entry for entry in entries if not entry.is_dir()]


def member_sha256(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    """The SHA-256 (hex) of a member's contents, read block by block."""
    digest = hashlib.sha256()
    with archive.open(entry) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class Kind(Enum):
    """What an artifact is."""

    LAYER = "layer"
    PACKAGE = "package"

    @property
    def folder(self) -> str:
        """The folder of its archives, in .build and in a bucket."""
        return "layers" if self is Kind.LAYER else "functions"

    @property
    def word(self) -> str:
        """What it is called at the start of a line."""
        return "Layer" if self is Kind.LAYER else "Package"


@dataclass(frozen=True)
class Artifact:
    """One layer's archive, or one function's package, at one version.

    Digests are lower-case hex; `size` and `unzipped` are bytes; `modules` are those it brings (`top_modules`).
    `handler` is where a function's package begins, `bill` the SHA-256 of its bill of materials, empty if unknown.
    """

    name: str
    version: str
    tree: str
    sha256: str
    size: int
    unzipped: int
    runtimes: tuple[str, ...]
    architecture: str
    modules: tuple[str, ...] = field(compare=False)  # they follow from the tree, as this version names them
    handler: str = ""
    kind: Kind = Kind.LAYER
    bill: str = ""

    @property
    def key(self) -> str:
        """Where the archive is stored in an environment's bucket; written once, never overwritten."""
        return f"{self.kind.folder}/{self.filename}"

    @property
    def bill_key(self) -> str:
        """Where its bill of materials is stored, beside it."""
        return self.key.removesuffix(".zip") + ".cdx.json"

    @property
    def filename(self) -> str:
        """The archive's file name: `vectora-core-1.2.4.zip`."""
        return f"{self.name}-{self.version}.zip"

    @property
    def code_sha256(self) -> str:
        """The archive's SHA-256 as S3 (ChecksumSHA256) and Lambda (CodeSha256) write it."""
        return base64_digest(self.sha256)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def base64_digest(sha256: str) -> str:
    """A SHA-256 (hex) as AWS writes it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode("ascii")


def hex_digest(base64_digest: str) -> str:
    """A SHA-256 as AWS writes it, in hex; empty for what digests no whole: nothing, or a multipart upload's `...-2`."""
    return base64.b64decode(base64_digest).hex() if base64_digest.endswith("=") else ""


def site_of(name: str) -> tuple[str, str]:
    """The runtime for which a layer's file is there, empty for all of them, and what it is imported as: a/b.py."""
    site = _SITE.match(name)
    return (site[1] or "", name[site.end() :]) if site else ("", name)


def is_allowed(name: str, allowed: Container[str]) -> bool:
    """Return whether release.toml allows a file, by its name in the archive or as it is imported."""
    return name in allowed or site_of(name)[1] in allowed


_NO_MODULES = {"bin", "etc", "include", "lib", "man", "sbin", "share"}
"""Where wheels have scripts and data; a folder of that name is a module only for the code that is in it."""
_DEEPEST = 20
"""Folders: nobody's namespace is deeper, and an archive's names may be."""


def top_modules(names: Iterable[str]) -> tuple[str, ...]:
    """The modules that a layer (below python/) or a function's package brings, sorted: `acme`, or `acme.core`.

    A folder of code without an __init__ is a namespace package, which Python joins with others of its name; what is in
    it stands for it.
    """
    return tuple(sorted(set(_roots([site_of(name)[1].split("/") for name in names]))))


def _roots(paths: Iterable[Sequence[str]], above: str = "") -> Iterator[str]:
    folders: dict[str, list[Sequence[str]]] = {}
    for first, *rest in paths:
        module = re.sub(r"\.(py|so|(cpython-\w+[\w-]*|abi3)\.so)$", "", first)
        if rest and first.isidentifier():
            folders.setdefault(first, []).append(rest)
        elif not rest and module.isidentifier() and module != first:
            yield above + module
    for folder, inside in folders.items():
        has_code = any(path[-1].endswith((".py", ".so")) for path in inside)
        # held by tests/release/test_artifacts.py `above or folder in _NO_MODULES`
        if not has_code and (above or folder in _NO_MODULES):
            continue
        is_package = any(len(path) == 1 and re.match(r"__init__\..*(py|so)$", path[0]) for path in inside)
        # held by tests/release/test_artifacts.py `above.count('.') > _DEEPEST`
        if is_package or not has_code or above.count(".") > _DEEPEST:
            yield above + folder
        else:
            yield from set(_roots(inside, f"{above}{folder}.")) or (above + folder,)


def description(artifact: Artifact, commit: str) -> str:
    """What a layer version says of itself: its only free field, and at most 256 characters.

    Layers have no tags and ListLayerVersions returns no hash, so this is what answers "is this content published?".
    """
    return f"{artifact.version} tree:{artifact.tree[:16]} git:{commit}"


def parse_description(text: str) -> tuple[str, str]:
    """The version and the first 16 digits of the tree digest; two empty strings for a description that is not ours."""
    ours = re.fullmatch(r"(\d+\.\d+\.\d+) tree:([0-9a-f]{16}) git:\S+", text)
    return (ours[1], ours[2]) if ours else ("", "")
