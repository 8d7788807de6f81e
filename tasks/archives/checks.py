"""What Lambda would refuse or fail on, found in an archive of any origin by looking at it alone.

Each check yields problems as sentences that name the file; an archive without any is sound as far as it can be told
without running it (`tasks.archives.trial` does that).
"""

import re
import stat
import sys
import zipfile
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from tasks.archives.archive import DEFLATED, STORED, UNREADABLE
from tasks.archives.libraries import SHARED_OBJECT, library_problems
from tasks.archives.secrets import is_secret_in_wheel, refusal
from tasks.errors import BuildError, listed, one_line
from tasks.project.model import Project
from tasks.project.runtimes import MAX_UNZIPPED, RUNTIMES, Runtime, standard_library
from tasks.release.artifacts import Kind, files_in, is_allowed, site_of, top_modules

_FOREIGN_BINARY = re.compile(r"\.(pyd|dll|exe|dylib)$", re.IGNORECASE)
_BYTECODE = re.compile(r"\.py[co]$|(^|/)__pycache__(/|$)")
_ENCRYPTED = 0x1
_READABLE = 0o444
_MODULE = re.compile(r"([A-Za-z_]\w*)(?:/__init__)?\.(?:py|so|abi3\.so|cpython-[\w-]+\.so)")


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
        yield from _hides_standard_library([entry.filename for entry in files], runtimes, allowed)
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


def _hides_standard_library(names: list[str], runtimes: Sequence[Runtime], allowed: Container[str]) -> Iterator[str]:
    """Modules called like one of the standard library, which every function would import in its place.

    A trial does not notice: its interpreter has loaded the true one before.
    """
    standard = {each: standard_library(each, sys.stdlib_module_names) for each in runtimes}
    for name in names:
        module = _MODULE.fullmatch(site_of(name)[1])  # a folder without __init__ loses against the standard library
        hidden = [each.name for each in _serving(name, runtimes) if module and module[1] in standard.get(each, ())]
        # held by tests/archives/test_checks.py
        if module and hidden and not is_allowed(name, allowed):
            yield (
                f"{name}: would be imported in the place of {module[1]} of the standard library on "
                f"{' and '.join(hidden)}, so that no function starts; rename it, or take its package out"
            )


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
    if not is_allowed(entry.filename, allowed) and is_secret_in_wheel(entry.filename, contents):
        yield refusal(entry.filename)
    if SHARED_OBJECT.search(entry.filename):
        yield from library_problems(entry.filename, contents, _serving(entry.filename, runtimes), architecture)


def _serving(name: str, runtimes: Sequence[Runtime]) -> Sequence[Runtime]:
    """The runtimes that would load a file: one if it lies in that one's site-packages, else all."""
    own, _ = site_of(name)
    return [RUNTIMES[own]] if own in RUNTIMES else runtimes
