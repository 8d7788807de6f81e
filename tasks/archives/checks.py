"""What Lambda would refuse or fail on, found in an archive of any origin by looking at it alone.

Each check yields problems as sentences that name the file; an archive without any is sound as far as it can be told
without running it (`tasks.archives.trial` does that).
"""

import io
import re
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from tasks.archives.archive import DEFLATED, STORED, UNREADABLE
from tasks.archives.secrets import is_secret_in_wheel, refusal
from tasks.errors import BuildError, listed, one_line
from tasks.project.model import Project
from tasks.project.runtimes import MAX_UNZIPPED, RUNTIMES, Runtime
from tasks.release.artifacts import Kind, files_in, site_of, top_modules

_MACHINES = {"x86_64": "EM_X86_64", "arm64": "EM_AARCH64"}
_SHARED_OBJECT = re.compile(r"\.so(\.\d+)*$")
_FOREIGN_BINARY = re.compile(r"\.(pyd|dll|exe|dylib)$", re.IGNORECASE)
_BYTECODE = re.compile(r"\.py[co]$|(^|/)__pycache__(/|$)")
_ENCRYPTED = 0x1
_NO_LIBRARY = (
    *(ELFError, ConstructError, ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError),
    *(OSError, TypeError, ValueError, struct.error),
)
"""What pyelftools raises for a file that is none, or damaged."""
_READABLE = 0o444


def check_archive(  # noqa: PLR0913, PLR0917  (what an archive is, and is called)
    path: Path,
    shown: str,
    project: Project,
    runtimes: Sequence[Runtime],
    kind: Kind,
    name: str = "",
    sound: Container[str] = (),
) -> None:
    """BuildError, listing what is wrong with the archive at `path` of the artifact `name`, unless nothing is.

    The contents of files that are known to be `sound` are not read again.
    """
    if not path.is_file():
        raise BuildError(f"{shown} does not exist, or is a folder; name an archive, or run: inv build")
    problems = list(
        map(one_line, find_problems(path, runtimes, project.architecture, kind, project.allowed_in(name), sound))
    )
    if problems:
        raise BuildError(listed(f"{shown} is not fit for Lambda; correct what it is made of:", problems))


def find_problems(  # noqa: PLR0913, PLR0917  (an archive, what it is for, what may be passed over)
    path: Path,
    runtimes: Sequence[Runtime],
    architecture: str,
    kind: Kind,
    allowed: Container[str] = (),
    sound: Container[str] = (),
) -> Iterator[str]:
    """Everything wrong with an archive: a layer, with its `python/` root, or a function's package."""
    try:
        archive = zipfile.ZipFile(path)
        files = files_in(archive)
    except UNREADABLE as error:
        yield f"it is not a ZIP archive, or damaged ({error})"
        return
    with archive:
        yield from _names(files, layer=kind is Kind.LAYER)
        yield from _modes(files)
        yield from _runtimes(files, runtimes, layer=kind is Kind.LAYER)
        unzipped = sum(entry.file_size for entry in files)
        if unzipped > MAX_UNZIPPED:
            yield f"it unpacks to {unzipped:,} bytes, more than Lambda's {MAX_UNZIPPED:,}"
            return
        for entry in (each for each in files if each.filename not in sound):
            yield from _contents(archive, entry, runtimes, architecture, allowed)


def _names(files: list[zipfile.ZipInfo], *, layer: bool) -> Iterator[str]:
    """Names that lead elsewhere, appear twice, or belong to another system."""
    if not files:
        yield "it is empty"
    # orig_filename: zipfile turns the system's own separator into a slash
    for name, count in Counter(entry.orig_filename for entry in files).items():
        if count > 1:
            yield f"{name}: is there {count} times"
        if "\\" in name:
            yield f"{name}: has a backslash in its name, which Linux takes for a part of the file's name"
        elif name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name):
            yield f"{name}: leads outside the archive"
        elif layer and not name.startswith("python/"):
            yield f"{name}: is not below python/, where Lambda's Python would look"
        if _BYTECODE.search(name):
            yield f"{name}: is bytecode, which belongs to the Python that wrote it"
        if _FOREIGN_BINARY.search(name):
            yield f"{name}: is a binary for Windows or macOS"


