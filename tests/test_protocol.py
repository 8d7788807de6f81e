"""The journal's protocol, explored with the product's own journal and engine on the fake AWS, call by call."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from botocore.exceptions import ConnectionClosedError

from tasks.errors import ReleaseError
from tasks.release.journal import Status
from tests.fake_aws import FakeAws
from tests.worlds import FIRST, SECOND, TERM_AND_MORE, Actor, broken_promises, free, runs, world

EXPLORED: list[int] = []
"""One for each run, so that `pytest -s` can say how many there were."""


class Crash(BaseException):
    """The process is gone."""


def lost() -> BaseException:
    error: BaseException = ConnectionClosedError(endpoint_url="fake")
    return error


@dataclass
class Script:
    """What happens at A's calls: `faults` maps the place of a call to what is done there."""

    faults: dict[int, str]
    meanwhile: Callable[[FakeAws], None] = lambda _aws: None
    made: "count[int]" = field(default_factory=count)
    dead: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    marks: dict[int, str] = field(default_factory=dict)
    aws: FakeAws = field(default_factory=world)

    def gate(self, actor: str, operation: str, when: str) -> None:
        if actor != "A":
            return
        me = threading.get_ident()
        with self.lock:
            if self.dead:
                raise Crash
            if when == "before":
                self.marks[me] = self.faults.get(next(self.made), "")
            fault = self.marks.get(me, "")
            if fault == f"crash {when}":
                self.dead = True
                raise Crash
            if fault == f"lost {when}" and "get" not in operation and "list" not in operation:
                raise lost()
            if fault == "sleep" and when == "before":
                self.aws.sleep(TERM_AND_MORE)
                self.meanwhile(self.aws)
            if fault == "pause" and when == "before":
                self.meanwhile(self.aws)


def attempt(act: Callable[[], None]) -> str:
    """What came of a command: done, refused, or crashed."""
    try:
        act()
    except ReleaseError as error:
        return str(error)
    except Crash:
        return "crashed"
    return "done"


@pytest.fixture(scope="module", autouse=True)
def _counted() -> Iterator[None]:
    """Print how many runs were explored, and how many calls they made: `pytest -s -m long tests/test_protocol.py`."""
    yield
    print(f"\nThe journal's protocol: {len(EXPLORED)} runs of {sum(EXPLORED)} calls explored")


def a_deploys(script: Script) -> str:
    script.aws.gate = script.gate
    said = attempt(lambda: Actor("A", script.aws).deploy(FIRST))
    EXPLORED.append(len(script.aws.calls))
    return said


def somebody_goes_on(aws: FakeAws, how: str) -> None:
    """After a minute, the next command: the same release again, or back to what was."""
    aws.gate = free
    newest = Actor("C", aws).reach().newest()
    aws.sleep(TERM_AND_MORE)
    if newest is None or newest.closed:
        return
    if how == "undo":
        Actor("C", aws).undo()
    else:
        Actor("C", aws).deploy(FIRST if newest.release == FIRST.key else SECOND)


CALLS = 66
"""More than a deployment makes."""
FAULTS = ["crash before", "crash after", "lost before", "lost after"]


def places() -> range:
    script = Script({})
    assert a_deploys(script) == "done"
    made = next(script.made)
    assert made < CALLS
    return range(made)


PLACES = places()
SOME = PLACES[3::7]
EXTENT = [pytest.param(SOME, id="some calls"), pytest.param(PLACES, id="every call", marks=pytest.mark.long)]
"""As a rule the faults are tried at some calls; at every call among what takes long."""


@pytest.mark.parametrize("extent", EXTENT)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("how", ["finish", "undo"])
def test_a_deployment_cut_off_anywhere_keeps_every_promise_and_the_next_command_makes_it_whole(
    fault: str, how: str, extent: range
) -> None:
    for place in extent:
        script = Script({place: fault})
        said = a_deploys(script)
        assert broken_promises(script.aws) == [], (place, fault)
        somebody_goes_on(script.aws, how)
        assert broken_promises(script.aws) == [], (place, fault, how)
        assert len(runs(script.aws)) == 1, (place, fault, said)


