"""Wheels: which one fits a runtime, and what of it goes into a layer.

The wheel format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from tasks.archives.archive import DEFLATED, STORED, UNREADABLE, Member, Span, stored
from tasks.errors import BuildError
from tasks.project.runtimes import ARCHITECTURES, Runtime
from tasks.release.artifacts import files_in
from tasks.release.events import Noticed, Report, unheard

_LEFT_OUT = re.compile(
    r"\.dist-info/(RECORD(\.jws|\.p7s)?|INSTALLER|REQUESTED|direct_url\.json)$|\.py[co]$|/__pycache__/"
)
_NAMES_THE_BUILDER = re.compile(r"\.dist-info/WHEEL$")
_ALIASES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_FROM_DATA = re.compile(r"[^/]+\.data/(?P<where>purelib|platlib|scripts|data)/(?P<path>.+)")
_SHEBANG = re.compile(rb"#!python[^\n]*")
_LAMBDAS_PYTHON = b"#!/var/lang/bin/python3"
"""Where every Python runtime of Lambda has its interpreter."""


def runtime_tags(runtime: Runtime, architecture: str) -> list[Tag]:
    """The tags that fit a runtime, best first; they follow from the runtime alone, not from this machine."""
    machine = ARCHITECTURES[architecture]
    names = []
    for minor in range(runtime.glibc[1], 4, -1):
        names.append(f"manylinux_2_{minor}_{machine}")
        names += [f"{_ALIASES[minor]}_{machine}"] if minor in _ALIASES else []
    interpreter = f"cp{runtime.python[0]}{runtime.python[1]}"
    return [
        *cpython_tags(runtime.python, abis=[interpreter], platforms=names),
        *compatible_tags(runtime.python, interpreter=interpreter, platforms=names),
    ]


def best_wheel(filenames: Iterable[str], tags: list[Tag]) -> str | None:
    """The file name whose best tag comes first in `tags`; the higher build number, then the name, breaks a tie."""
    rank = {tag: place for place, tag in reversed(list(enumerate(tags)))}
    fitting = []
    for filename in sorted(filenames):
        try:
            _, _, build, offered = parse_wheel_filename(filename)
        except InvalidWheelFilename:
            continue
        if places := [rank[tag] for tag in offered if tag in rank]:
            # held by tests/archives tests/test_build.py `-min(places) -> -max(places)`
            fitting.append((-min(places), build, filename))
    return max(fitting)[-1] if fitting else None


def open_wheel(path: Path) -> zipfile.ZipFile:
    """A wheel for reading; BuildError if it is no ZIP file, or names a file outside itself."""
    try:
        archive = zipfile.ZipFile(path)
        files_in(archive)
    except UNREADABLE as error:
        raise BuildError(f"{path.name} is damaged ({error}); run the build again to download it afresh") from error
    for name in archive.namelist():
        if "\\" in name or ":" in name or name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise BuildError(f"{path.name} holds a file named {name!r}, which leads outside; do not use this wheel")
    return archive


def check_record(path: Path) -> None:
    """BuildError unless every file of the wheel is what its RECORD says it is."""
    with open_wheel(path) as archive:
        digests = _record(archive, path)
        for entry in _files(archive):
            try:
                contents = archive.read(entry)
            except UNREADABLE as error:
                raise BuildError(f"{path.name} is damaged at {entry.filename} ({error}); do not use it") from error
            if digests.get(entry.filename) != hashlib.sha256(contents).hexdigest():
                raise BuildError(f"{path.name}: {entry.filename} is not what the wheel's RECORD says; do not use it")


def wheel_members(wheel: Path, prefix: str, report: Report = unheard, *, built: bool = False) -> Iterator[Member]:
    """The wheel's files as `pip install --target` would put them below `prefix`, without headers and installer's notes.

    Scripts go to its `bin` and name Lambda's Python; those that pip would make of entry points are not made.
    Members stay compressed as they are in the wheel. METADATA, entry points and licences stay, so that
    importlib.metadata works on Lambda. A wheel that was `built` here is stored uncompressed, its builder unnamed.
    """
    with open_wheel(wheel) as archive, wheel.open("rb") as file:
        digests, files = _record(archive, wheel), _files(archive)
        if headers := sum(".data/headers/" in each.filename for each in files):
            text = f"{wheel.name}: {headers} C headers stay out of the layer, since nothing is compiled on Lambda"
            report(Noticed(text, warning=False))
        for entry in files:
            path, is_script = _installed(entry.filename)
            if not path or _LEFT_OUT.search(path) or (built and _NAMES_THE_BUILDER.search(path)):
                continue
            # held by tests/archives/test_wheels.py
            if is_script and (contents := archive.read(entry)).startswith(b"#!python"):
                yield replace(stored(prefix + path, _SHEBANG.sub(_LAMBDAS_PYTHON, contents, count=1)), executable=True)
                continue
            if built or entry.compress_type not in (STORED, DEFLATED):
                yield replace(stored(prefix + path, archive.read(entry)), executable=is_script)
                continue
            file.seek(entry.header_offset + 26)
            lengths = file.read(4)
            start = (
                entry.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
            )
            yield Member(
                name=prefix + path,
                sha256=digests[entry.filename],
                crc=entry.CRC,
                size=entry.file_size,
                packed=Span(wheel, start, entry.compress_size),
                method=entry.compress_type,
                executable=is_script or bool(entry.external_attr >> 16 & 0o111),
            )


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files that RECORD vouches for."""
    signatures = re.compile(r"[^/]+\.dist-info/RECORD(\.jws|\.p7s)?")
    return [entry for entry in files_in(archive) if not signatures.fullmatch(entry.filename)]


def _record(archive: zipfile.ZipFile, path: Path) -> dict[str, str]:
    """RECORD: file -> SHA-256 (hex)."""
    names = [name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/RECORD", name)]
    if len(names) != 1:
        raise BuildError(f"{path.name} has no RECORD of its files; do not use this wheel")
    try:
        rows = list(csv.reader(io.StringIO(archive.read(names[0]).decode("utf-8"))))
        return {row[0]: _hex(row[1]) for row in rows if "".join(row[1:2]).startswith("sha256=")}
    except (*UNREADABLE, csv.Error) as error:
        raise BuildError(f"{path.name} has a damaged RECORD of its files ({error}); do not use this wheel") from error


def record_digest(contents: bytes) -> str:
    """Return the digest of a file as RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).decode("ascii").rstrip("=")


def _hex(digest: str) -> str:
    """`sha256=<urlsafe base64 without padding>` as hex."""
    return base64.urlsafe_b64decode(digest.removeprefix("sha256=") + "=").hex()


def _installed(name: str) -> tuple[str, bool]:
    """Where a wheel's file goes, empty for headers, and whether it is a script."""
    if ".data/" not in name.partition("/")[0] + "/":
        return name, False
    # held by tests/archives/test_wheels.py
    if not (relocated := _FROM_DATA.fullmatch(name)):
        return "", False
    is_script = relocated["where"] == "scripts"
    return ("bin/" if is_script else "") + relocated["path"], is_script
