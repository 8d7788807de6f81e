"""The journal in a bucket: conditional writes, S3's clock, and what is made of answers that are lost."""

from dataclasses import replace
from functools import partial

import pytest
from botocore.exceptions import ConnectionClosedError

from tasks.aws.journal import Journal
from tasks.aws.who import check_caller, has_ended, whoami
from tasks.errors import AwsError, PlanError, TakenError
from tasks.release.deployed import CanonicalObject
from tasks.release.journal import Entry, Quiet, Snapshot, Status, Who, quiet
from tests.aws.recorder import refusal
from tests.examples import DEV, STAGE
from tests.fake_aws import FakeAws

ENTRY = Entry(0, "deploy", "releases/core-1.0.0/x.json", "core 1.0.0", "abc1234", Who(), "")
A, B = Who(user="Anna", host="a", nonce="a"), Who(user="Ben", host="b", nonce="b")


def journal(aws: FakeAws, who: Who = A, project: str = "news") -> Journal:
    return Journal(aws.connection(DEV, who.nonce), project, who, lambda _who: False)


def once(aws: FakeAws, error: BaseException, when: str, operation: str = "put_object") -> None:
    """The next call of an operation ends in an error, before or after it took effect."""
    errors = [error]

    def gate(_actor: str, called: str, moment: str) -> None:
        if called == operation and moment == when and errors:
            raise errors.pop()

    aws.gate = gate


def bodies(aws: FakeAws) -> list[bytes]:
    """Every writing of an entry, in order."""
    written: list[bytes] = []
    put = aws.put_object

    def noted(**request: object) -> object:
        body = request["Body"]
        assert isinstance(body, bytes)
        written.append(body)
        return put(**request)  # type: ignore[arg-type]

    aws.put_object = noted  # type: ignore[method-assign, assignment]
    return written


def test_whoever_creates_the_next_entry_holds_the_environment() -> None:
    aws = FakeAws()
    held = journal(aws).take(ENTRY)
    assert (held.entry.number, held.entry.status, held.taken_over) == (1, Status.OPEN, False)
    with pytest.raises(PlanError, match="dev is held by Anna on a"):
        journal(aws, B).take(ENTRY)
    held.close(Status.CONFIRMED, Snapshot())
    assert journal(aws, B).take(ENTRY).entry.number == 2


def test_of_two_who_create_the_same_entry_one_holds_the_environment_and_the_other_is_told() -> None:
    aws = FakeAws()
    others: list[object] = []

    def gate(actor: str, operation: str, when: str) -> None:
        if actor == "a" and operation == "put_object" and when == "before" and not others:
            others.append(journal(aws, B).take(ENTRY))

    aws.gate = gate
    with pytest.raises(PlanError, match="dev is held by Ben on b"):
        journal(aws).take(ENTRY)
    assert [entry.who.user for entry in journal(aws).entries()] == ["Ben"]


def test_two_projects_and_two_environments_in_one_bucket_do_not_lock_each_other() -> None:
    aws = FakeAws()
    stage = Journal(aws.connection(STAGE.__class__(**{**vars(STAGE), "bucket": DEV.bucket}), "s"), "news", B)
    for each in (journal(aws), journal(aws, B, "weather"), stage):
        assert each.take(ENTRY).entry.number == 1


def test_an_entry_without_a_sign_of_life_is_taken_over_after_its_term_with_what_was_there_before() -> None:
    aws, before = FakeAws(), Snapshot(canonical={"canonical/a": CanonicalObject("0" * 64)})
    journal(aws).take(ENTRY).note(before)
    aws.sleep(62)
    with pytest.raises(PlanError, match="is held by Anna"):
        journal(aws, B).take(ENTRY)
    aws.sleep(2)
    taken = journal(aws, B).take(ENTRY)
    assert (taken.taken_over, taken.entry.number, taken.entry.before) == (True, 2, before)
    assert [entry.status for entry in journal(aws).entries()] == [Status.OPEN, Status.ABANDONED]


def test_a_sign_of_life_keeps_it() -> None:
    aws = FakeAws()
    held = journal(aws).take(ENTRY)
    aws.sleep(50)
    held.renew()
    aws.sleep(50)
    with pytest.raises(PlanError, match="is held by Anna"):
        journal(aws, B).take(ENTRY)


