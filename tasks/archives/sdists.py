"""Packages that exist only as an sdist: built once, by a pinned builder, into a wheel that must be pure."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from tasks.archives.wheels import check_record
from tasks.errors import BuildError
from tasks.project.cache import use
from tasks.project.files import move
from tasks.project.uv import run_uv

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
            wheel = _build(sdist, Path(aside))
            folder.mkdir(exist_ok=True)
            move(wheel, folder / wheel.name)
    use(folder)
    return next(folder.glob("*.whl"))


def _sound(folder: Path) -> bool:
    """Whether a wheel that was built before is there, and whole."""
    try:
        check_record(next(folder.glob("*.whl")))
    except (StopIteration, BuildError):
        return False
    return True


def _build(sdist: Path, folder: Path) -> Path:
    """The one sound and pure wheel that an sdist gives, built into `folder`."""
    try:
        run_uv(
            ["build", "--wheel", str(sdist.resolve()), "--out-dir", str(folder.resolve()), "--no-create-gitignore"],
            ["--build-constraints", str(BUILDERS.resolve()), "--require-hashes"],
            folder=folder,
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
