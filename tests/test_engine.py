"""The engine on an environment in memory: every failure, at every action, leaves what was there."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from tasks import engine
from tasks.aws.smoke import UnconfirmedError
from tasks.engine import entry_for, holding, undo_unfinished
from tasks.errors import AwsError, ReleaseError, TakenError
from tasks.release.actions import Action, Configure, KeepObject, KeepPackage, Outcome, Publish, Switch
from tasks.release.deployed import CanonicalObject, Deployed
from tasks.release.events import Begun, Confirmed, Done, Event, Looking, Planned, Smoked, TakenOver, Undoing
from tasks.release.invocations import Invocation
from tasks.release.journal import Entry, Quiet, Snapshot, Status, snapshot
from tasks.release.plan import PUBLISH, UPDATE_LAMBDAS, UPLOAD, Goal, Steps, plan
from tasks.release.release import Release
from tests.examples import CORE, DEPS, DEV, FOREIGN, MANIFEST, SETTINGS, STAGE, artifact, functions, package
from tests.fakes import FakeEnvironment, FakeHeld, carry_out, silent

RELEASE = Release((CORE, DEPS, package("ingest"), package("letter")), "abc1234", SETTINGS, MANIFEST)
SMOKE = dict.fromkeys(DEV.function_names.values(), "{}")
GOAL = Goal(DEV, RELEASE, smoke=SMOKE)
PROMOTION = Goal(STAGE, RELEASE, DEV)
FOUND = {"canonical/scopes.yaml": CanonicalObject("f" * 64, "e0")}
REFUSED = AwsError("refused")


def fresh(goal: Goal = GOAL) -> FakeEnvironment:
    """An environment whose functions somebody else made."""
    return FakeEnvironment(Deployed(functions=functions([FOREIGN], goal.environment), canonical=FOUND))


def what_runs(deployed: Deployed) -> tuple[object, object]:
    states = {name: there.state for name, there in deployed.functions.items()}
    return states, {key: each.sha256 for key, each in deployed.canonical.items()}


def heard(events: list[Event]) -> Callable[[Event], None]:
    return events.append


def test_a_deployment_performs_its_plan_and_is_confirmed() -> None:
    there, events = fresh(), list[Event]()
    carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events))
    assert plan(GOAL, there.deployed, UPDATE_LAMBDAS).actions == ()
    assert events[-1] == Confirmed(GOAL, functions=True, seen=2)


def test_a_second_deployment_does_nothing() -> None:
    there = fresh()
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    there.performed.clear()
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert there.performed == []


def test_a_dry_run_tells_the_plan_and_goes_no_step_further() -> None:
    there, events = fresh(), list[Event]()
    carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events), dry_run=True)
    assert [type(event) for event in events] == [Looking, Planned]
    assert there.performed == []


NEWER = replace(RELEASE, artifacts=(artifact("core", "1.3.0", "other"), *RELEASE.artifacts[1:]))


def deployed() -> FakeEnvironment:
    """An environment that runs the release, and has no record of the next one."""
    there = fresh()
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    there.deployed = replace(there.deployed, record=None)
    there.performed.clear()
    return there


def test_a_dry_run_alone_tells_what_changes_inside_each_layer() -> None:
    there = deployed()
    for dry_run in (True, False):
        events = list[Event]()
        carry_out(replace(GOAL, release=NEWER), UPDATE_LAMBDAS, there, heard(events), dry_run=dry_run)
        (planned,) = [event for event in events if isinstance(event, Planned)]
        assert bool(planned.inside) == dry_run


def test_what_was_changed_by_hand_while_the_plan_was_made_is_not_overwritten_unasked() -> None:
    there = deployed()
    take, function = there.take, there.deployed.functions["news-ingest-dev"]

    def meddled(entry: Entry, quiet: Quiet | None = None) -> FakeHeld:
        other = replace(function, state=replace(function.state, handler="by.hand"))
        there.deployed = replace(there.deployed, functions={**there.deployed.functions, "news-ingest-dev": other})
        return take(entry, quiet)

    there.take = meddled  # type: ignore[method-assign]
    with pytest.raises(ReleaseError, match="was changed meanwhile; run the same command again:\n   news-ingest-dev"):
        carry_out(replace(GOAL, release=NEWER), UPDATE_LAMBDAS, there, silent)
    assert not [action for action in there.performed if isinstance(action, Switch)]


def test_what_is_reported_comes_in_the_order_of_the_plan_whatever_ends_first() -> None:
    there, events = fresh(), list[Event]()
    carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events))
    (planned,) = [event for event in events if isinstance(event, Planned)]
    assert [event.action for event in events if isinstance(event, Begun)] == list(planned.plan.actions)
    assert [event.outcome.action for event in events if isinstance(event, Done)] == list(planned.plan.actions)


class Slow(FakeEnvironment):
    """Refuses the first layer, once the second is published beside it."""

    def perform(self, action: Action, deployed: Deployed, allowed: Callable[[], None]) -> Outcome:
        if isinstance(action, Publish) and action.artifact == CORE:
            while not any(isinstance(each, Publish) for each in self.performed):
                time.sleep(0.001)
            raise REFUSED
        return super().perform(action, deployed, allowed)


def test_what_was_done_beside_a_failure_is_told_as_what_it_is() -> None:
    there, events = Slow(fresh().deployed), list[Event]()
    with pytest.raises(ReleaseError, match="refused"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events))
    told = [event.action if isinstance(event, Begun) else event for event in events if isinstance(event, Begun | Done)]
    for before, event in pairwise(told):
        assert not isinstance(event, Done) or event.outcome.action == before  # below the heading that is its own
    assert any(isinstance(event, Done) and isinstance(event.outcome.action, Publish) for event in told)


CASES = [
    (goal, place, when)
    for goal in (GOAL, PROMOTION)
    for place in range(len(plan(goal, fresh(goal).deployed, UPDATE_LAMBDAS).actions))
    for when in ("before", "after")
]


@pytest.mark.parametrize(("goal", "place", "when"), CASES)
def test_a_failure_at_any_action_leaves_everything_as_it_was_and_says_so(goal: Goal, place: int, when: str) -> None:
    there = fresh(goal)
    before = what_runs(there.deployed)
    there.fails = lambda _action, count: (when, REFUSED) if count == place else None
    with pytest.raises(ReleaseError) as raised:
        carry_out(goal, UPDATE_LAMBDAS, there, silent)
    assert what_runs(there.deployed) == before
    name = goal.environment.name
    truths = (f"{name} is as it was before", f"Nothing that runs in {name} was changed")
    assert any(truth in str(raised.value) for truth in truths)


def test_a_failure_before_anything_that_runs_has_changed_undoes_nothing() -> None:
    there, events = fresh(), list[Event]()
    there.fails = lambda action, _place: ("before", REFUSED) if isinstance(action, Publish) else None
    with pytest.raises(ReleaseError, match="^refused\n   Nothing that runs in dev was changed.$"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events))
    assert not any(isinstance(event, Undoing) for event in events)
    assert [entry.status for entry in there.entries] == [Status.UNDONE]


def test_ctrl_c_undoes_too() -> None:
    there = fresh()
    before = what_runs(there.deployed)
    interrupts: list[BaseException] = [KeyboardInterrupt()]
    there.fails = lambda action, _place: (
        ("after", interrupts.pop()) if isinstance(action, Configure) and interrupts else None
    )
    with pytest.raises(ReleaseError, match="^Interrupted\n   dev is as it was before"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert what_runs(there.deployed) == before


def test_a_second_ctrl_c_ends_at_once_and_says_what_to_type() -> None:
    there = fresh()
    switched: list[Action] = []

    def interrupt(action: Action, _place: int) -> tuple[str, BaseException] | None:
        switched.extend([action] if isinstance(action, Switch) else [])
        return ("before", KeyboardInterrupt()) if len(switched) > 1 else None

    there.fails = interrupt
    with pytest.raises(ReleaseError, match="(?s)dev is not as it was before. Finish by running.*interrupted again"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)


def test_a_function_that_does_not_start_puts_everything_back() -> None:
    there = fresh()
    before = what_runs(there.deployed)
    there.answers = lambda name: Invocation(name, "Unhandled", {"errorType": "X", "errorMessage": "no yaml"}, "", 0.1)
    with pytest.raises(ReleaseError, match="smoke test of dev failed.*\n   news-ingest-dev: X: no yaml") as raised:
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert "dev is as it was before" in str(raised.value)
    assert what_runs(there.deployed) == before


def test_after_a_failed_smoke_test_the_second_run_fails_as_well() -> None:
    there = fresh()
    there.answers = lambda name: Invocation(name, "Unhandled", {}, "", 0.1)
    for _ in range(2):
        with pytest.raises(ReleaseError, match="smoke test of dev failed"):
            carry_out(GOAL, UPDATE_LAMBDAS, there, silent)


def test_a_smoke_test_that_could_not_run_is_neither_a_failure_nor_a_confirmation() -> None:
    there, events = fresh(), list[Event]()

    def refuse(_name: str) -> Invocation:
        raise AwsError("not permitted")

    there.answers = refuse
    with pytest.raises(UnconfirmedError, match="dev is not confirmed: its smoke test could not run. not permitted"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events))
    assert plan(GOAL, there.deployed, UPDATE_LAMBDAS).actions == ()
    assert not any(isinstance(event, Confirmed | Undoing) for event in events)


def test_what_could_not_be_put_back_is_named_and_never_called_restored() -> None:
    there = fresh()
    undoing: list[Event] = []

    def fail(action: Action, _place: int) -> tuple[str, BaseException] | None:
        if isinstance(action, Configure):
            return "before", REFUSED
        if undoing and isinstance(action, Switch) and action.function == "news-letter-dev":
            return "before", AwsError("still refused")
        return None

    there.fails = fail
    with pytest.raises(ReleaseError) as raised:
        carry_out(
            GOAL, UPDATE_LAMBDAS, there, lambda event: undoing.append(event) if isinstance(event, Undoing) else None
        )
    text = str(raised.value)
    assert "dev is not as it was before. Finish by running the same command again, or undo it" in text
    assert "news-letter-dev: - core 1.2.4" in text
    assert "news-ingest-dev" not in text


def test_an_environment_that_cannot_be_read_is_not_called_restored_and_its_entry_stays_open() -> None:
    there = fresh()
    there.fails = lambda action, _place: ("before", REFUSED) if isinstance(action, Configure) else None

    def gone(known: Mapping[str, CanonicalObject]) -> Deployed:
        assert known is not None
        raise AwsError("the session has expired")

    there.look = gone  # type: ignore[method-assign]
    with pytest.raises(ReleaseError, match="(?s)dev is not as it was before.*the session has expired"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert [entry.status for entry in there.entries] == [Status.OPEN]


def test_whoever_was_taken_over_stops_and_undoes_nothing() -> None:
    there, events = fresh(), list[Event]()
    there.fails = lambda action, _place: ("before", TakenError("taken")) if isinstance(action, Switch) else None
    with pytest.raises(TakenError, match="^taken$"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events))
    assert not any(isinstance(event, Undoing) for event in events)


def test_whoever_is_taken_over_while_undoing_says_so_whatever_failed_before() -> None:
    there, events, undone = fresh(), list[Event](), list[Action]()
    there.answers = lambda name: Invocation(name, "Unhandled", {"errorMessage": "no"}, "", 0.1)

    def fails(action: Action, _place: int) -> tuple[str, ReleaseError] | None:
        if not any(isinstance(event, Undoing) for event in events):
            return None
        undone.append(action)
        return "before", TakenError("taken") if undone[1:] else AwsError("refused")

    there.fails = fails
    with pytest.raises(TakenError, match="^taken$"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events))
    assert len(undone) > 1


def test_every_deployment_is_journaled_with_what_was_there_before_and_after() -> None:
    there = fresh()
    before = snapshot(there.deployed)
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    (entry,) = there.entries
    assert (entry.status, entry.what, entry.release, entry.runs) == (
        Status.CONFIRMED,
        "deploy",
        RELEASE.key,
        RELEASE.key,
    )
    assert (entry.before, entry.after) == (before, snapshot(there.deployed))


def test_a_smoke_test_that_could_not_run_leaves_the_entry_to_be_finished_or_undone() -> None:
    there = fresh()

    def refuse(_name: str) -> Invocation:
        raise AwsError("not permitted")

    there.answers = refuse
    with pytest.raises(UnconfirmedError):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert [entry.status for entry in there.entries] == [Status.ABANDONED]
    there.answers = lambda name: Invocation(name, "", {}, "", 0.1)
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert [entry.status for entry in there.entries] == [Status.ABANDONED, Status.CONFIRMED]
    assert there.fenced == list(DEV.function_names.values())


def test_an_update_whose_end_is_unknown_is_not_called_undone_until_another_was_accepted() -> None:
    there = fresh()
    lost = AwsError("no answer", unsettled=True)
    there.fails = lambda action, _place: (
        ("before", lost) if isinstance(action, Switch) and "letter" in action.function else None
    )
    with pytest.raises(ReleaseError, match="dev is not as it was before.*\n   news-letter-dev: an update whose end"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)


def test_a_function_changed_by_someone_else_meanwhile_is_found_before_success_is_claimed() -> None:
    there = fresh()
    look = there.look

    def meddled(known: Mapping[str, CanonicalObject]) -> Deployed:
        found = look(known)
        name = "news-ingest-dev"
        state = replace(found.functions[name].state, runtime="python3.13")
        return replace(found, functions={**found.functions, name: replace(found.functions[name], state=state)})

    there.look = meddled  # type: ignore[method-assign]
    with pytest.raises(ReleaseError, match="dev does not run what it was given:\n   news-ingest-dev: runtime"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)


def test_what_is_replaced_is_kept_before_any_function_is_switched() -> None:
    there = fresh()
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    kinds = [type(action) for action in there.performed]
    last_kept = max(place for place, kind in enumerate(kinds) if kind in (KeepPackage, KeepObject))
    assert last_kept < kinds.index(Switch)


def test_publishing_alone_touches_no_function_and_runs_no_smoke_test() -> None:
    there, events = fresh(), list[Event]()
    carry_out(GOAL, PUBLISH, there, heard(events))
    assert not any(isinstance(action, Switch | Configure) for action in there.performed)
    assert events[-1] == Confirmed(GOAL, functions=False, seen=0)


def test_a_function_that_cannot_start_counts_even_if_another_could_not_be_asked() -> None:
    there = fresh()

    def answer(name: str) -> Invocation:
        if "ingest" in name:
            raise AwsError("throttled")
        return Invocation(name, "Unhandled", {"errorType": "X", "errorMessage": "no yaml"}, "", 0.1)

    there.answers = answer
    before = what_runs(there.deployed)
    with pytest.raises(ReleaseError, match="(?s)news-letter-dev: X: no yaml.*dev is as it was before"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert what_runs(there.deployed) == before


def unfinished(there: FakeEnvironment) -> None:
    """A deployment that died after its first switch."""
    there.fails = lambda action, _place: ("after", ZeroDivisionError()) if isinstance(action, Switch) else None
    with pytest.raises(ZeroDivisionError):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    there.fails = lambda _action, _place: None


def test_what_was_cut_off_is_undone_to_what_was_before_it() -> None:
    there = fresh()
    before = what_runs(there.deployed)
    unfinished(there)
    undo_unfinished(GOAL, there.entries[-1], there, silent)
    assert what_runs(there.deployed) == before
    assert [(entry.what, entry.status) for entry in there.entries] == [
        ("deploy", Status.ABANDONED),
        ("undo", Status.UNDONE),
    ]


def test_what_was_finished_meanwhile_is_not_called_undone() -> None:
    there = fresh()
    unfinished(there)
    entry = there.entries[-1]
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    with pytest.raises(ReleaseError, match="It was finished or undone meanwhile, and nothing was changed"):
        undo_unfinished(GOAL, entry, there, silent)
    assert plan(GOAL, there.deployed, UPDATE_LAMBDAS).actions == ()


def test_a_function_deleted_while_a_deployment_was_unfinished_hinders_nobody() -> None:
    there = fresh()
    unfinished(there)
    left = {name: each for name, each in there.deployed.functions.items() if "letter" not in name}
    there.deployed = replace(there.deployed, functions=left)
    undo_unfinished(GOAL, there.entries[-1], there, silent)
    assert there.entries[-1].status is Status.UNDONE


def test_a_function_created_while_a_deployment_was_unfinished_is_put_back_to_what_it_was_then() -> None:
    there = fresh()
    born = there.deployed.functions["news-letter-dev"]
    there.deployed = replace(there.deployed, functions={"news-ingest-dev": there.deployed.functions["news-ingest-dev"]})
    unfinished(there)
    there.deployed = replace(there.deployed, functions={**there.deployed.functions, "news-letter-dev": born})
    there.answers = lambda name: Invocation(name, "Unhandled", {}, "", 0.1)
    with pytest.raises(ReleaseError, match="dev is as it was before"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert there.deployed.functions["news-letter-dev"].state == born.state


def test_a_deployment_that_cannot_even_begin_leaves_nothing_open() -> None:
    there = fresh()
    seen = iter([there.deployed])

    def observe(goal: Goal) -> tuple[Quiet, Deployed]:
        assert goal
        try:
            return Quiet(None), next(seen)
        except StopIteration:
            raise AwsError("no answer") from None

    there.observe = observe  # type: ignore[method-assign]
    with pytest.raises(AwsError, match="no answer"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert [entry.status for entry in there.entries] == [Status.UNDONE]


def test_a_smoke_test_that_would_not_be_permitted_is_found_before_anything_is_changed() -> None:
    there = fresh()

    def refuse(function: str) -> None:
        raise AwsError(f"{function}: not permitted")

    there.may_invoke = refuse  # type: ignore[method-assign]
    with pytest.raises(AwsError, match="not permitted"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert (there.performed, there.entries) == ([], [])


def test_an_upload_takes_no_journal_and_says_that_it_is_over() -> None:
    there, events = fresh(), list[Event]()
    carry_out(GOAL, UPLOAD, there, heard(events))
    assert there.entries == []
    assert events[-1] == Confirmed(GOAL, functions=False, seen=0)


def test_taking_over_and_every_answer_of_the_smoke_test_are_told() -> None:
    there, events = fresh(), list[Event]()
    unfinished(there)
    carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events))
    assert TakenOver("dev") in events
    assert [event.invocation.function for event in events if isinstance(event, Smoked)] == list(SMOKE)


def test_work_of_a_smoke_test_is_handed_on_by_the_functions_name_and_asked_about_where_it_is_known() -> None:
    there, asked = fresh(), list[str]()
    there.answers = lambda name: Invocation(name, "", {}, "", 0.1, ("read s3://a/b",) if "ingest" in name else ())
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert there.work == {"ingest": ("read s3://a/b",), "letter": ()}
    again = fresh()
    engine.carry_out(replace(GOAL, work=there.work), UPDATE_LAMBDAS, again, silent, agree=asked.extend)
    assert asked == ["the smoke test of news-ingest-dev does work: on the sandbox it read s3://a/b"]


def test_an_update_whose_end_was_unknown_is_undone_once_another_was_accepted() -> None:
    there = fresh()
    before = what_runs(there.deployed)
    lost = [AwsError("no answer", unsettled=True)]
    there.fails = lambda action, _place: (
        ("before", lost.pop()) if lost and isinstance(action, Switch) and "letter" in action.function else None
    )
    with pytest.raises(ReleaseError, match="no answer\n   dev is as it was before"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert what_runs(there.deployed) == before


def test_whoever_does_not_agree_has_changed_nothing() -> None:
    there, asked = fresh(), list[str]()

    def refuse(questions: Sequence[str]) -> None:
        asked.extend(questions)
        raise ReleaseError("not agreed")

    with pytest.raises(ReleaseError, match="not agreed"):
        carry_out(replace(GOAL, environment=replace(DEV, confirm=True)), UPDATE_LAMBDAS, there, silent, agree=refuse)
    assert asked == ["dev is changed only once somebody agrees"]
    assert (there.performed, there.entries) == ([], [])


def test_a_function_that_only_the_deployment_which_was_cut_off_knew_is_fenced_too() -> None:
    there = fresh()
    unfinished(there)
    entry = there.entries[-1]
    assert entry.before
    former = {**entry.before.functions, "news-former-dev": entry.before.functions["news-letter-dev"]}
    there.entries[-1] = replace(entry, before=replace(entry.before, functions=former))
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert there.fenced == [*DEV.function_names.values(), "news-former-dev"]


@pytest.mark.parametrize(("error", "reason"), [(KeyboardInterrupt(), "Interrupted"), (REFUSED, "refused")])
def test_what_ended_while_an_environment_was_held_is_in_the_journal(error: BaseException, reason: str) -> None:
    there = fresh()
    with pytest.raises(type(error)), holding(there, entry_for(GOAL, there.deployed, PUBLISH)):
        raise error
    assert [(entry.status, entry.reason) for entry in there.entries] == [(Status.UNDONE, reason)]


class Interrupted(FakeHeld):
    """A journal whose last entry takes a moment to close, during which somebody presses Ctrl-C."""

    def close(self, status: Status, after: Snapshot | None, reason: str = "") -> None:
        if status is Status.CONFIRMED:
            raise KeyboardInterrupt
        super().close(status, after, reason)


def test_ctrl_c_while_only_the_journal_is_to_say_so_says_what_runs_and_what_to_type() -> None:
    there = fresh()
    take = there.take
    there.take = lambda entry, quiet=None: Interrupted(there, take(entry, quiet).taken_over)  # type: ignore[method-assign]
    with pytest.raises(ReleaseError, match="dev runs core 1.2.4, .*its journal may not say so yet; run the same"):
        carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    assert [entry.status for entry in there.entries] == [Status.OPEN]


def test_a_release_that_differs_in_configuration_alone_is_undone_as_well() -> None:
    there = deployed()
    before = what_runs(there.deployed)
    other = replace(RELEASE, canonical={"canonical/scopes.yaml": "e" * 64, "canonical/more.yaml": "d" * 64})
    failures: list[BaseException] = [REFUSED]
    there.fails = lambda action, _place: (
        ("after", failures.pop()) if isinstance(action, Configure) and failures else None
    )
    with pytest.raises(ReleaseError, match="refused\n   dev is as it was before"):
        carry_out(replace(GOAL, release=other), UPDATE_LAMBDAS, there, silent)
    assert what_runs(there.deployed) == before


@pytest.mark.parametrize(("steps", "ours"), [(UPDATE_LAMBDAS, 2), (PUBLISH, 0)])
def test_only_what_attaches_layers_says_that_they_are_ours(steps: Steps, ours: int) -> None:
    assert len(entry_for(GOAL, fresh().deployed, steps).ours) == ours


def test_what_is_told_is_told_once_it_has_ended() -> None:
    there, events = fresh(), list[Event]()
    there.fails = lambda _action, _place: time.sleep(0.01)  # nothing fails, slowly
    carry_out(GOAL, UPDATE_LAMBDAS, there, heard(events))
    done = [event.outcome.action for event in events if isinstance(event, Done)]
    assert len(done) == len(there.performed)
    assert all(event.outcome is not None for event in events if isinstance(event, Done))
