"""An environment in memory, as the engine reaches it, which fails on request."""

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from tasks import engine
from tasks.aws.journal import Held
from tasks.aws.reach import Aws
from tasks.errors import AwsError, PlanError, TakenError
from tasks.release.actions import (
    Action,
    Configure,
    Copy,
    KeepObject,
    KeepPackage,
    Outcome,
    Publish,
    Record,
    Store,
    Switch,
    Upload,
    subject,
)
from tasks.release.deployed import CanonicalObject, Deployed
from tasks.release.events import Event
from tasks.release.invocations import Invocation
from tasks.release.journal import Entry, Quiet, Snapshot, Status
from tasks.release.plan import Goal
from tasks.release.release import Release


def outcome(action: Action, number: int = 7) -> Outcome:
    """What AWS would report of an action that goes well."""
    match action:
        case Publish():
            arn = f"arn:aws:lambda:eu-west-3:111122223333:layer:{action.layer_name}:{number}"
            return Outcome(action, arn=arn)
        case Switch():
            return Outcome(action, revision=f"r{number}")
        case Configure():
            return Outcome(action, etag=f"e{number}")
        case _:
            return Outcome(action)


class FakeEnvironment(Aws):
    """Holds what an environment holds, and performs what it is asked to on that.

    `fails` says of an action, and of how many came before it, what to raise, and whether that is after it took effect.
    """

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed
        self.fails: Callable[[Action, int], tuple[str, BaseException] | None] = lambda _action, _place: None
        self.answers: Callable[[str], Invocation] = lambda name: Invocation(name, "", {"statusCode": 200}, "", 0.1)
        self.performed: list[Action] = []
        self.stored: set[str] = set()
        self.lock = threading.Lock()
        self.entries: list[Entry] = []
        self.fenced: list[str] = []
        self.work: dict[str, Sequence[str]] = {}

    def newest(self) -> Entry | None:
        return self.entries[-1] if self.entries else None

    def take(self, entry: Entry, quiet: Quiet | None = None) -> "FakeHeld":
        assert quiet is None or quiet.newest is self.newest()
        newest = self.newest()
        unfinished = newest is not None and not newest.closed
        before, runs = (newest.before if unfinished and newest else None), newest.runs if newest else ""
        if unfinished and newest:
            self.entries[-1] = replace(newest, status=Status.ABANDONED)
        mine = replace(entry, number=len(self.entries) + 1, before=before, runs=runs)
        self.entries.append(replace(mine, after=newest.after) if newest else mine)
        return FakeHeld(self, unfinished)

    def rehearsed(self, release: Release, work: Mapping[str, Sequence[str]]) -> None:
        assert release
        self.work = dict(work)

    def fence(self, function: str, allowed: Callable[[], None]) -> None:
        allowed()
        self.fenced.append(function)

    def observe(self, goal: Goal) -> tuple[Quiet, Deployed]:
        assert goal
        return Quiet(self.newest()), self.deployed

    def inside(self, replaced: Mapping[str, tuple[str, str]]) -> dict[str, str]:
        return dict.fromkeys(replaced, "something")

    def look(self, known: Mapping[str, CanonicalObject]) -> Deployed:
        there = self.deployed.canonical
        assert all(there[key] == item for key, item in known.items() if key in there and there[key].etag == item.etag)
        return self.deployed

    def perform(self, action: Action, deployed: Deployed, allowed: Callable[[], None]) -> Outcome:
        allowed()
        with self.lock:
            place = len(self.performed)
            self.performed.append(action)
            when, error = self.fails(action, place) or ("", None)
            if error and when == "before":
                raise error
            done = self._effect(action, deployed, place)
            if error:
                raise error
            return done

    def _effect(self, action: Action, deployed: Deployed, place: int) -> Outcome:
        done = outcome(action, place + 100)
        match action:
            case Upload(artifact=artifact) | Copy(artifact=artifact):
                self.stored.add(artifact.key)
            case Store() | KeepPackage() | KeepObject():
                self.stored.add(subject(action))
            case Switch():
                there = self.deployed.functions[action.function]
                if action.revision != there.revision:
                    raise AwsError(f"{action.function} was changed by someone else")
                if action.package_key:
                    assert action.package_key in self.stored, "a package that nobody kept"
                assert all(deployed.resolve(action.after).arns)
            case Configure(contents=contents):
                assert not contents or contents in self.stored, "contents that nobody kept"
            case Publish() | Record():
                pass
        self.deployed = self.deployed.after(done)
        return done

    def may_invoke(self, function: str) -> None:
        assert function in self.deployed.functions

    def invoke(self, function: str, payload: str) -> Invocation:
        assert payload
        return self.answers(function)


class FakeHeld(Held):
    """The newest entry of a journal in memory, as whoever made it holds it; `lost` once somebody else has taken it."""

    def __init__(self, environment: FakeEnvironment, taken_over: bool, *, undisturbed: bool = False) -> None:
        self.environment, self.taken_over, self.undisturbed = environment, taken_over, undisturbed
        self.lost, self.renewed = False, 0

    @property
    def mark(self) -> int:
        return 0

    @property
    def entry(self) -> Entry:  # type: ignore[override]
        return self.environment.entries[-1]

    def renew(self, since: int | None = None) -> None:
        assert since in (None, 0)
        self.renewed += 1
        if self.lost:
            raise TakenError("taken over by someone else")

    def note(self, before: Snapshot) -> None:
        self.environment.entries[-1] = replace(self.entry, before=before)

    def close(self, status: Status, after: Snapshot | None, reason: str = "") -> None:
        self.renew()
        runs, left = self.entry.runs, self.entry.after
        if status is Status.CONFIRMED and self.entry.what != "publish":
            runs, left = self.entry.release, after
        self.environment.entries[-1] = replace(self.entry, status=status, after=left, reason=reason, runs=runs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def silent(_event: Event) -> None:
    """Take an event and say nothing."""


def make_pipe(path: Path) -> None:
    """A named pipe, which whoever reads it would wait for."""
    if sys.platform != "win32":
        os.mkfifo(path)


def nobody(questions: Sequence[str]) -> None:
    """Nobody is here to agree to anything."""
    if questions:
        raise PlanError("nobody is here")


carry_out = partial(engine.carry_out, agree=nobody)
"""As a command does, where nobody is there to be asked."""