def _runtimes(files: list[zipfile.ZipInfo], runtimes: Sequence[Runtime], *, layer: bool) -> Iterator[str]:
    """Files that a declared runtime would miss or could not load, and an archive without any module."""
    declared = [runtime.name for runtime in runtimes]
    for entry in files:
        own = re.match(r"python/lib/(python3\.\d+)/", entry.filename)
        if layer and own and own[1] not in declared:
            yield f"{entry.filename}: is for {own[1]}, which is not declared ({', '.join(declared)})"
        made_for = re.search(r"\.cpython-3(\d+)-", entry.filename)
        serving = {runtime.name for runtime in _serving(entry.filename, runtimes)}
        if made_for and serving != {f"python3.{made_for[1]}"}:
            others = ", ".join(sorted(serving))
            yield f"{entry.filename}: is compiled for python3.{made_for[1]} alone, but would serve {others}"
    if files and not top_modules(entry.filename for entry in files):
        yield "it has no Python module"


def _modes(files: list[zipfile.ZipInfo]) -> Iterator[str]:
    """Files that Lambda's user could not read, and what is no file. An archive from Windows has no modes at all."""
    for entry in files:
        mode = entry.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            yield f"{entry.filename}: is a link or a special file"
        # held by tests/archives tests/test_build.py
        elif mode and mode & _READABLE != _READABLE:
            yield f"{entry.filename}: has mode {stat.S_IMODE(mode):04o}, so Lambda could not read it; make it 0644"


def _contents(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    runtimes: Sequence[Runtime],
    architecture: str,
    allowed: Container[str],
) -> Iterator[str]:
    """A file that cannot be read back, that is a secret, or a library that its runtimes cannot load."""
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in (STORED, DEFLATED):
        yield f"{entry.filename}: is encrypted, or packed by another method than deflate"
        return
    try:
        contents = archive.read(entry)
    except UNREADABLE as error:
        yield f"{entry.filename}: is damaged ({error})"
        return
    if site_of(entry.filename)[1] not in allowed and is_secret_in_wheel(entry.filename, contents):
        yield refusal(entry.filename)
    if _SHARED_OBJECT.search(entry.filename):
        yield from _library(entry.filename, contents, _serving(entry.filename, runtimes), architecture)


def _serving(name: str, runtimes: Sequence[Runtime]) -> Sequence[Runtime]:
    """The runtimes that would load a file: one if it lies in that one's site-packages, else all."""
    own, _ = site_of(name)
    return [RUNTIMES[own]] if own in RUNTIMES else runtimes


def _library(name: str, contents: bytes, runtimes: Iterable[Runtime], architecture: str) -> Iterator[str]:
    """A shared object of another machine, or one that needs a newer C library than its runtimes have."""
    try:
        elf = ELFFile(io.BytesIO(contents))
        machine, needed = elf["e_machine"], max(_glibc_needs(elf), default=(0, 0))
    except _NO_LIBRARY as error:
        yield f"{name}: is not a Linux library ({error})"
        return
    if machine != _MACHINES[architecture]:
        yield f"{name}: is for {str(machine).removeprefix('EM_').lower()}, not for {architecture}"
    for runtime in runtimes:
        # held by tests/archives tests/test_build.py
        if needed > runtime.glibc:
            had, wanted = (".".join(map(str, version)) for version in (runtime.glibc, needed))
            yield f"{name}: needs glibc {wanted}, and {runtime.name} has {had}"


def _glibc_needs(elf: ELFFile) -> Iterator[tuple[int, int]]:
    """The versions of the C library that a shared object asks for, as (major, minor)."""
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, versions in section.iter_versions():
                for version in versions:
                    if found := re.match(r"GLIBC_(\d+)\.(\d+)", version.name):
                        yield int(found[1]), int(found[2])
                    elif version.name == "GLIBC_ABI_DT_RELR":  # relative relocations: glibc 2.36
                        yield 2, 36
