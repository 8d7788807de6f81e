"""Packages that exist only as an sdist: built once, by a pinned builder, into a wheel that must be pure.

A build script is a stranger's program. What it is built with is fetched before, with whatever the index asks for; then
it runs in an environment that has no key, no index and no home of this user's.
"""

import hashlib
import re
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tasks.archives.archive import UNREADABLE
from tasks.archives.downloads import fetch_all, list_files
from tasks.archives.lock import read_pins
from tasks.archives.wheels import check_record, open_wheel, record_digest
from tasks.errors import BuildError
from tasks.project.cache import use
from tasks.project.files import move, replacing
from tasks.project.runtimes import RUNTIMES
from tasks.project.uv import for_building, run_uv
from tasks.release.artifacts import files_in
from tasks.release.events import unheard

_FORMAT = b"2"
"""Raise this when the same sdist comes to give another wheel."""

BUILDERS = Path(__file__).with_name("builders.lock")
"""The build backends that may build an sdist, pinned with hashes, so that it comes out the same everywhere."""


def build_wheel(sdist: Path, cache: Path) -> Path:
    """The pure wheel of an sdist. BuildError if it cannot be built with the pinned builders, or comes out compiled."""
    inputs = _FORMAT + sdist.parent.name.encode() + BUILDERS.read_bytes().replace(b"\r\n", b"\n")
    key = hashlib.sha256(inputs).hexdigest()
    folder = cache / "built" / key[:16]
    if not _sound(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as aside:
            wheel = _build(sdist, Path(aside), cache)
            folder.mkdir(exist_ok=True)
            move(wheel, folder / wheel.name)
    use(folder)
    return next(folder.glob("*.whl"))


def fetch_builders(cache: Path) -> list[str]:
    """Return the options that tell uv where the pinned builders lie, fetched if the cache lacks them."""
    pins = read_pins(BUILDERS)
    offered = list_files(BUILDERS, pins, next(iter(RUNTIMES.values())), cache)
    wheels = [file for pin in pins for file in offered[pin] if file.filename.endswith("-none-any.whl")]
    found = fetch_all(wheels, cache, unheard).values()
    return [word for path in found for word in ("--find-links", str(path.parent.resolve()))]


def _sound(folder: Path) -> bool:
    """Whether a wheel that was built before is there, and whole."""
    try:
        check_record(next(folder.glob("*.whl")))
    except (StopIteration, BuildError):
        return False
    return True


def _build(sdist: Path, folder: Path, cache: Path) -> Path:
    """The one sound and pure wheel that an sdist gives, built into `folder`."""
    builders = fetch_builders(cache)
    home = (folder / "home").resolve()
    home.mkdir()
    try:
        run_uv(
            ["build", "--wheel", str(sdist.resolve()), "--out-dir", str(folder.resolve()), "--no-create-gitignore"],
            ["--build-constraints", str(BUILDERS.resolve()), "--require-hashes", "--offline", "--no-index", *builders],
            folder=folder,
            environment=for_building(home),
        )
    except BuildError as error:
        hint = f"if there is none, add its build backend with its hashes to {BUILDERS.name} beside sdists.py"
        advice = f"require a version that has wheels and run: inv lock ({hint})"
        raise BuildError(f"{sdist.name} has no wheel, and cannot be built; {advice}\n{error}") from error
    wheel = next(folder.glob("*.whl"))
    if not wheel.name.endswith("-none-any.whl"):
        raise BuildError(f"{sdist.name} builds {wheel.name}, which is not pure Python; require a version with wheels")
    check_record(wheel)
    return with_our_line_ends(wheel, sdist)


def with_our_line_ends(wheel: Path, sdist: Path) -> Path:
    """Replace a wheel that was built here by one whose written texts have the line ends that they have on Linux.

    A build step writes METADATA and the like in text mode, with the line ends of its system. What it has copied from
    the sdist stays as it is.
    """
    copied = _contents_of(sdist)
    with open_wheel(wheel) as archive:
        found = {entry.filename: (archive.read(entry), entry.external_attr) for entry in files_in(archive)}
    written = {
        name: (contents if hashlib.sha256(contents).digest() in copied else _with_line_feeds(contents), mode)
        for name, (contents, mode) in found.items()
        if not name.endswith(".dist-info/RECORD")
    }
    record = next(name for name in found if name.endswith(".dist-info/RECORD"))
    rows = [f"{name},{record_digest(contents)},{len(contents)}\n" for name, (contents, _) in sorted(written.items())]
    written[record] = "".join([*rows, f"{record},,\n"]).encode(), found[record][1]
    with replacing(wheel) as aside, zipfile.ZipFile(aside, "w") as made:
        for name, (contents, mode) in sorted(written.items()):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode
            made.writestr(entry, contents)
    return wheel


def _with_line_feeds(contents: bytes) -> bytes:
    """A text with the line ends of Linux; what is no text stays."""
    try:
        contents.decode("utf-8")
    except UnicodeDecodeError:
        return contents
    return contents if b"\0" in contents else re.sub(rb"\r+\n", b"\n", contents)


def _contents_of(sdist: Path) -> set[bytes]:
    """The SHA-256 of each file in an sdist. BuildError if it cannot be read."""
    try:
        if zipfile.is_zipfile(sdist):
            with zipfile.ZipFile(sdist) as archive:
                return {hashlib.sha256(archive.read(entry)).digest() for entry in files_in(archive)}
        with tarfile.open(sdist) as packed:
            files = [packed.extractfile(member) for member in packed if member.isfile()]
            return {hashlib.sha256(file.read()).digest() for file in files if file}
    except (*UNREADABLE, tarfile.TarError) as error:
        raise BuildError(f"{sdist.name} cannot be read ({error}); require another version and run: inv lock") from error
