"""The smoke test: every function is asked whether it starts."""

from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from tasks.errors import ReleaseError, listed
from tasks.jobs import side_by_side
from tasks.release import events
from tasks.release.events import Report

if TYPE_CHECKING:  # it imports boto3, which nobody must wait for who only plans
    from tasks.aws.reach import Aws


class UnconfirmedError(ReleaseError):
    """A smoke test that could not run: neither a failure nor a confirmation."""


def smoke(name: str, payloads: Mapping[str, str], reach: "Aws", report: Report) -> dict[str, tuple[str, ...]]:
    """Invoke functions with payloads that make them start and do no work. ReleaseError names those that cannot start.

    An import error is HTTP 200 with a FunctionError. A status of 400 is what a handler answers that refuses the
    payload, and shows that it starts. UnconfirmedError if a function could not be asked. The work that functions did
    all the same is returned, as far as it is known.
    """
    if not payloads:
        return {}
    failed, unasked, work = list[str](), list[str](), dict[str, tuple[str, ...]]()
    report(events.Smoking(name))
    calls = [partial(reach.invoke, *each) for each in payloads.items()]
    with closing(side_by_side(calls, keep_going=True)) as jobs:
        for job in jobs:
            job.wait()
            if isinstance(job.error, ReleaseError):
                unasked.append(str(job.error))
            elif job.error:
                raise job.error
            else:
                report(events.Smoked(job.result))
                work[job.result.function] = job.result.work
                failed += [f"{job.result.function}: {job.result.failure}"] if job.result.error else []
    if failed:
        advice = "correct what it names (in a layer under a new version: inv bump --part patch), then deploy again"
        raise ReleaseError(listed(f"The smoke test of {name} failed; {advice}:", failed))
    if unasked:
        raise UnconfirmedError(
            f"{name} is not confirmed: its smoke test could not run. {unasked[0]}\n   Nothing was undone. Correct that "
            f"and run the same command again, or undo it; run: inv rollback --env {name}"
        )
    return work
