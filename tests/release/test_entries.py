"""Entries as they are stored."""

import json
from dataclasses import replace

import pytest

from tasks.release.codec import seal_of
from tasks.release.entries import EDITED, is_as_written, read_entry, write_entry
from tasks.release.journal import Snapshot, Status, Who, snapshot
from tests.examples import running
from tests.release.test_journal import entry


def test_an_entry_reads_back_as_it_was_written() -> None:
    whole = replace(entry(3, "A"), before=snapshot(running()), after=Snapshot())
    found = read_entry(write_entry(whole), "entry")
    assert replace(found, seal="") == whole
    assert is_as_written(found, 3)


def stored(**changed: object) -> bytes:
    """What is stored for an entry, with something in it changed or added since."""
    return json.dumps({**json.loads(write_entry(entry(3, "A"))), **changed}, indent=2).encode()


@pytest.mark.parametrize("changed", [{"what": "promote"}, {"reason": "none"}, {"added": 1}, {"seal": "0" * 64}])
def test_an_entry_that_was_edited_shows_whatever_was_changed(changed: dict[str, object]) -> None:
    assert not is_as_written(read_entry(stored(**changed), "entry"), 3)


def test_a_field_that_this_version_does_not_know_is_part_of_what_was_written() -> None:
    newer = {**json.loads(write_entry(entry(3, "A"))), "alias": {"live": 17}}
    found = read_entry(json.dumps({**newer, "seal": seal_of(newer)}).encode(), "entry")
    assert is_as_written(found, 3)


def test_an_entry_of_a_version_that_sealed_none_is_believed() -> None:
    assert is_as_written(read_entry(stored(seal=""), "entry"), 3)


def test_an_edited_entry_that_is_written_again_is_not_sealed_by_that() -> None:
    edited = read_entry(stored(reason="edited"), "entry")
    again = read_entry(write_entry(replace(edited, status=Status.ABANDONED)), "entry")
    assert (edited.seal, again.seal) == (EDITED, EDITED)


def test_what_somebody_wrote_into_an_entry_cannot_steer_a_terminal_and_its_reason_keeps_its_lines() -> None:
    edited = stored(version="core 1.0.0\x1b[2J", who={"user": "anna\n[SUCCESS]", "host": "a\u202eb"}, reason="one\ntwo")
    found = read_entry(edited, "entry")
    assert found.version == "core 1.0.0\\x1b[2J"
    assert found.who == Who(user="anna\\n[SUCCESS]", host="a\\u202eb")
    assert found.reason == "one\ntwo"
