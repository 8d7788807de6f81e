"""Observe, plan, take the journal, apply, confirm, and on any failure undo: the one way an environment is changed.

Nothing is changed before everything was read and planned. A dry run is the same plan, shown and not performed. Before
every write the journal is asked whether the environment is still ours. What ran before is put back when an action
fails, a wait ends badly, a function does not start, or Ctrl-C comes; what is then said of it was read back. A
deployment that is cut off leaves its entry open, and whoever comes next finishes or undoes it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from tasks.aws.smoke import UnconfirmedError, smoke
from tasks.errors import PlanError, ReleaseError, TakenError, listed, one_line
from tasks.jobs import EndedAtOnceError, results, side_by_side
from tasks.release import events
from tasks.release.actions import Action, Publish, Switch, subject
from tasks.release.arns import layer_key
from tasks.release.deployed import Deployed
from tasks.release.events import Report
from tasks.release.journal import Entry, Snapshot, Status, Who, is_confirmed, snapshot
from tasks.release.plan import (
    UPDATE_LAMBDAS,
    UPLOAD,
    Goal,
    Plan,
    Steps,
    plan,
    plan_running,
    replaced_layers,
    taken_over,
)
from tasks.release.rules import questions, working
from tasks.release.undo import plan_undo

if TYPE_CHECKING:  # they import boto3, which `inv --list` must not wait for
    from tasks.aws.journal import Held
    from tasks.aws.reach import Aws

Allowed = Callable[[], None]
"""Asked before every write; raises if the environment is not ours any more."""
Agree = Callable[[Sequence[str]], None]
"""Asked once, after the plan, with what somebody must agree to; raises if nobody does."""


@dataclass
class Attempt:
    """One deployment while it is on its way.

    `seen` is what it planned for, and `mark` when, among the signs of life: one since then serves the first write about
    each function, whose revision was read before (whoever takes over changes all revisions first). `touched` once
    anything that runs may have changed. An update of an `unsettled` function may still take effect.
    """

    goal: Goal
    steps: Steps
    reach: "Aws"
    report: Report
    held: "Held | None" = None
    seen: Deployed = field(default_factory=Deployed)
    mark: int = 0
    touched: bool = False
    unsettled: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The environment's."""
        return self.goal.environment.name

    def allowance(self, action: Action) -> Allowed:
        """What asks the journal, before each write of an action, whether the environment is still ours."""
        since = [self.mark] if isinstance(action, Switch | Publish) else []

        def allowed() -> None:
            if self.held:  # what is written once needs no journal
                self.held.renew(since.pop() if since else None)

        return allowed


