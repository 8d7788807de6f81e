"""What is remembered of sources, and that it is forgotten when it may not hold any more."""

import hashlib
from pathlib import Path

import pytest

from tasks.archives import known
from tasks.archives.known import Known, known_as, known_of
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


@pytest.mark.parametrize("contents", [b"", b"[]", b'{"clean": 1, "imports": []}', b"\xff", b"[" * 100_000])
def test_a_damaged_note_is_no_note(workspace: Workspace, contents: bytes) -> None:
    found = known_of(workspace)
    found.clean.add("a")
    found.save()
    found.note.write_bytes(contents)
    assert again(workspace) == Known(found.note)


def test_with_other_rules_everything_is_examined_again(workspace: Workspace) -> None:
    texts = [(Path(known.__file__).parents[1] / name).read_bytes() for name in known.RULES]
    rules = hashlib.sha256(b"".join(texts)).hexdigest()[:8]
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


def test_a_file_is_known_by_its_name_its_contents_and_what_it_was_checked_for() -> None:
    named = {known_as(*each) for each in [("a", "0", "x"), ("b", "0", "x"), ("a", "1", "x"), ("a", "0", "y")]}
    assert len(named) == 4
    assert known_as("a", "0", "x") in named
