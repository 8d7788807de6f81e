"""Files that are replaced without ever being half-written, what identifies their bytes, and where they are kept."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from tasks.errors import BuildError

CACHE_VARIABLE = "LAMBDA_LAYERS_CACHE"
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds: an antivirus looks at a new file for about that long."""


def cache_folder() -> Path:
    """Where this user keeps what need not be made again, for all projects: outside of them, and of OneDrive."""
    return Path(os.environ.get(CACHE_VARIABLE) or user_cache_path("lambda-layers", appauthor=False))


def file_sha256(path: Path) -> str:
    """The SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
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
        aside.chmod(path.stat().st_mode if path.exists() else 0o644)
        move(aside, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        aside.unlink(missing_ok=True)


def move(
    source: Path,
    target: Path,
    replace: Callable[[Path, Path], object] = os.replace,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Give a file another name, patiently: Windows refuses while a program (an antivirus) has one of them open.

    Raises OSError.
    """
    for pause in _PAUSES:
        try:
            replace(source, target)
        except PermissionError:
            sleep(pause)
        else:
            return
    replace(source, target)


def cannot_write(path: Path, error: OSError) -> BuildError:
    """Why a file cannot be written, and what to do."""
    if isinstance(error, PermissionError):
        advice = "close the program that has it open (an editor, Explorer, an antivirus), or correct its permissions"
    elif isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        advice = "something else is in its place; remove that"
    else:
        advice = "correct that"
    return BuildError(f"{path} cannot be written ({error.strerror or error}); {advice}, and run the same command again")
