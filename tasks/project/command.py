"""What one command works on: the repository it belongs to, the AWS it talks to, and whether it may change anything."""

import re
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from invoke import Context

from tasks.errors import ConfigError, ReleaseError
from tasks.project.git import git_user
from tasks.project.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
"""The repository that holds this package; `inv` may be called from any folder below it."""

REMOTE = (
    "deploy|publish|upload|update-lambdas|promote|rollback|adopt|prune|history|status|verify|show|compare|invoke|smoke|"
    "e2e"
)
"""The tasks that reach AWS, as a pattern."""

ACCESS_KEY = "SANDBOX"
"""What an access key on the sandbox begins with; the account follows."""

Body = TypeVar("Body", bound=Callable[..., Any])


@dataclass(frozen=True)
class Command:
    """A repository, the sandbox's address (empty for real AWS), and whether Invoke's own --dry was given.

    The address holds the sandbox's key: http://sandbox:KEY@127.0.0.1:PORT.
    """

    workspace: Workspace
    endpoint: str = ""
    dry: bool = False

    @property
    def user(self) -> str:
        """Who git says is at work here; the system's name for them without git."""
        return git_user(self.workspace.root)


def here(c: Context) -> Command:
    """This repository, and the sandbox if the task `sandbox` came earlier on this command line."""
    workspace = Workspace(Path(str(c.config.get("root", ROOT))))
    return Command(workspace, str(c.config.get("sandbox_endpoint", "")), bool(c.config.run.dry))


def address_of(endpoint: str) -> str:
    """A sandbox's address without its key, to show and to send requests to: http://127.0.0.1:PORT."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.hostname}:{parts.port}" if endpoint else ""


class Secret(str):
    """Text that `inv --debug` must not print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"


def use_endpoint(c: Context, url: str, *, stays: bool) -> None:
    """Send the tasks that follow on this command line to the sandbox at `url`, which `stays` after them or does not.

    Invoke hands one and the same configuration to all tasks of a command line, with what earlier ones changed.
    """
    settings: Any = c.config
    settings["sandbox_endpoint"], settings["sandbox_stays"] = Secret(url), stays


def shows(body: Body) -> Body:
    """A task that changes nothing under Invoke's own --dry: it only reads, or does a dry run then."""
    return _guarded(body, changes=False)


def changes(body: Body) -> Body:
    """A task that cannot but change something, and so refuses Invoke's own --dry."""
    return _guarded(body, changes=True)


def for_sandbox(text: str) -> str:
    """Advice as it helps on the sandbox: what reaches AWS begins with the word."""
    text = re.sub(r"\brun: aws ", "after inv sandbox.up, with what inv sandbox.env prints, run: aws ", text)
    return re.sub(rf"\brun: inv (?=({REMOTE})\b)", "run: inv sandbox ", text)


def _heed(*names: str) -> None:
    """Take it for Ctrl-C when somebody ends the job, or closes its terminal, unless that is ignored."""
    for name in names:
        number = getattr(signal, name, None)  # Windows has not all of them
        if number and signal.getsignal(number) is signal.SIG_DFL:
            with suppress(ValueError):  # this is no main thread
                signal.signal(number, signal.default_int_handler)


def _guarded(body: Body, *, changes: bool) -> Body:
    """The body of a task, with what holds for every task around it.

    `inv --dry ...` and `inv -R ...` mean "echo instead of running" to Invoke, which it can do for shell commands alone:
    a task that ignored them would change things for real. On the sandbox, advice stays on the sandbox.
    """

    @wraps(body)
    def guarded(c: Context, *args: Any, **kwargs: Any) -> Any:
        # held by tests/test_dry.py
        if changes and c.config.run.dry:
            name = body.__name__.replace("_", "-")
            raise ConfigError(f"{name} cannot be run dry, and nothing was done; run it without --dry or -R")
        _heed("SIGTERM", "SIGHUP")
        try:
            return body(c, *args, **kwargs)
        except KeyboardInterrupt as error:
            raise ReleaseError("Interrupted") from error
        except OSError as error:
            if not error.strerror:
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise ReleaseError(f"{where}{error.strerror}; correct that, then run the same command again") from error
        except ReleaseError as error:
            if not c.config.get("sandbox_endpoint"):
                raise
            advice = for_sandbox(error.text)
            if advice != error.text and not c.config.get("sandbox_stays"):
                advice += (
                    "\n   Each line starts with an empty sandbox: put both on one line, or first run: inv sandbox.up"
                )
            raise type(error)(advice) from error

    return guarded  # type: ignore[return-value]  # the same signature
