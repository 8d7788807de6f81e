"""inv sandbox watch: what is saved is built, put on the sandbox and started, in a second or so."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from invoke import Context, task

from tasks.deploy import payloads, release_of
from tasks.engine import carry_out
from tasks.errors import ConfigError, ReleaseError
from tasks.output.lines import say
from tasks.project.command import Command, changes, here
from tasks.project.model import Environment
from tasks.release.actions import Configure, Outcome, Switch
from tasks.release.artifacts import Artifact
from tasks.release.events import Done, Event, Noticed, Smoked
from tasks.release.plan import UPDATE_LAMBDAS, Goal

_QUIET = 50
"""Milliseconds without a change after which one is over: editors write a file in several steps."""


@task(
    help={
        "env": "the environment to put it in; the first one without",
        "e2e": "run the whole pipeline for this client after each change, in place of the smoke test",
    }
)
@changes
def watch(c: Context, env: str = "", e2e: str = "") -> None:
    """Put every change of a source or of the configuration on the sandbox as soon as it is saved; Ctrl-C ends it."""
    command = here(c)
    project = command.workspace.project()
    if not command.endpoint:
        raise ConfigError("watch puts what you save on the sandbox, and nowhere else; run: inv sandbox watch")
    environment = project.environment(env or next(iter(project.environments)))
    say(f"[INFO] Watching {', '.join(project.inputs)}; Ctrl-C ends it", "")
    turns(command, environment, e2e)


def turns(command: Command, environment: Environment, client: str = "", stop: threading.Event | None = None) -> None:
    """One turn now, and one after each change, until `stop` is set or Ctrl-C comes."""
    with suppress(KeyboardInterrupt):
        for _ in saved(command, stop):
            take_turn(command, environment, client)


def saved(command: Command, stop: threading.Event | None) -> Iterator[object]:
    """Once as soon as nothing can be missed any more, then after each change of what a build is made from."""
    import watchfiles

    root = command.workspace.root
    paths = [root / each for each in command.workspace.project().inputs]
    options: dict[str, Any] = {"debounce": _QUIET, "step": _QUIET // 2, "rust_timeout": 2 * _QUIET}
    while not (stop and stop.is_set()):
        there = {path: path.stat().st_ino for path in paths if path.exists()}
        for number, found in enumerate(watchfiles.watch(*there, stop_event=stop, yield_on_timeout=True, **options)):
            if {path: path.stat().st_ino for path in paths if path.exists()} != there:
                break  # one was replaced, and what watches the old one sees no more: begin anew
            if found or not number:
                yield found


def take_turn(command: Command, environment: Environment, client: str = "") -> None:
    """Build what has changed, put it on the sandbox, run it, and say in one line what came of that."""
    begun, heard = time.monotonic(), Heard()
    try:
        bring_changes(command, environment, heard, smoke=not client)
        if client:
            from tasks.invoke import run_pipeline

            run_pipeline(command, environment, client)
    except ReleaseError as error:
        say(f"[ERROR] {time.monotonic() - begun:.2f} s: {error}")
        return
    say(f"[OK] {time.monotonic() - begun:.2f} s: {heard}")


class Heard:
    """The consumer of one turn's events: remembers what was changed, and which functions started."""

    def __init__(self) -> None:
        self._changed: list[str] = []
        self._started = 0

    def __call__(self, event: Event) -> None:
        """Remember what is worth a word."""
        match event:
            case Done(outcome=Outcome(action=Switch(function=function))):
                self._changed.append(function)
            case Done(outcome=Outcome(action=Configure())):
                self._changed.append("the configuration")
            case Smoked(invocation=invocation) if not invocation.error:
                self._started += 1
            case Noticed(warning=True):
                say(f"[WARNING] {event.text}")
            case _:
                pass

    def __str__(self) -> str:
        started = f"; {self._started} start" if self._started else ""
        return f"{', '.join(dict.fromkeys(self._changed))}{started}" if self._changed else "nothing has changed"


def bring_changes(command: Command, environment: Environment, heard: Heard, *, smoke: bool) -> None:
    """Make what has changed and deploy it to the sandbox, each content under a version that follows from it.

    Nothing is imported beforehand: the functions themselves do that there.
    """
    from tasks.archives.configuration import read_configuration
    from tasks.archives.judge import check_configured
    from tasks.archives.workshop import make_all
    from tasks.aws.perform import Sources
    from tasks.aws.reach import reach

    checkout = command.workspace.checkout()
    made = make_all(checkout)
    for left_out in dict.fromkeys(each for archive in made for each in archive.recipe.left_out):
        heard(left_out)
    check_configured(checkout, made)
    contents = read_configuration(checkout)
    artifacts = [as_saved(each.artifact) for each in made]
    release = release_of(checkout, artifacts, {key: each.sha256 for key, each in contents.items()})
    files = {each.sha256: each.path for each in contents.values()}
    sources = Sources({each.artifact.name: each.path for each in made}, files)
    smoked = payloads(replace(checkout.project, smoke=smoke), environment)
    goal = Goal(environment, release, smoke=smoked, what="watch")
    carry_out(goal, UPDATE_LAMBDAS, reach(command, environment, sources), heard, agree=lambda _questions: None)


def as_saved(artifact: Artifact) -> Artifact:
    """The same under a version that follows from its contents: while it is worked on, nobody raises one."""
    return replace(artifact, version=f"0.0.{int(artifact.tree[:7], 16)}") if "." in artifact.version else artifact
