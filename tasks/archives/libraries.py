"""Shared objects in an archive: for which machine they are, and what they need of the system."""

import io
import re
import struct
import zipfile
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from tasks.project.runtimes import Runtime
from tasks.release.artifacts import is_allowed

SHARED_OBJECT = re.compile(r"\.so(\.\d+)*$")
_EVERYWHERE = re.compile(
    r"(ld-linux-(x86-64|aarch64)|lib(anl|c|dl|gcc_s|m|mvec|nsl|pthread|resolv|rt|stdc\+\+|util|z))\.so\.\d+"
    r"|libpython3(\.\d+)?\.so(\.[\d.]+)?"
)
"""What Lambda has: the core of manylinux (https://peps.python.org/pep-0600/) without X, OpenGL and GLib, and Python."""
_MACHINES = {"x86_64": "EM_X86_64", "arm64": "EM_AARCH64"}
_NO_LIBRARY = (
    *(ELFError, ConstructError, ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError),
    *(OSError, TypeError, ValueError, struct.error),
)
"""What pyelftools raises for a file that is none, or damaged."""


def library_problems(name: str, contents: bytes, runtimes: Iterable[Runtime], architecture: str) -> Iterator[str]:
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


def library_notes(paths: Iterable[Path], allowed: Container[str]) -> Iterator[str]:
    """What shared objects in archives that are used together need, and neither they nor Lambda have.

    This machine may have it, so that importing there proves nothing. What is opened by name at run time is not seen.
    """
    brought, needs = set[str](), dict[str, list[str]]()
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            for name in filter(SHARED_OBJECT.search, archive.namelist()):
                brought.add(name.rpartition("/")[2])
                if not is_allowed(name, allowed):
                    needs[name] = _needed(archive.read(name))
    asking: dict[str, list[str]] = {}
    for name, libraries in needs.items():
        for library in libraries:
            # held by tests/archives/test_libraries.py `library not in brought` `not _EVERYWHERE.fullmatch(library)`
            if library not in brought and not _EVERYWHERE.fullmatch(library):
                asking.setdefault(library, []).append(name)
    for library, files in asking.items():
        more = f" (and {len(files) - 1} more)" if files[1:] else ""
        yield (
            f"{files[0]}{more} needs {library}, which no layer brings and Lambda does not have; require a wheel that "
            "holds it, bring it in a layer below lib/, or say under [allowed] in release.toml why it is not needed: "
            f'"{files[0]}" = "..."'
        )


def _needed(contents: bytes) -> list[str]:
    """The libraries that a shared object is linked to (DT_NEEDED)."""
    try:
        sections = ELFFile(io.BytesIO(contents)).iter_sections()
        return [
            str(tag.needed)  # type: ignore[attr-defined]  # pyelftools names it as it reads
            for section in sections
            if isinstance(section, DynamicSection)
            for tag in section.iter_tags("DT_NEEDED")
        ]
    except _NO_LIBRARY:  # which library_problems has told
        return []
