"""What smoke tests did on the sandbox, kept on this machine for the promotion on AWS that follows."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tasks.errors import ReleaseError
from tasks.project.cache import cache_folder
from tasks.project.files import replacing


def remember(release: str, work: Mapping[str, Sequence[str]]) -> None:
    """Keep what each function did, by a release's identity (16 hex digits). A rehearsal does not fail for it."""
    with suppress(OSError, ReleaseError), replacing(_note(release)) as aside:
        aside.write_text(json.dumps({name: list(each) for name, each in work.items()}), encoding="utf-8")


def remembered(release: str) -> dict[str, tuple[str, ...]]:
    """Return what each function of a release did when it was rehearsed last; nothing where that is not known."""
    try:
        kept = json.loads(_note(release).read_text(encoding="utf-8"))
        return {str(name): tuple(map(str, each)) for name, each in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _note(release: str) -> Path:
    return cache_folder() / "rehearsals" / f"{release}.json"