def test_whoever_was_taken_over_may_write_nothing_more() -> None:
    aws = FakeAws()
    held = journal(aws).take(ENTRY)
    aws.sleep(70)
    journal(aws, B).take(ENTRY)
    close = partial(held.close, Status.CONFIRMED, Snapshot())
    for write in (held.renew, partial(held.note, Snapshot()), close):
        with pytest.raises(TakenError, match="taken over by someone else"):
            write()


def test_a_process_that_ended_on_this_machine_is_taken_over_at_once() -> None:
    aws = FakeAws()
    journal(aws).take(ENTRY)
    here = Journal(aws.connection(DEV, "b"), "news", B, lambda who: who.nonce == "a")
    assert here.take(ENTRY).taken_over


def test_every_writing_of_an_entry_differs_from_all_before_it() -> None:
    aws = FakeAws()
    written = bodies(aws)
    held = journal(aws).take(ENTRY)
    for _ in range(3):
        held.renew()
    held.close(Status.CONFIRMED, Snapshot())
    assert len(set(written)) == len(written) == 5


LOST = ConnectionClosedError(endpoint_url="fake")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_sign_of_life_whose_answer_was_lost_is_given_again_until_it_is_answered(when: str) -> None:
    aws = FakeAws()
    held = journal(aws).take(ENTRY)
    written = bodies(aws)
    once(aws, LOST, when)
    held.renew()
    assert len(written) == (1 if when == "before" else 2)
    held.renew()


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_entry_whose_creation_was_not_answered_is_found_to_be_ours(when: str) -> None:
    aws = FakeAws()
    once(aws, LOST, when)
    held = journal(aws).take(ENTRY)
    held.renew()
    assert held.entry.number == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_close_whose_answer_was_lost_is_looked_at_or_sent_again(when: str) -> None:
    aws = FakeAws()
    held = journal(aws).take(ENTRY)
    once(aws, LOST, when)
    held.close(Status.CONFIRMED, Snapshot())
    newest = journal(aws).newest()
    assert newest
    assert (newest.status, newest.runs) == (Status.CONFIRMED, ENTRY.release)


def test_a_refusal_that_stays_is_an_error_in_words() -> None:
    aws = FakeAws()
    once(aws, refusal("AccessDenied", 403), "before")
    with pytest.raises(AwsError, match="Cannot write entry 1 of the journal: Access Denied"):
        journal(aws).take(ENTRY)


def test_writes_that_wait_for_a_sign_of_life_share_it_and_one_that_began_before_does_not_count() -> None:
    aws = FakeAws()
    held = journal(aws).take(ENTRY)
    written = bodies(aws)
    held.renew()
    held.renew()
    assert len(written) == 2


def test_credentials_of_another_account_deploy_nothing() -> None:
    elsewhere = DEV.__class__(**{**vars(DEV), "account": "999999999999"})
    with pytest.raises(AwsError, match="belong to account 111122223333, but dev is 999999999999"):
        check_caller(FakeAws().connection(elsewhere, "a"))


def test_this_very_process_has_not_ended_and_one_that_never_was_has() -> None:
    me = whoami("arn:aws:iam::111122223333:user/anna", "Anna")
    assert not has_ended(me)
    assert not has_ended(Who(machine="another", process=1, started="0"))
    gone = Who(me.caller, me.user, me.host, me.machine, 2**22 - 7, "0", "x")
    assert has_ended(gone) or not me.machine


def test_a_damaged_entry_is_named() -> None:
    aws = FakeAws()
    journal(aws).take(ENTRY)
    (key,) = aws.keys(DEV.bucket, "journal/")
    aws.put_object(Bucket=DEV.bucket, Key=key, Body=b"{}")
    with pytest.raises(PlanError, match="journal/news/dev/999999998.json is damaged"):
        journal(aws).newest()


def test_once_it_is_closed_nothing_more_is_written() -> None:
    held = journal(FakeAws()).take(ENTRY)
    held.close(Status.CONFIRMED, Snapshot())
    close = partial(held.close, Status.UNDONE, None)
    for write in (held.renew, partial(held.note, Snapshot()), close):
        with pytest.raises(TakenError, match="is closed, so nothing more is written"):
            write()


