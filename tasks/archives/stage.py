"""Where imports are tried: layers unpacked over one another into /opt's likeness, and a function's package."""

import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tasks.project.files import alone
from tasks.project.runtimes import Runtime
from tasks.release.events import Report, unheard


@dataclass(frozen=True)
class Stage:
    """Where imports are tried: a runtime, and what lies on it: layers (later over earlier), a function's package.

    `handler` is where the package begins; `variables` are the function's environment variables, as far as they are
    known; `locks` pin what is in the layers. In a `folder` of its own everything stays unpacked, with its bytecode, so
    that next time only what has changed is unpacked and compiled. `report` hears what takes long.
    """

    runtime: Runtime
    architecture: str
    layers: Sequence[Path]
    package: Path | None = None
    handler: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    locks: Sequence[Path] = ()
    folder: Path | None = None
    report: Report = unheard


@contextmanager
def unpacked(stage: Stage) -> Iterator[Path]:
    """A folder with the layers in opt/, later over earlier, and the package in task/, as they are after unpacking."""
    with ExitStack() as held:
        if stage.folder:
            folder = stage.folder
            held.enter_context(alone(folder))
        else:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        package = [(stage.package, "task")] if stage.package else []
        wanted: dict[str, tuple[zipfile.ZipFile, zipfile.ZipInfo]] = {}
        for archive, where in [*((layer, "opt") for layer in stage.layers), *package]:
            opened = held.enter_context(zipfile.ZipFile(archive))  # its names were checked before it got this far
            wanted |= {f"{where}/{each.filename}": (opened, each) for each in opened.infolist() if not each.is_dir()}
        for top in ("opt", "task"):
            _remove_others(folder, top, wanted)
        for name, (opened, entry) in wanted.items():
            _unpack(folder / name, opened, entry)
        yield folder


def _remove_others(folder: Path, top: str, wanted: Container[str]) -> None:
    """Remove files of other archives, and empty folders, which Python would import; never through a link."""
    if (folder / top).is_symlink():
        (folder / top).unlink()
    for place, folders, files in os.walk(folder / top, topdown=False):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for path in (Path(place, name) for name in (*files, *links)):
            if path.relative_to(folder).as_posix() not in wanted:
                path.unlink()
        with suppress(OSError):  # it is not empty
            Path(place).rmdir()


def _unpack(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Unpack a file unless it is there: its time stands for its contents, and is what bytecode is compared with."""
    stamp = 1_000_000_000 + entry.CRC % 1_000_000_000
    with suppress(OSError):
        there = path.lstat()
        same_mode = os.name == "nt" or bool(there.st_mode & 0o100) == bool(entry.external_attr >> 16 & 0o100)
        if (there.st_size, there.st_mtime, stat.S_ISREG(there.st_mode)) == (entry.file_size, stamp, same_mode):
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with archive.open(entry) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    path.chmod(0o755 if entry.external_attr >> 16 & 0o100 else 0o644)
    os.utime(path, (stamp, stamp))