def carry_out(  # noqa: PLR0913  (what, how far, where, and who is told and asked)
    goal: Goal, steps: Steps, reach: "Aws", report: Report, *, agree: Agree, dry_run: bool = False
) -> bool:
    """Bring an environment to a goal, as far as the steps go, or leave what it runs as it was.

    Whether there was, or in a dry run would be, something to do.
    """
    report(events.Looking(goal.environment.name))
    quiet, before = reach.observe(goal)
    newest, goal = quiet.newest, taken_over(goal, before)
    decided = plan(goal, before, steps)
    confirmed = is_confirmed(goal, newest) or not steps.functions
    inside = reach.inside(replaced_layers(decided)) if dry_run else {}
    pending = bool(decided.actions) or not confirmed
    # held by tests/test_rules.py `pending and steps.functions`
    asked = asked_of(goal, decided, before, newest) if pending and steps.functions else ()
    report(events.Planned(goal, decided, dry_run, confirmed, newest, inside, asked))
    # held by tests/test_engine.py `dry_run`
    if dry_run or not pending:
        return pending
    # held by tests/test_rules.py tests/test_adopt.py
    agree(asked)
    attempt = Attempt(goal, steps, reach, report)
    if steps == UPLOAD:
        perform(attempt, decided.prepare, before)
        report(events.Confirmed(goal, functions=False, seen=0))
        return pending
    results([partial(reach.may_invoke, name) for name in goal.smoke if name in before.functions])
    with reach.take(entry_for(goal, before, steps), None if asked else quiet) as held:
        attempt.held, attempt.touched, attempt.seen = held, held.taken_over, before
        now, was = begin(attempt, lambda: reach.observe(goal)[1])
        try:
            decided = plan(goal, now, steps)
            if steps.functions and not held.taken_over:
                # held by tests/test_rules.py
                refuse_unasked(attempt, asked, decided, now)
            done = apply(attempt, decided, now)
            # held by tests/test_engine.py `-> was`
            after = confirm(attempt, was, done)
        except UnconfirmedError as error:
            # held by tests/test_engine.py `Status.ABANDONED -> Status.CONFIRMED`
            held.close(Status.ABANDONED, None, str(error))
            raise
        # held by tests/test_protocol.py tests/test_engine.py
        except TakenError:
            raise
        except EndedAtOnceError as error:
            raise _left_open(attempt.name) from error
        # held by tests/test_engine.py `(ReleaseError, KeyboardInterrupt, OSError) -> ReleaseError`
        except (ReleaseError, KeyboardInterrupt, OSError) as error:
            raise undone(attempt, was, str(error) or "Interrupted") from error
        try:
            held.close(Status.CONFIRMED, after)
        except KeyboardInterrupt as error:
            what = f"runs {goal.release}" if steps.functions else f"has {goal.release} published"
            text = f"Ended at once: {attempt.name} {what}, and its journal may not say so yet"
            raise ReleaseError(f"{text}; run the same command again") from error
    report(events.Confirmed(goal, steps.functions, len(after.functions) if steps.functions else 0))
    return pending


def asked_of(goal: Goal, decided: Plan, now: Deployed, newest: Entry | None) -> tuple[str, ...]:
    """What somebody must agree to before a goal is reached."""
    here = goal.environment
    return (*questions(here, decided, now, newest, goal.what), *working(here, goal.smoke, goal.work))


def entry_for(goal: Goal, before: Deployed, steps: Steps) -> Entry:
    """The entry of a deployment as it begins; its number, its holder and what is carried on come with taking it."""
    release = goal.release
    ours = tuple(layer_key(goal.environment, layer.name) for layer in release.layers) if steps.functions else ()
    return Entry(
        number=0,
        what=goal.what,
        release=release.key,
        version=str(release),
        commit=release.commit,
        who=Who(),
        begun="",
        delete=goal.delete,
        ours=ours,
        emergency=goal.emergency,
        before=snapshot(before),
    )


def refuse_unasked(attempt: Attempt, asked: Sequence[str], decided: Plan, now: Deployed) -> None:
    """PlanError if there is something to agree to that nobody was asked: it came up while they were."""
    assert attempt.held  # noqa: S101  (only called once the environment is held)
    mine = attempt.held.entry
    last = replace(mine, number=mine.number - 1, status=Status.CONFIRMED)
    goal = attempt.goal
    if more := [each for each in asked_of(goal, decided, now, last) if each not in asked]:
        raise PlanError(listed(f"{attempt.name} was changed meanwhile; run the same command again:", more))


def _left_open(name: str) -> ReleaseError:
    """The end of a deployment of which some may still take effect, and nobody waited for it."""
    return ReleaseError(
        f"Ended at once: {name} may run a mixture of two releases. Finish by running the same command again, "
        f"or undo it; run: inv rollback --env {name}"
    )


@contextmanager
def holding(reach: "Aws", entry: Entry) -> Iterator["Held"]:
    """Hold an environment for what changes nothing that runs; if that fails, its entry says so and why."""
    with reach.take(entry) as held:
        try:
            yield held
        except TakenError:
            raise
        except (ReleaseError, KeyboardInterrupt, OSError) as error:
            held.close(Status.UNDONE, None, str(error) or "Interrupted")
            raise


