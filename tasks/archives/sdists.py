"""Packages that exist only as an sdist: built once, by a pinned builder, into a wheel that must be pure.

A build script is a stranger's program. What it is built with is fetched before, with whatever the index asks for; then
it runs in an environment that has no key, no index and no home of this user's.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

from tasks.archives.downloads import fetch_all, list_files
from tasks.archives.lock import read_pins
from tasks.archives.wheels import check_record
from tasks.errors import BuildError
from tasks.project.cache import use
from tasks.project.files import move
from tasks.project.runtimes import RUNTIMES
from tasks.project.uv import for_building, run_uv
from tasks.release.events import unheard

BUILDERS = Path(__file__).with_name("builders.lock")
"""The build backends that may build an sdist, pinned with hashes, so that it comes out the same everywhere."""


def build_wheel(sdist: Path, cache: Path) -> Path:
    """The pure wheel of an sdist. BuildError if it cannot be built with the pinned builders, or comes out compiled."""
    key = hashlib.sha256(sdist.parent.name.encode() + BUILDERS.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
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
    return wheel
