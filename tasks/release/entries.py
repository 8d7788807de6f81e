"""Entries of the journal as they are stored: sealed, and fit to be shown once they are read."""

from dataclasses import replace
from typing import Any, TypeVar

from tasks.errors import one_line
from tasks.release.codec import convert, encode, encode_sealed, read_document, seal_of
from tasks.release.journal import Entry, Who

EDITED = "edited"
"""In the place of a seal: the entry is not what was written."""
T = TypeVar("T", Entry, Who)


def write_entry(entry: Entry) -> bytes:
    """Return what is stored for an entry. One that was edited goes on saying so."""
    return encode(entry) if entry.seal == EDITED else encode_sealed(entry)


def read_entry(contents: bytes, what: str) -> Entry:
    """Return the entry that was stored, its seal EDITED if it is not what was written. PlanError if it is damaged."""
    document = read_document(contents, what)
    entry = convert(document, Entry, what)
    # held by tests/release/test_entries.py `entry.seal not in ('', seal_of(document, what))`
    seal = EDITED if entry.seal not in ("", seal_of(document, what)) else entry.seal
    return replace(_shown(entry), who=_shown(entry.who), seal=seal, reason=entry.reason)  # which has lines of its own


def _shown(value: T) -> T:
    """A value whose texts of one line may be shown: whoever may write to the bucket has written them."""
    # held by tests/release/test_entries.py `one_line(text) -> text`
    texts: dict[str, Any] = {name: one_line(text) for name, text in vars(value).items() if isinstance(text, str)}
    return replace(value, **texts)


def is_as_written(entry: Entry, number: int) -> bool:
    """Whether an entry is what was written under its number; one of a version that did not seal them is believed."""
    return entry.number == number and entry.seal != EDITED