def begin(attempt: Attempt, read: Callable[[], Deployed]) -> tuple[Deployed, Snapshot]:
    """What there is now, and what is to be put back if anything fails, noted before the first change.

    Where nobody has deployed since before the plan was made, that is what was seen then, and the entry has it already.
    After a takeover that is what the deployment which was cut off had noted, of the functions that still exist, and
    none of its updates may still land.
    """
    held, goal, reach = attempt.held, attempt.goal, attempt.reach
    assert held  # noqa: S101  (only called once the environment is held)
    if held.undisturbed:
        return attempt.seen, snapshot(attempt.seen)
    try:
        inherited = held.entry.before
        if held.taken_over:
            attempt.report(events.TakenOver(attempt.name))
            there = [*goal.environment.function_names.values(), *(inherited.functions if inherited else ())]
            # held by tests/test_protocol.py tests/test_engine.py
            results([partial(reach.fence, function, held.renew) for function in dict.fromkeys(there)])
        now = read()
        attempt.mark = held.mark
        was = snapshot(now)
        # held by tests/test_protocol.py tests/test_engine.py
        if inherited:
            functions = {name: inherited.functions.get(name, state) for name, state in was.functions.items()}
            was = replace(inherited, functions=functions)
        # held by tests/test_protocol.py tests/test_engine.py
        held.note(was)
    except (ReleaseError, KeyboardInterrupt, OSError) as error:
        if not held.taken_over and not isinstance(error, TakenError):
            held.close(Status.UNDONE, None, str(error) or "Interrupted")
        raise
    return now, was


def apply(attempt: Attempt, decided: Plan, deployed: Deployed) -> Deployed:
    """Perform a plan, part by part; what there should be in the end."""
    deployed = perform(attempt, decided.prepare, deployed)
    if decided.switch:
        attempt.report(events.Prepared(deployed.found(attempt.goal.release)))
    # held by tests/test_engine.py `attempt.touched or bool(decided.switch or decided.configure)`
    attempt.touched = attempt.touched or bool(decided.switch or decided.configure)
    deployed = perform(attempt, decided.switch, deployed)
    deployed = perform(attempt, decided.configure, deployed)
    if decided.configure:
        attempt.report(events.Configured(decided.configure))
    return deployed


def confirm(attempt: Attempt, was: Snapshot, done: Deployed) -> Snapshot:
    """See every function and object on the release, and every function start. ReleaseError says what is not so."""
    goal = attempt.goal
    now = attempt.reach.look(done.canonical)
    if attempt.held:
        now = replace(now, ours=frozenset(attempt.held.entry.ours))
    if attempt.steps.functions:
        # held by tests/test_engine.py `-> ()`
        if wrong := (*differences(plan_running(goal, now)), *vanished(was, now)):
            raise ReleaseError(listed(f"{attempt.name} does not run what it was given:", wrong))
        if goal.environment.function_names and not now.functions:
            raise ReleaseError(
                f"None of the functions of {attempt.name} exists: the layers are published, and nothing runs them; "
                "create the functions, then run the same command again"
            )
        names, payloads = (
            goal.environment.function_names,
            {name: payload for name, payload in goal.smoke.items() if name in now.functions},
        )
        work = smoke(attempt.name, payloads, attempt.reach, attempt.report)
        attempt.reach.rehearsed(goal.release, {key: work[name] for key, name in names.items() if name in work})
    return snapshot(now)


def undone(attempt: Attempt, was: Snapshot, reason: str) -> ReleaseError:
    """Put everything back and close the entry; the error to raise in the end says what came of that."""
    held, name = attempt.held, attempt.name
    assert held  # noqa: S101  (only called once the environment is held)
    if not attempt.touched:
        held.close(Status.UNDONE, None, reason)
        return ReleaseError(f"{reason}\n   Nothing that runs in {name} was changed.")
    attempt.report(events.Undoing(name))
    lost: Sequence[str]
    try:
        lost = undo(attempt, was)
        # held by tests/test_protocol.py tests/test_engine.py `-> True`
        if not lost:
            held.close(Status.UNDONE, None, reason)
            return ReleaseError(f"{reason}\n   {name} is as it was before: its functions and its configuration.")
    except KeyboardInterrupt:
        lost = [f"interrupted again: {name} may run a mixture of two releases"]
    except TakenError:
        raise
    except ReleaseError as failure:
        # held by tests/test_engine.py `str(failure)`
        lost = [str(failure)]
    head = (
        f"{reason}\n   {name} is not as it was before. Finish by running the same command again, or undo it; "
        f"run: inv rollback --env {name}"
    )
    return ReleaseError(listed(head, lost))


