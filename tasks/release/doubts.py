"""Whether the entries of a journal can be believed: what is damaged, edited, gone, or was written by no deployment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from tasks.errors import one_line
from tasks.release.entries import is_as_written
from tasks.release.journal import Entry
from tasks.release.keys import entry_key

_MOST_GONE = 100_000
"""Entries: whoever has deleted more is less likely than somebody who put an object there."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be, or that is not known."""

    text: str
    remedy: str = ""
    unknown: bool = False

    def __str__(self) -> str:
        return one_line(f"{self.text}; {self.remedy}" if self.remedy else self.text)


def journal_findings(name: str, entries: Mapping[int, Entry | None]) -> Iterator[Finding]:
    """Entries that are damaged, edited or missing among the newest of a journal, by the numbers of their keys."""
    journal, newest = f"of the journal of {name}", next(iter(entries), 0)
    strays = {newer for newer, older in pairwise((*entries, 0)) if newer - older > _MOST_GONE}
    for number, entry in entries.items():
        remedy = f"restore that object: {_stored(number)}"
        # held by tests/release/test_findings.py
        if number in strays:
            text = f"No deployment wrote entry {number} {journal}"
            yield Finding(text, f"delete that object: {_stored(number)}", unknown=True)
        # held by tests/test_verify.py
        elif entry is None:
            yield Finding(f"Entry {number} {journal} is damaged", remedy, unknown=True)
        # held by tests/test_verify.py
        elif not is_as_written(entry, number):
            yield Finding(f"Entry {number} {journal} is not what was written", remedy, unknown=number == newest)
    for newer, older in pairwise(entries):
        # held by tests/test_verify.py
        if newer - older > 1 and newer not in strays:
            text = f"The journal of {name} has a gap between entries {older} and {newer}"
            first = "" if newer - older == 2 else f"{_stored(newer - 1)} to "  # noqa: PLR2004
            yield Finding(text, f"restore what is gone: {first}{_stored(older + 1)}")


def _stored(number: int) -> str:
    """Where an entry is stored, as far as its number says."""
    return entry_key("journal/.../", number)
