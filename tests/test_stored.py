"""What earlier versions of this tool have stored is read by everything, for ever.

`stored/schema2` is a journal of two environments, the records of its releases, and a manifest: deployments,
promotions, a rollback, adoptions, a publication, an emergency, what was undone, cut off, taken over and left open.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.archives.manifest import read_manifest
from tasks.project.workspace import Workspace
from tasks.release.entries import is_as_written, read_entry, write_entry
from tasks.release.evidence import Evidence
from tasks.release.findings import findings
from tasks.release.journal import Entry, Status, entry_changes, rollback_target
from tasks.release.keys import entry_number
from tasks.release.release import Release, read_record, write_record
from tasks.release.status import Mark, status_of

STORED = Path(__file__).parent / "stored" / "schema2"
ENTRIES = sorted(STORED.glob("journal/vectora-inbox/*/*.json"))
RECORDS = sorted(STORED.glob("records/releases/*/*.json"))
PROJECT = Workspace(Path(__file__).parents[1]).project()


def read(path: Path) -> Entry:
    return read_entry(path.read_bytes(), path.name)


def journal(environment: str) -> dict[int, Entry]:
    """Newest first, as it is read."""
    return {entry_number(path.name): read(path) for path in ENTRIES if path.parent.name == environment}


def record(key: str) -> Release:
    return read_record((STORED / "records" / key).read_bytes(), key)


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: f"{path.parent.name}-{entry_number(path.name)}")
def test_every_entry_is_as_it_was_written_and_would_be_written_so_again(path: Path) -> None:
    found = read(path)
    assert is_as_written(found, entry_number(path.name))
    assert write_entry(found) == path.read_bytes()
    assert found.title(path.parent.name)
    assert isinstance(entry_changes(found), list)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.parent.name)
def test_every_record_is_that_of_its_key_and_would_be_written_so_again(path: Path) -> None:
    key = path.relative_to(STORED / "records").as_posix()
    assert write_record(record(key)) == path.read_bytes()


def test_the_manifest_is_read(tmp_path: Path) -> None:
    (tmp_path / ".build").mkdir()
    (tmp_path / ".build" / "manifest.json").write_bytes((STORED / "manifest.json").read_bytes())
    entries = read_manifest(Workspace(tmp_path)).entries
    assert {"vectora-core", "common-deps"} <= entries.keys()


def evidence(entries: dict[int, Entry]) -> Evidence:
    """An environment that runs what its journal says."""
    newest = next(each for each in entries.values() if each.closed)
    assert newest.after
    here = PROJECT.environments["dev"]
    return Evidence(here, newest.after.deployed(), {}, entries, record(newest.runs))


def test_status_and_verify_read_an_old_journal_and_find_the_one_entry_that_is_open() -> None:
    found = evidence(journal("dev"))
    assert [each.text.split(",")[0] for each in findings(found)] == ["The deployment of vectora-core 1.4.3"]
    assert status_of(replace(found, glance=True), None).mark is Mark.DRIFTED


def test_status_of_an_old_journal_whose_entries_are_closed_is_ok() -> None:
    entries = {number: each for number, each in journal("dev").items() if number < 15}
    assert status_of(replace(evidence(entries), glance=True), None).mark is Mark.OK


def test_rollback_finds_its_target_in_an_old_journal() -> None:
    entries = list(journal("dev").values())
    assert rollback_target("dev", entries[1:], "").number == 10
    assert rollback_target("dev", entries, "1.2.3").number == 3
    assert entries[0].status is Status.OPEN