@pytest.mark.parametrize("stray", ["", "12.json", "notes.txt"])
def test_whatever_else_lies_among_the_entries_hinders_nobody(stray: str) -> None:
    aws = FakeAws()
    aws.put_object(Bucket=DEV.bucket, Key=f"journal/news/dev/{stray}", Body=b"")
    for number in (1, 2, 3):
        held = journal(aws).take(ENTRY)
        assert held.entry.number == number
        held.close(Status.CONFIRMED, Snapshot())
    assert [entry.number for entry in journal(aws).entries(2)] == [3, 2]


def test_an_old_entry_that_is_damaged_leaves_a_gap_to_be_seen() -> None:
    aws = FakeAws()
    for _ in range(3):
        journal(aws).take(ENTRY).close(Status.CONFIRMED, Snapshot())
    aws.put_object(Bucket=DEV.bucket, Key=aws.keys(DEV.bucket, "journal/")[1], Body=b"{}")
    assert [entry.number for entry in journal(aws).entries()] == [3, 1]


def test_a_moment_of_trouble_in_s3_ends_no_deployment() -> None:
    aws = FakeAws()
    held = journal(aws).take(ENTRY)

    def gate(_actor: str, operation: str, when: str) -> None:
        if operation == "put_object" and when == "before" and aws.seconds < 3:
            raise refusal("SlowDown", 503)

    aws.gate = gate
    held.renew()
    assert aws.seconds >= 3


def test_nobody_deployed_if_the_newest_entry_was_closed_before_the_look_began() -> None:
    closed = replace(ENTRY, status=Status.CONFIRMED)
    assert quiet(closed, age=10.0, took=3.0).undisturbed
    assert not quiet(closed, age=4.0, took=3.0).undisturbed  # S3's dates have whole seconds
    assert not quiet(ENTRY, age=100.0, took=3.0).undisturbed
    assert not quiet(replace(ENTRY, status=Status.ABANDONED), age=100.0, took=3.0).undisturbed
    assert quiet(None, age=0.0, took=3.0).undisturbed


def test_where_nobody_has_deployed_since_the_next_entry_is_created_without_a_look() -> None:
    aws = FakeAws()
    journal(aws).take(ENTRY).close(Status.CONFIRMED, Snapshot())
    newest = journal(aws).newest()
    before = Snapshot({}, {"canonical/a": CanonicalObject("a")})
    aws.calls.clear()
    held = journal(aws, B).take(replace(ENTRY, before=before), Quiet(newest, undisturbed=True))
    assert [operation for _, operation in aws.calls] == ["put_object"]
    assert (held.undisturbed, held.entry.number, held.entry.before) == (True, 2, before)
    assert held.entry.runs == ENTRY.release


def test_whoever_was_overtaken_since_looks_again_and_is_told_who_holds_it() -> None:
    aws = FakeAws()
    journal(aws).take(ENTRY).close(Status.CONFIRMED, Snapshot())
    newest = journal(aws).newest()
    journal(aws).take(ENTRY)
    with pytest.raises(PlanError, match="dev is held by"):
        journal(aws, B).take(ENTRY, Quiet(newest, undisturbed=True))


def test_one_sign_of_life_serves_all_that_was_read_before_it() -> None:
    aws = FakeAws()
    held = journal(aws).take(ENTRY)
    aws.calls.clear()
    held.renew(since=0)
    assert aws.calls == []
    mark = held.mark
    held.renew(since=mark)
    held.renew(since=mark)
    assert [operation for _, operation in aws.calls] == ["put_object"]
    held.renew()
    assert len(aws.calls) == 2


def test_what_a_deployment_left_is_carried_over_what_leaves_nothing() -> None:
    aws, left = FakeAws(), Snapshot({}, {"canonical/a": CanonicalObject("a")})
    journal(aws).take(ENTRY).close(Status.CONFIRMED, left)
    journal(aws).take(replace(ENTRY, what="publish")).close(Status.CONFIRMED, Snapshot())
    journal(aws).take(ENTRY).close(Status.UNDONE, None)
    newest = journal(aws).newest()
    assert newest
    assert newest.after == left
