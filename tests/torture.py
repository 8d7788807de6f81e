"""Every call of a deployment, a promotion and a rollback, answered wrongly in every way: what is left, what is said.

    python -m tests.torture            the whole table, printed; --write keeps it in docs/torture.md
    pytest tests/test_torture.py       a sample of it

On the fake AWS, in one process: each case is a fresh world, one call of one command, one fault at that call or from
there on. Held means: the environment is wholly what it was or wholly the release, or its entry is open and the next
command makes it so; the journal has no gap; what was said is true; nothing but a message reaches the user.
"""

import argparse
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from tasks.errors import ReleaseError
from tasks.project.model import Environment
from tests.aws.recorder import refusal
from tests.fake_aws import FakeAws, Instead
from tests.worlds import FIRST, HERE, NEXT, SECOND, TERM_AND_MORE, Actor, broken_promises, free, goal, runs, world


class Killed(BaseException):
    """The process is gone."""


def _coded(s3: str, functions: str, status: int) -> Callable[[str], BaseException]:
    return lambda operation: refusal(s3 if "object" in operation else functions, status)


BEFORE: dict[str, Callable[[str], BaseException]] = {
    "403": _coded("AccessDenied", "AccessDeniedException", 403),
    "404": _coded("NoSuchKey", "ResourceNotFoundException", 404),
    "409": _coded("ConditionalRequestConflict", "ResourceConflictException", 409),
    "412": _coded("PreconditionFailed", "PreconditionFailedException", 412),
    "429": _coded("SlowDown", "TooManyRequestsException", 429),
    "500": _coded("InternalError", "ServiceException", 500),
    "503": _coded("SlowDown", "ServiceException", 503),
    "reset before": lambda _operation: ConnectionClosedError(endpoint_url="fake"),
    "slower than the patience, without effect": lambda _operation: ReadTimeoutError(endpoint_url="fake"),
    "killed before": lambda _operation: Killed(),
}
AFTER: dict[str, Callable[[str], BaseException]] = {
    "reset after": lambda _operation: ConnectionClosedError(endpoint_url="fake"),
    "slower than the patience": lambda _operation: ReadTimeoutError(endpoint_url="fake"),
    "answer lost in a server": _coded("InternalError", "ServiceException", 500),
    "empty answer": lambda _operation: Instead({}),
    "truncated answer": lambda _operation: Instead({"ResponseMetadata": {}}),
    "killed after": lambda _operation: Killed(),
}
FAULTS = {**BEFORE, **AFTER}


@dataclass
class Fault:
    """A fault at one call, counted from 0, or at that and all later calls of the same operation."""

    name: str
    place: int
    lasting: bool
    made: "count[int]" = field(default_factory=count)
    operation: str = ""
    dead: bool = False
    due: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def gate(self, actor: str, operation: str, when: str) -> None:
        if actor != "A":
            return
        with self.lock:
            if self.dead:
                raise Killed
            me = threading.get_ident()
            if when == "before":
                self.due.discard(me)
                here = next(self.made) == self.place
                self.operation = operation if here else self.operation
                if here or (self.lasting and operation == self.operation):
                    self.due.add(me)
            if me not in self.due or (self.name in BEFORE) != (when == "before"):
                return
            error = FAULTS[self.name](operation)
            self.dead = isinstance(error, Killed)
            raise error


@dataclass(frozen=True)
class Verb:
    """A command: what was there before it, and what it is to bring."""

    name: str
    where: Environment
    prepare: Callable[[FakeAws], None]
    act: Callable[[Actor], None]


def _rolled_back(actor: Actor) -> None:
    actor.carry_out(goal(FIRST, HERE, HERE, "rollback"))


def _two_releases(aws: FakeAws) -> None:
    for release in (FIRST, SECOND):
        Actor("before", aws).deploy(release)


