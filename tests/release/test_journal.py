from dataclasses import replace

import pytest

from tasks.errors import PlanError
from tasks.release.journal import (
    ADOPTED,
    TERM,
    Entry,
    Snapshot,
    Standing,
    Status,
    Who,
    entry_changes,
    is_confirmed,
    quiet,
    refuse_held,
    rollback_target,
    snapshot,
    standing,
    ways_out,
)
from tests.examples import CORE, GOAL, artifact, functions, layer_version, running

ANNA = Who("arn:aws:sts::111122223333:assumed-role/x/anna", "Anna", "laptop", "m", 7, "1", "n1")


def entry(number: int, release: str, what: str = "deploy", status: Status = Status.CONFIRMED, runs: str = "") -> Entry:
    """A closed entry; `release` is a letter, and its version is 1.0.<letter>."""
    version = f"core 1.0.{ord(release) - ord('A')}, deps 1.0.5"
    confirmed = release if status is Status.CONFIRMED else runs
    return Entry(number, what, release, version, "abc1234", ANNA, "2026-02-02 10:00:00 UTC", status, confirmed)


def journal(*entries: Entry) -> list[Entry]:
    """Newest first, as it is read."""
    return list(entries)[::-1]


OPEN = replace(entry(2, "A"), status=Status.OPEN)


@pytest.mark.parametrize(
    ("newest", "age", "gone", "expected"),
    [
        (None, 0, False, Standing.FREE),
        (entry(1, "A"), 9999, False, Standing.FREE),
        (entry(1, "A", status=Status.UNDONE), 0, False, Standing.FREE),
        (OPEN, 0, False, Standing.HELD),
        (OPEN, TERM + 2, False, Standing.HELD),
        (OPEN, TERM + 3, False, Standing.STALE),
        (OPEN, 0, True, Standing.STALE),
        (replace(OPEN, status=Status.ABANDONED), 0, False, Standing.ABANDONED),
    ],
)
def test_the_newest_entry_says_whether_the_environment_is_free(
    newest: Entry | None, age: float, gone: bool, expected: Standing
) -> None:
    assert standing(newest, age, gone=gone) is expected


def test_the_one_who_is_refused_is_told_who_holds_it_for_what_and_how_long() -> None:
    text = str(refuse_held("dev", OPEN, 20))
    assert (
        "dev is held by Anna on laptop: deployment of core 1.0.0, deps 1.0.5 to dev, since 2026-02-02 10:00:00 UTC"
        in text
    )
    assert "last sign of life 20 s ago" in text
    assert "in 42 s" in text


@pytest.mark.parametrize(
    ("newest", "confirmed"),
    [
        (None, False),
        (replace(entry(1, "A"), runs=GOAL.release.key), True),
        (replace(entry(1, "A"), runs="another"), False),
        (replace(entry(1, "A", status=Status.UNDONE), runs=GOAL.release.key), True),
        (replace(entry(1, "A", status=Status.OPEN), runs=GOAL.release.key), False),
        (replace(entry(1, "A", status=Status.ABANDONED), runs=GOAL.release.key), False),
    ],
)
def test_up_to_date_needs_the_newest_entry_to_confirm_the_release(newest: Entry | None, confirmed: bool) -> None:
    assert is_confirmed(GOAL, newest) is confirmed


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry(1, "A"), entry(2, "B")], 1),
        ([entry(1, "A"), entry(2, "B"), entry(3, "C")], 2),
        ([entry(1, "A"), entry(2, "B"), entry(3, "C"), entry(4, "B", "rollback")], 1),
        ([entry(1, "A"), entry(2, "B"), entry(3, "C", status=Status.UNDONE, runs="B")], 1),
        ([entry(1, "A"), entry(2, "B"), entry(3, "B")], 1),
        ([entry(1, "A"), entry(2, "B"), entry(3, "A", "rollback"), entry(4, "C")], 3),
        ([entry(1, "A"), entry(2, "B"), entry(3, "C"), entry(4, "A", "rollback"), entry(5, "D")], 4),
        ([entry(1, "A"), entry(2, "B"), entry(3, "A", "rollback"), entry(4, "B"), entry(5, "C")], 4),
    ],
)
def test_a_rollback_goes_to_the_release_before_and_never_back_to_one_that_was_left(
    entries: list[Entry], expected: int
) -> None:
    assert rollback_target("dev", journal(*entries), "").number == expected


def test_a_release_that_was_rolled_back_from_is_passed_over() -> None:
    entries = journal(entry(1, "A"), entry(2, "B"), entry(3, "C"), entry(4, "B", "rollback"), entry(5, "D"))
    assert rollback_target("dev", entries, "").number == 4
    entries = journal(
        entry(1, "A"), entry(2, "B"), entry(3, "A", "rollback"), entry(4, "C"), entry(5, "A", "rollback"), entry(6, "D")
    )
    assert rollback_target("dev", entries, "").number == 5


