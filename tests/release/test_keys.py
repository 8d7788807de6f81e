"""The keys of a bucket."""

import pytest

from tasks.release.keys import entry_key, entry_number


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