VERBS = [
    Verb("deploy", HERE, lambda _aws: None, lambda actor: actor.deploy(FIRST)),
    Verb("promote", NEXT, _two_releases, lambda actor: actor.carry_out(goal(SECOND, NEXT, HERE, "promote"))),
    Verb("rollback", HERE, _two_releases, _rolled_back),
]


def _world(verb: Verb) -> FakeAws:
    aws = world()
    verb.prepare(aws)
    return aws


def calls_of(verb: Verb) -> int:
    """How many calls a command makes if all goes well."""
    aws, fault = _world(verb), Fault("403", -1, lasting=False)
    aws.gate = fault.gate
    verb.act(Actor("A", aws, verb.where))
    return next(fault.made)


def broken(verb: Verb, fault: Fault) -> list[str]:
    """What a case breaks; empty if every promise holds."""
    aws = _world(verb)
    before = runs(aws, verb.where)
    aws.gate = fault.gate
    said = ""
    try:
        verb.act(Actor("A", aws, verb.where))
    except ReleaseError as error:
        said = str(error)
    except Killed:
        said = "killed"
    except Exception as error:  # noqa: BLE001  (exactly this is looked for)
        return [f"a traceback: {type(error).__name__}: {error}"]
    wrong = broken_promises(aws, verb.where)
    now = runs(aws, verb.where)
    if "is as it was before" in said and now != before:
        wrong.append(f"said that all is as it was, and functions run {now}")
    if "Nothing that runs" in said and now != before:
        wrong.append(f"said that nothing was changed, and functions run {now}")
    if not said and (len(now) != 1 or now == before):
        wrong.append(f"said that all went well, and functions run {now}")
    return wrong + _next_command(aws, verb)


def _next_command(aws: FakeAws, verb: Verb) -> list[str]:
    """What is still broken after the next command, a minute later."""
    aws.gate = free
    aws.sleep(TERM_AND_MORE)
    try:
        verb.act(Actor("C", aws, verb.where))
    except ReleaseError as error:
        return [f"the next command is refused: {error}"]
    return [f"after the next command: {each}" for each in broken_promises(aws, verb.where)]


def cases() -> Iterable[tuple[Verb, Fault]]:
    """Every case."""
    for verb in VERBS:
        for place in range(calls_of(verb)):
            for name in FAULTS:
                for lasting in (False, True):
                    yield verb, Fault(name, place, lasting)


def table(chosen: Iterable[tuple[Verb, Fault]]) -> tuple[str, list[str]]:
    """The table of cases held and broken by command and fault, and what is broken in words."""
    held: Counter[tuple[str, str]] = Counter()
    failed: Counter[tuple[str, str]] = Counter()
    words = []
    for verb, fault in chosen:
        wrong = broken(verb, fault)
        (failed if wrong else held)[verb.name, fault.name] += 1
        if wrong:
            words.append(
                f"{verb.name}, call {fault.place}, {fault.name}{' for ever' if fault.lasting else ''}: {wrong}"
            )
    lines = ["| command | fault | cases | held | broken |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {command} | {fault} | {held[command, fault] + failed[command, fault]} | {held[command, fault]} | "
        f"{failed[command, fault]} |"
        for command, fault in sorted({*held, *failed})
    ]
    lines.append(f"| all | all | {held.total() + failed.total()} | {held.total()} | {failed.total()} |")
    return "\n".join(lines), words


def sample(size: int, seed: int = 20260202) -> list[tuple[Verb, Fault]]:
    """So many cases, the same every time."""
    return random.Random(seed).sample(list(cases()), size)  # noqa: S311


def main() -> None:
    """Print the table; an exit status of 1 if anything is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the table in docs/torture.md")
    asked = parser.parse_args()
    text, words = table(cases())
    print(text, *words, sep="\n")
    if asked.write:
        head = "# Every call, answered wrongly in every way\n\nWritten by `python -m tests.torture --write`.\n\n"
        path = Path(__file__).resolve().parent.parent / "docs" / "torture.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(head + text + "\n", encoding="utf-8")
    sys.exit(1 if words else 0)


if __name__ == "__main__":
    main()
