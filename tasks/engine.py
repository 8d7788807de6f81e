"""Observe, plan, apply, confirm, and on any failure undo: the one way in which anything changes an environment.

Nothing is changed before everything was read and planned. A dry run is the same plan, shown and not performed. What an
environment ran before is put back when an action fails, a wait ends badly, a function does not start, or Ctrl-C comes;
what is then said of it was read back. A second Ctrl-C ends at once.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from tasks.errors import ReleaseError, listed
from tasks.jobs import side_by_side
from tasks.release.actions import Action, Outcome
from tasks.release.deployed import Deployed
from tasks.release.events import Begun, Configured, Confirmed, Done, Planned, Prepared, Report, Smoked, Smoking, Undoing
from tasks.release.invocations import Invocation
from tasks.release.plan import Goal, Plan, Steps, plan, plan_undo


class Reach(Protocol):
    """What the engine asks of an environment: `tasks.aws.reach` has AWS behind it."""

    def observe(self, goal: Goal) -> Deployed:
        """Everything that a plan for the goal rests on."""

    def look(self, goal: Goal) -> Deployed:
        """What runs now: functions, layer versions and configuration."""

    def perform(self, action: Action, deployed: Deployed) -> Outcome:
        """Do it, and look at the result. AwsError if that is not what was asked for."""

    def invoke(self, function: str, payload: str) -> Invocation:
        """Run a function once."""


class UnconfirmedError(ReleaseError):
    """A smoke test that could not run: neither a failure nor a confirmation."""


@dataclass
class Attempt:
    """One deployment while it is on its way.

    `touched` once anything that runs may have changed. An update of an `unsettled` function may still take effect.
    """

    goal: Goal
    steps: Steps
    reach: Reach
    report: Report
    touched: bool = False
    unsettled: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The environment's."""
        return self.goal.environment.name


def carry_out(goal: Goal, steps: Steps, reach: Reach, report: Report, *, dry_run: bool = False) -> None:
    """Bring an environment to a goal, as far as the steps go, or leave what it runs as it was."""
    before = reach.observe(goal)
    decided = plan(goal, before, steps)
    report(Planned(goal, decided, before, dry_run))
    if dry_run or not decided.actions:
        return
    attempt = Attempt(goal, steps, reach, report)
    try:
        apply(attempt, decided, before)
        confirm(attempt)
    except UnconfirmedError:
        raise
    except (ReleaseError, KeyboardInterrupt) as error:
        raise _undone(attempt, before, str(error) or "Interrupted") from error


def apply(attempt: Attempt, decided: Plan, deployed: Deployed) -> None:
    """Perform a plan, part by part."""
    deployed = perform(attempt, decided.prepare, deployed)
    attempt.touched = True
    if decided.switch:
        attempt.report(Prepared(deployed.found(attempt.goal.release)))
    deployed = perform(attempt, decided.switch, deployed)
    perform(attempt, decided.configure, deployed)
    if decided.configure:
        attempt.report(Configured(decided.configure))


def confirm(attempt: Attempt) -> None:
    """See every function and object on the release, and every function start. ReleaseError says what is not so."""
    goal, there = attempt.goal, []
    if attempt.steps.functions:
        now = attempt.reach.look(goal)
        if wrong := differences(plan(goal, now, attempt.steps)):
            raise ReleaseError(listed(f"{attempt.name} does not run what it was given:", wrong))
        there = [name for name in goal.environment.function_names.values() if name in now.functions]
        smoke(goal, [name for name in there if name in goal.smoke], attempt.reach, attempt.report)
    attempt.report(Confirmed(goal, attempt.steps.functions, len(there)))


def smoke(goal: Goal, functions: Sequence[str], reach: Reach, report: Report) -> None:
    """Invoke functions with payloads that make them start and do no work. ReleaseError names those that cannot start.

    An import error is HTTP 200 with a FunctionError. A status of 400 is what a handler answers that refuses the
    payload, and shows that it starts. UnconfirmedError if a function could not be asked.
    """
    if not functions:
        return
    name, failed = goal.environment.name, []
    report(Smoking(name))
    with closing(side_by_side([partial(reach.invoke, each, goal.smoke[each]) for each in functions])) as jobs:
        for job in jobs:
            job.wait()
            if isinstance(job.error, ReleaseError):
                raise UnconfirmedError(f"{name} is not confirmed: its smoke test could not run. {job.error}")
            if job.error:
                raise job.error
            report(Smoked(job.result))
            if job.result.error:
                failed.append(f"{job.result.function}: {job.result.failure}")
    if failed:
        raise ReleaseError(listed(f"The smoke test of {name} failed; correct what it names and deploy again:", failed))


def _undone(attempt: Attempt, before: Deployed, reason: str) -> ReleaseError:
    """Put everything back; the error to raise in the end says what came of that."""
    if not attempt.touched:
        return ReleaseError(f"{reason}\n   Nothing that runs in {attempt.name} was changed.")
    attempt.report(Undoing(attempt.name))
    lost: Sequence[str]
    try:
        lost = undo(attempt, before)
    except KeyboardInterrupt:
        lost = [f"interrupted again: {attempt.name} may run a mixture of two releases"]
    except ReleaseError as failure:
        lost = [str(failure)]
    if lost:
        head = f"{reason}\n   {attempt.name} is not as it was before; run the same command again to finish:"
        return ReleaseError(listed(head, lost))
    return ReleaseError(f"{reason}\n   {attempt.name} is as it was before: its functions and its configuration.")


def undo(attempt: Attempt, before: Deployed) -> tuple[str, ...]:
    """Plan from what there is now to what was before, perform that, and read it back; what is different still."""
    here, reach = attempt.goal.environment, attempt.reach
    decided = plan_undo(here, before, reach.look(attempt.goal), attempt.unsettled)
    perform(attempt, (*decided.switch, *decided.configure), before, keep_going=True)
    left = plan_undo(here, before, reach.look(attempt.goal), attempt.unsettled)
    return differences(left)


def perform(attempt: Attempt, actions: Sequence[Action], deployed: Deployed, *, keep_going: bool = False) -> Deployed:
    """Perform actions side by side where they are about different things; they are reported in their order.

    The first failure is raised once everything that had begun has ended; or, to `keep_going`, left for a look to find.
    """
    calls = [partial(attempt.reach.perform, action, deployed) for action in actions]
    failure = None
    with closing(side_by_side(calls, [action.subject for action in actions], keep_going=keep_going)) as jobs:
        for action, job in zip(actions, jobs, strict=True):
            if failure is None or keep_going:
                attempt.report(Begun(action))
            job.wait()
            if job.error:
                failure = failure or job.error
                attempt.unsettled |= {job.subject} if getattr(job.error, "unsettled", False) else set()
            elif job.begun:
                attempt.unsettled.discard(job.subject)
                attempt.report(Done(job.result))
                deployed = deployed.after(job.result)
    if failure and not (keep_going and isinstance(failure, ReleaseError)):
        raise failure
    return deployed


def differences(left: Plan) -> tuple[str, ...]:
    """What a plan would still change of what runs."""
    return (*(f"{switch.function}: {switch.what}" for switch in left.switch), *map(str, left.configure))
