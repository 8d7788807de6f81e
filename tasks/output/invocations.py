"""Prints what came of running functions."""

import json
from collections.abc import Iterator

from tasks.output.lines import say
from tasks.release.invocations import REFUSED, Invocation


def smoked_lines(invocation: Invocation) -> Iterator[str]:
    """Return what came of a smoke test, and of work that it should not have done."""
    if invocation.error:
        yield f"   [ERROR] Smoke test: {invocation.function}: {invocation.failure}"
    else:
        answer = "starts, and refuses the test event" if invocation.status >= REFUSED else "starts"
        yield f"   [OK] Smoke test: {invocation.function} {answer} ({invocation.seconds:.2f} s)"
    # held by tests/output/test_invocations.py
    if invocation.work:
        yield (
            f"   [WARNING] The smoke test of {invocation.function} {', '.join(invocation.work)}, which is work: let "
            'the handler answer {"smoke": true} at once, or leave `smoke` out for it'
        )


def say_invocation(invocation: Invocation, *, log: bool) -> None:
    """Print what came of an invocation, and if asked the end of its log."""
    tag = "[ERROR]" if invocation.error else "[OK]" if invocation.status < REFUSED else "[WARNING]"
    say(
        f"{tag} {invocation.function}",
        f"   Status: {invocation.failure or invocation.status}",
        f"   Duration: {invocation.seconds:.2f} s",
    )
    if not (invocation.error and log and invocation.log):  # the log has the error, with its trace
        say(f"   Answer: {json.dumps(invocation.body, ensure_ascii=False)}")
    if log:
        say("   Log:", *(f"      {line}" for line in invocation.log.splitlines()))
