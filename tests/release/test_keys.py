"""The keys of a bucket."""

import pytest

from tasks.errors import PlanError
from tasks.release.keys import LAST_ENTRY, entry_key, entry_number, next_entry


def test_a_listing_begins_with_the_newest_entry() -> None:
    keys = [entry_key("journal/news/dev/", number) for number in (1, 2, 10, 100)]
    assert sorted(keys) == keys[::-1]
    assert [entry_number(key) for key in keys] == [1, 2, 10, 100]


@pytest.mark.parametrize(
    "key",
    [
        "journal/news/dev/notes.txt",
        "journal/news/dev/12.json",
        "",
        "journal/news/dev/\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0668.json",
    ],
)
def test_a_stray_file_is_no_entry(key: str) -> None:
    assert entry_number(key) == 0


def test_after_the_last_number_there_is_none_that_a_listing_would_find() -> None:
    assert next_entry("journal/news/dev/", 41) == 42
    with pytest.raises(PlanError, match="journal/news/dev/000000000.json has the last number .* delete that object"):
        next_entry("journal/news/dev/", LAST_ENTRY)