def undo(attempt: Attempt, was: Snapshot) -> tuple[str, ...]:
    """Plan from what there is now to what was before, perform that, and read it back; what is different still."""
    goal, reach, before = attempt.goal, attempt.reach, was.deployed()
    there = reach.look(was.canonical)
    if attempt.held:
        attempt.mark = attempt.held.mark
    decided = plan_undo(goal, before, there, attempt.unsettled)
    # held by tests/test_engine.py `keep_going=True`
    perform(attempt, (*decided.switch, *decided.configure), before, keep_going=True)
    now = reach.look({})
    # held by tests/test_engine.py `attempt.unsettled`
    return (*differences(plan_undo(goal, before, now, attempt.unsettled)), *vanished(was, now))


def undo_unfinished(goal: Goal, entry: Entry, reach: "Aws", report: Report) -> None:
    """Undo a deployment that was cut off: everything that it touched becomes what it was before that."""
    attempt = Attempt(goal, UPDATE_LAMBDAS, reach, report, touched=True)
    fresh = replace(entry, what="undo", status=Status.OPEN, ended="", reason="", after=None, counter=0, emergency="")
    with reach.take(fresh) as held:
        attempt.held = held
        _, was = begin(attempt, lambda: reach.look({}))
        if not held.taken_over:
            held.close(Status.UNDONE, None, "nothing was left to undo")
            raise ReleaseError(
                f"It was finished or undone meanwhile, and nothing was changed; run: inv history --env {attempt.name}"
            )
        report(events.Undoing(attempt.name))
        if lost := undo(attempt, was):
            head = f"{attempt.name} could not be put back to what it was; run: inv rollback --env {attempt.name}"
            raise ReleaseError(listed(head, lost))
        held.close(Status.UNDONE, None, "undone by rollback")


def perform(attempt: Attempt, actions: Sequence[Action], deployed: Deployed, *, keep_going: bool = False) -> Deployed:
    """Perform actions side by side where they are about different things; they are reported in their order.

    The first failure is raised once all that had begun has ended; to `keep_going` only a TakenError is.
    """
    calls = [partial(attempt.reach.perform, action, deployed, attempt.allowance(action)) for action in actions]
    failure = None
    with closing(side_by_side(calls, [subject(action) for action in actions], keep_going=keep_going)) as jobs:
        for action, job in zip(actions, jobs, strict=True):
            if failure is None or keep_going:
                attempt.report(events.Begun(action))
            job.wait()
            if job.begun and failure and not keep_going:  # side by side with what failed
                attempt.report(events.Begun(action))
            if job.error:
                # held by tests/test_engine.py `isinstance(job.error, TakenError)`
                failure = job.error if failure is None or isinstance(job.error, TakenError) else failure
                attempt.unsettled |= {job.subject} if getattr(job.error, "unsettled", False) else set()
            elif job.begun:
                attempt.unsettled.discard(job.subject)
                attempt.report(events.Done(job.result))
                deployed = deployed.after(job.result)
    # held by tests/test_engine.py `not isinstance(failure, TakenError)`
    if failure and not (keep_going and isinstance(failure, ReleaseError) and not isinstance(failure, TakenError)):
        raise failure
    return deployed


def vanished(was: Snapshot, now: Deployed) -> tuple[str, ...]:
    """Functions that were there before, and do not answer any more."""
    return tuple(f"{name}: does not exist any more" for name in was.functions if name not in now.functions)


def differences(left: Plan) -> tuple[str, ...]:
    """What a plan would still change of what runs."""
    return (*(f"{each.function}: {each.what}" for each in left.switch), *map(one_line, map(str, left.configure)))
