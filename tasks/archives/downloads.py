"""Brings the files that a lock pins into the cache: each by its SHA-256, each once.

uv knows the indexes; asked for a PEP 751 lock of the pins, it lists every file of each with its address and hash. What
is chosen and fetched from that list is decided here. The addresses stay in the cache and are never committed.
"""

import hashlib
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.archives.lock import Pin
from tasks.archives.wheels import check_record
from tasks.errors import BuildError, ConfigError
from tasks.project.cache import place_of, use
from tasks.project.files import file_sha256, move, parse_toml, read_text, remove, replacing
from tasks.project.runtimes import Runtime
from tasks.project.uv import run_uv
from tasks.project.web import open_url
from tasks.release.events import Downloading, Moved, Report

# held by tests/archives tests/test_build.py `3 -> 1`
_ATTEMPTS = 3
_TIMEOUT = 60
_AT_ONCE = 8
_BLOCK = 1 << 18


@dataclass(frozen=True)
class RemoteFile:
    """One file that an index offers for a pin."""

    filename: str
    url: str
    sha256: str
    size: int = 0


def list_files(lock: Path, pins: Iterable[Pin], runtime: Runtime, cache: Path) -> dict[Pin, tuple[RemoteFile, ...]]:
    """The files of each pin that the lock allows, as the index lists them; asked once for each state of the lock."""
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    index = cache / "index" / f"pylock.{key}.toml"
    if not index.exists():
        index.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as aside:
            made = Path(aside).resolve() / index.name
            run_uv(
                ["pip", "compile", lock.name, "--universal", "--python-version", runtime.full_version],
                ["--no-deps", "--generate-hashes", "--format", "pylock.toml", "--output-file", str(made)],
                folder=lock.parent,
            )
            move(made, index)
    try:
        packages = parse_toml(read_text(index, index.name, "build again"), index.name)["packages"]
        offered = {(package["name"], package["version"]): tuple(_files(package)) for package in packages}
    except (ConfigError, LookupError, TypeError, AttributeError, ValueError) as error:
        remove(index)
        raise BuildError(f"The list of files in the cache was damaged ({error}) and is removed; build again") from error
    return {
        pin: tuple(file for file in offered.get((pin.name, pin.version), ()) if file.sha256 in pin.hashes)
        for pin in pins
    }


def _files(package: dict[str, Any]) -> Iterable[RemoteFile]:
    """The wheels and the sdist of a PEP 751 package: https://packaging.python.org/en/latest/specifications/pylock-toml/."""
    for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]:
        url = file.get("url") or Path(file["path"]).absolute().as_uri()
        yield RemoteFile(file.get("name") or url.rpartition("/")[2], url, file["hashes"]["sha256"], file.get("size", 0))


def fetch_all(files: Iterable[RemoteFile], cache: Path, report: Report) -> dict[RemoteFile, Path]:
    """Each file on local disk, downloaded if the cache lacks it."""
    wanted = list(dict.fromkeys(files))
    if lacking := [file.size for file in wanted if not place_of(cache, file.sha256, file.filename).exists()]:
        report(Downloading(sum(lacking)))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(lambda file: _fetch(file, cache, report), wanted), strict=True))


def _fetch(file: RemoteFile, cache: Path, report: Report) -> Path:
    """One file from the cache or its index; whatever has not the pinned hash never gets its name."""
    path = place_of(cache, file.sha256, file.filename)
    if path.exists() and file_sha256(path) == file.sha256:
        use(path.parent)
        return path
    with replacing(path) as aside:
        aside.write_bytes(_download(file, cache, report))
        if (found := file_sha256(aside)) != file.sha256:
            raise BuildError(
                f"{file.filename} has SHA-256 {found[:16]}..., not the locked {file.sha256[:16]}...; "
                "do not use it: the index or the network changed it. Try again, or run: inv lock"
            )
        if file.filename.endswith(".whl"):
            check_record(aside)
    return path


def check_intact(paths: Iterable[Path], cache: Path) -> None:
    """BuildError unless files of the cache still have their pinned hashes, after they were packed."""
    for path in dict.fromkeys(paths):
        if path.is_relative_to(cache / "files") and not file_sha256(path).startswith(path.parent.name):
            remove(path)
            raise BuildError(f"{path.name} was damaged while it was packed, and is removed; build again")


def _download(file: RemoteFile, cache: Path, report: Report) -> bytes:
    """The bytes behind the address, tried three times."""
    import http.client

    failure = ""
    for _ in range(_ATTEMPTS):
        contents = bytearray()
        try:
            # the address comes from uv; file: is a folder of wheels, and the hash decides in any case
            with open_url(file.url, _TIMEOUT) as response:
                while block := response.read(_BLOCK):
                    contents += block
                    report(Moved(len(block)))
            if not getattr(response, "length", 0):  # what http.client still waited for
                return bytes(contents)
            raise http.client.IncompleteRead(b"", response.length)
        except (http.client.HTTPException, OSError) as error:
            failure = str(error) or type(error).__name__
            report(Moved(-len(contents)))
    # an address may have gone stale: the next build asks the index afresh
    for index in (cache / "index").glob("*.toml"):
        remove(index)
    raise BuildError(f"Cannot download {file.filename}: {failure}; check the network and build again")
