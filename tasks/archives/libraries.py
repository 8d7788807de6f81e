"""Shared objects in an archive: for which machine they are, and what they need of the system."""

import io
import re
import struct
from collections.abc import Iterable, Iterator

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from tasks.project.runtimes import Runtime

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