def test_without_an_earlier_release_there_is_nothing_to_go_back_to() -> None:
    for entries in ([entry(1, "A")], [entry(1, "A"), entry(2, "B", status=Status.UNDONE, runs="A")], []):
        with pytest.raises(PlanError, match="dev has no earlier confirmed release"):
            rollback_target("dev", journal(*entries), "")


def test_a_number_names_an_entry_that_confirmed_a_release() -> None:
    entries = journal(entry(1, "A"), entry(2, "B", status=Status.UNDONE, runs="A"))
    assert rollback_target("dev", entries, "1").number == 1
    for number in ("2", "9"):
        with pytest.raises(PlanError, match=f"Entry {number} of dev confirmed no release; run: inv history --env dev"):
            rollback_target("dev", entries, number)


def test_a_version_names_the_newest_entry_with_it_and_several_releases_are_listed() -> None:
    entries = journal(entry(1, "A"), entry(2, "B"), entry(3, "A"))
    assert rollback_target("dev", entries, "1.0.0").number == 3
    with pytest.raises(PlanError, match="dev never ran 1.0.9"):
        rollback_target("dev", entries, "1.0.9")
    twice = [*entries, replace(entry(1, "Z"), version="core 1.0.0, deps 1.0.5")]
    with pytest.raises(PlanError, match="several releases with version 1.0.0; name one of them: --to 3, 1, 1"):
        rollback_target("dev", twice, "1.0.0")


def test_a_publication_changes_nothing_that_runs_and_is_nothing_to_go_back_to() -> None:
    published = replace(entry(2, "B", "publish"), runs="A")
    with pytest.raises(PlanError, match="no earlier confirmed release"):
        rollback_target("dev", journal(entry(1, "A"), published), "")
    adopted = replace(entry(2, "B"), runs=ADOPTED, release=ADOPTED)
    for named in (published, entry(2, "B", "publish"), entry(2, "B", "prune"), adopted):
        with pytest.raises(PlanError, match="Entry 2 of dev confirmed no release"):
            rollback_target("dev", journal(entry(1, "A"), named), "2")


def test_an_entry_says_what_it_changed() -> None:
    before = running()
    newer = layer_version(artifact("core", "1.3.0", "x"), 2)
    after = replace(before, functions=functions([newer]), canonical={})
    whole = replace(entry(1, "A"), before=snapshot(before), after=snapshot(after))
    lines = entry_changes(whole)
    assert lines[0].startswith(f"news-ingest-dev: core {CORE.version} -> 1.3.0, - tracing 7")
    assert lines[-1] == "- canonical/scopes.yaml"
    assert entry_changes(entry(1, "A")) == []


@pytest.mark.parametrize("to", ["foo", "v1.2.3", "1.2"])
def test_what_is_neither_a_number_nor_a_version_is_refused_as_such(to: str) -> None:
    with pytest.raises(PlanError, match=f"--to '{to}' is neither a number of the journal"):
        rollback_target("dev", [entry(1, "A")], to)


@pytest.mark.parametrize(
    ("who", "text"),
    [
        (ANNA, "Anna on laptop"),
        (replace(ANNA, user=""), "anna on laptop"),
        (Who(), "someone"),
        (Who(user="Ben"), "Ben"),
    ],
)
def test_whoever_deployed_has_a_name(who: Who, text: str) -> None:
    assert str(who) == text


def test_what_nobody_has_journaled_about_is_quiet() -> None:
    closed = entry(1, "A")
    assert quiet(None, 0, 9).undisturbed
    assert [quiet(closed, age, 3).undisturbed for age in (3, 5, 6, 7)] == [False, False, True, True]
    assert not quiet(OPEN, 99, 3).undisturbed


BACK = "run: inv rollback --env dev"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            OPEN,
            "Finish it by running the same command again on the same sources, or undo it; run: inv rollback --env dev",
        ),
        (
            replace(OPEN, what="promote"),
            "Finish it by running the same command again, or undo it; run: inv rollback --env dev",
        ),
        (replace(OPEN, what="rollback"), f"Finish it; {BACK}"),
        (replace(OPEN, what="undo"), f"Finish it; {BACK}"),
        (replace(OPEN, what="prune"), "run any other command, or the same again"),
        (entry(2, "A"), "run any other command, or the same again"),
    ],
)
def test_the_ways_out_of_what_was_cut_off(found: Entry, said: str) -> None:
    assert ways_out("dev", found) == said


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (replace(entry(2, "A"), after=Snapshot()), True),
        (entry(2, "A"), False),
        (replace(entry(2, "A"), after=Snapshot(), runs=""), False),
        (replace(entry(2, "A", status=Status.UNDONE), after=Snapshot()), False),
        (replace(entry(2, "A", "publish"), after=Snapshot()), False),
    ],
)
def test_an_entry_says_what_runs_if_it_was_confirmed_and_about_functions(found: Entry, says: bool) -> None:
    assert found.deployed is says
