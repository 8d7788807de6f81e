"""What smoke tests did is remembered, and nothing is guessed."""

import pytest

from tasks.project.cache import cache_folder, entries
from tasks.project.rehearsals import remember, remembered

RELEASE = "0123456789abcdef"


def test_what_a_release_did_last_is_remembered_and_is_the_caches_to_remove() -> None:
    remember(RELEASE, {"ingest": ("read s3://a/b",)})
    remember(RELEASE, {"ingest": (), "letter": ("read s3://a/c",)})
    assert remembered(RELEASE) == {"ingest": (), "letter": ("read s3://a/c",)}
    assert [each for each in entries(cache_folder()) if each.paths[0].name == f"{RELEASE}.json"]


@pytest.mark.parametrize("contents", ["", "[]", '{"a": 1}', "[" * 100_000])
def test_where_it_is_not_known_nothing_is_said(contents: str) -> None:
    path = cache_folder() / "rehearsals" / "fedcba9876543210.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(contents)
    assert remembered("fedcba9876543210") == {}
    assert remembered("a" * 16) == {}


def test_a_folder_in_the_way_does_not_stop_a_rehearsal() -> None:
    (cache_folder() / "rehearsals" / f"{'b' * 16}.json").mkdir(parents=True)
    remember("b" * 16, {"ingest": ("read s3://a/b",)})
    assert remembered("b" * 16) == {}
