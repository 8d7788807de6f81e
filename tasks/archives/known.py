"""What was found out about our own sources, by their digests, so that what has not changed is not examined again."""

import hashlib
import json
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tasks.project.files import replacing
from tasks.project.workspace import Workspace

RULES = (
    "archives/checks.py",
    "archives/secret_forms.py",
    "archives/secrets.py",
    "archives/imports.py",
    "archives/libraries.py",
    "project/runtimes.py",
    "release/artifacts.py",
)
"""The files that decide; what others found out is found out again."""
_TASKS = Path(__file__).parents[1]
_MOST = 100_000
"""Files that are remembered: several states of a very large project."""


@dataclass
class Known:
    """By the SHA-256 (hex) of a file's contents: whether it has no secret in it, and the modules it may import.

    Only what this Python could read has the latter. `sound` are files, and `judged` archives, that nothing was wrong
    with, by `known_as`.
    """

    note: Path = Path()
    clean: set[str] = field(default_factory=set)
    imports: dict[str, list[str]] = field(default_factory=dict)
    sound: set[str] = field(default_factory=set)
    judged: set[str] = field(default_factory=set)
    saved: int = 0

    def save(self) -> None:
        """Write down what was found out since it was read."""
        if (grown := len(self.clean) + len(self.imports) + len(self.sound) + len(self.judged)) != self.saved:
            document = {
                "clean": list(self.clean)[:_MOST],
                "imports": dict(list(self.imports.items())[-_MOST:]),
                "sound": list(self.sound)[:_MOST],
                "judged": list(self.judged)[:_MOST],
            }
            with replacing(self.note) as aside:
                aside.write_text(json.dumps(document), encoding="utf-8")
            self.saved = grown


def known_of(workspace: Workspace) -> Known:
    """What is known about a repository's sources; what is found out is added to it."""
    # held by tests/archives/test_known.py `_rules() -> 0`
    return _read(workspace.cache / "sources" / f"{workspace.digest}-{sys.version_info.minor}-{_rules()}.json")


@cache
def _rules() -> str:
    """What stands for the rules, in 8 hex digits."""
    return hashlib.sha256(b"".join((_TASKS / each).read_bytes() for each in RULES)).hexdigest()[:8]


@cache
def _read(note: Path) -> Known:
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
        clean, sound, judged = (set(map(str, found.get(kind, ()))) for kind in ("clean", "sound", "judged"))
        imports = {str(key): list(map(str, each)) for key, each in found["imports"].items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return Known(note)
    return Known(note, clean, imports, sound, judged, len(clean) + len(imports) + len(sound) + len(judged))


def known_as(name: str, sha256: str, conditions: object) -> str:
    """What stands for a file of an archive under the conditions that it was checked for, in 32 hex digits."""
    # held by tests/archives/test_known.py `conditions`
    return hashlib.sha256(repr((name, sha256, conditions)).encode()).hexdigest()[:32]
