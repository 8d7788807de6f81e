"""What is remembered of sources, and that it is forgotten when it may not hold any more."""

import hashlib
from pathlib import Path

import pytest

from tasks.archives import known
from tasks.archives.known import Known, known_of
from tasks.archives.secrets import PATTERNS
from tasks.archives.sources import read_sources
from tasks.errors import BuildError
from tasks.project.cache import CACHE_VARIABLE
from tasks.project.workspace import Workspace

SECRET = b'key = "AKIAABCDEFGHIJKLMNOP"\n'


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A repository with a cache of its own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return Workspace(tmp_path)


def again(workspace: Workspace) -> Known:
    """What the next command knows."""
    known._read.cache_clear()  # noqa: SLF001
    return known_of(workspace)


def test_what_was_found_out_is_there_next_time(workspace: Workspace) -> None:
    found = known_of(workspace)
    found.clean.add("a")
    found.imports["b"] = ["os"]
    found.save()
    assert (again(workspace).clean, again(workspace).imports) == ({"a"}, {"b": ["os"]})


@pytest.mark.parametrize("contents", [b"", b"[]", b'{"clean": 1, "imports": []}', b"\xff"])
def test_a_damaged_note_is_no_note(workspace: Workspace, contents: bytes) -> None:
    found = known_of(workspace)
    found.clean.add("a")
    found.save()
    found.note.write_bytes(contents)
    assert again(workspace) == Known(found.note)


def test_with_other_rules_about_secrets_everything_is_searched_again(workspace: Workspace) -> None:
    rules = hashlib.sha256(repr(PATTERNS).encode()).hexdigest()[:8]
    assert known_of(workspace).note.stem.endswith(f"-{rules}")


def test_a_secret_is_never_known_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a.py").write_bytes(SECRET)
    seen = Known()
    with pytest.raises(BuildError, match="AWS access key"):
        read_sources(tmp_path, None, "pkg", "python/pkg/", known=seen)
    read_sources(tmp_path, None, "pkg", "python/pkg/", {"pkg/a.py": "a test"}, seen)
    assert seen.clean == set()
    (tmp_path / "pkg" / "a.py").write_bytes(b"A = 1")
    read_sources(tmp_path, None, "pkg", "python/pkg/", known=seen)
    assert len(seen.clean) == 1