@pytest.mark.parametrize("extent", EXTENT)
@pytest.mark.parametrize("other", [FIRST, SECOND], ids=["the same release", "another release"])
@pytest.mark.parametrize("fault", ["pause", "sleep"])
def test_a_second_deployer_at_any_call_of_the_first_breaks_no_promise(fault: str, other: object, extent: range) -> None:
    outcomes = set()
    for place in extent:
        said: list[str] = []

        def meanwhile(aws: FakeAws, said: list[str] = said) -> None:
            chosen = SECOND if other is SECOND else FIRST
            said.append(attempt(lambda: Actor("B", aws).deploy(chosen)))

        script = Script({place: fault}, meanwhile)
        first = a_deploys(script)
        assert broken_promises(script.aws) == [], (place, fault, first, said)
        outcomes.add((first == "done", said == ["done"]))
        somebody_goes_on(script.aws, "finish")
        assert broken_promises(script.aws) == [], (place, fault)
        assert len(runs(script.aws)) == 1, (place, fault, first, said)
    assert (True, False) in outcomes or fault == "sleep" or extent is SOME


@pytest.mark.parametrize("extent", EXTENT)
@pytest.mark.parametrize("second", ["crash before", "crash after", "lost before", "lost after"])
def test_a_sleeper_who_wakes_up_beside_another_fault_breaks_no_promise(second: str, extent: range) -> None:
    for place in extent:
        for later in range(place + 1, min(place + 9, len(PLACES)), 1 if extent is PLACES else 3):

            def meanwhile(aws: FakeAws) -> None:
                attempt(lambda: Actor("B", aws).deploy(SECOND))

            script = Script({place: "sleep", later: second}, meanwhile)
            first = a_deploys(script)
            assert broken_promises(script.aws) == [], (place, later, second, first)
            somebody_goes_on(script.aws, "undo")
            assert broken_promises(script.aws) == [], (place, later, second)


def test_the_one_who_waits_is_told_who_holds_the_environment_since_when_and_for_what() -> None:
    said: list[str] = []
    script = Script(
        {len(PLACES) - 8: "pause"}, lambda aws: said.append(attempt(lambda: Actor("B", aws).deploy(SECOND)))
    )
    assert a_deploys(script) == "done"
    assert said[0].startswith("dev is held by A on ")
    assert "deployment of core 1.0.0, deps 1.0.0 to dev, since " in said[0]
    assert "last sign of life 0 s ago" in said[0]


def test_another_release_is_refused_while_a_deployment_is_unfinished_and_both_ways_out_are_named() -> None:
    script = Script({len(PLACES) - 8: "crash after"})
    assert a_deploys(script) == "crashed"
    script.aws.gate = free
    script.aws.sleep(TERM_AND_MORE)
    said = attempt(lambda: Actor("B", script.aws).deploy(SECOND))
    assert "deployment of core 1.0.0, deps 1.0.0 to dev was cut off (entry 1, A on " in said
    assert "undo it; run: inv rollback --env dev" in said
    assert [entry.status for entry in Actor("B", script.aws).entries()] == [Status.OPEN]


def test_a_taker_waits_out_old_requests_where_an_update_that_changes_nothing_keeps_the_revision() -> None:
    script = Script({len(PLACES) - 8: "crash after"})
    a_deploys(script)
    script.aws.keeps = True
    before = script.aws.seconds
    somebody_goes_on(script.aws, "finish")
    assert script.aws.seconds - before > 300
    assert broken_promises(script.aws) == []


def test_after_a_failed_smoke_test_all_is_as_it_was_and_the_second_run_fails_as_well() -> None:
    aws = world()
    aws.broken = True
    for _ in range(2):
        assert "smoke test of dev failed" in attempt(lambda: Actor("A", aws).deploy(FIRST))
        assert runs(aws) == {"old"}
    assert [entry.status for entry in Actor("A", aws).entries()] == [Status.UNDONE, Status.UNDONE]


def test_a_deployment_with_nothing_to_do_takes_no_lock_and_writes_nothing() -> None:
    aws = world()
    Actor("A", aws).deploy(FIRST)
    aws.calls.clear()
    Actor("A", aws).deploy(FIRST)
    assert {operation for _, operation in aws.calls} <= {
        "get_caller_identity",
        "get_object",
        "list_objects_v2",
        "get_function",
        "list_layer_versions",
    }
    assert len(aws.calls) <= 11
