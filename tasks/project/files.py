"""Files that are replaced without ever being half-written, and what identifies their bytes."""

import hashlib
import json
import os
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.errors import BuildError, ConfigError

_BUILD = 600
PAUSES: Sequence[float] = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6) if os.name == "nt" else ()
"""Seconds: on Windows an antivirus has a new file open for about that long."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else builds in a folder meanwhile. BuildError if somebody does, for minutes, or if it is no folder."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", timeout=_BUILD)
        lock.acquire()
    except Timeout as error:
        raise BuildError(f"Another command has been building in {folder} for {_BUILD} s; wait, or end it") from error
    except (OSError, NotImplementedError) as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def remove(path: Path) -> None:
    """Remove a file, or a link. BuildError if that cannot be done: a folder is never removed with what is in it."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def read_text(path: Path, shown: str, remedy: str) -> str:
    """A text file with its line endings as they are. ConfigError, with the remedy, if it cannot be read."""
    try:
        if path.exists() and not path.is_file():  # to read a pipe would wait for ever
            raise ConfigError(f"{shown} cannot be read (it is no file); {remedy}")
        return path.read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise ConfigError(f"{shown} cannot be read (it is not UTF-8 text); save it as UTF-8") from error
        raise ConfigError(f"{shown} cannot be read ({getattr(error, 'strerror', '') or error}); {remedy}") from error


def parse_json(text: str) -> Any:
    """Return what a JSON text says. ValueError if it is none, NaN and what is nested too deeply among that."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def parse_toml(text: str, shown: str) -> dict[str, Any]:
    """A TOML document. ConfigError if it is none."""
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))  # Notepad puts it there
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{shown} is not valid TOML: {str(error)[:200]}; correct it") from error


def file_sha256(path: Path) -> str:
    """The SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place when all went well and is gone otherwise.

    BuildError if it cannot be written there: a full disk, a folder in the way, no permission.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-", suffix=path.suffix)
    except OSError as error:
        raise cannot_write(path, error) from error
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(path.stat().st_mode if path.exists() else mode)
        move(aside, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        aside.unlink(missing_ok=True)


def move(
    source: Path,
    target: Path,
    pauses: Sequence[float] = PAUSES,
    replace: Callable[[Path, Path], object] = os.replace,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Give a file another name, patiently: Windows refuses while a program (an antivirus) has one of them open.

    Raises OSError.
    """
    for pause in pauses:
        try:
            replace(source, target)
        except PermissionError:
            sleep(pause)
        else:
            return
    replace(source, target)


def cannot_write(path: Path, error: Exception) -> BuildError:
    """Why a file cannot be written, and what to do."""
    reason = getattr(error, "strerror", "") or error
    if isinstance(error, PermissionError):
        advice = "close the program that has it open (an editor, Explorer, an antivirus), or correct its permissions"
    elif isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        advice = "something else is in its place; remove that"
    else:
        advice = "correct that"
    return BuildError(f"{path} cannot be written ({reason}); {advice}, and run the same command again")
