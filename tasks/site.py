"""Where a command works: the repository it belongs to, and the AWS it talks to."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from invoke import Context

from tasks.errors import ReleaseError
from tasks.layers.workspace import Workspace

__all__ = ["WORKSPACE", "Site", "advising", "here", "use_endpoint"]

WORKSPACE = Workspace(Path(__file__).resolve().parent.parent)
"""The repository that holds this package; `inv` may be called from any folder below it."""


@dataclass(frozen=True)
class Site:
    """A repository, and the AWS that its commands talk to: the sandbox at `endpoint`, or real AWS if that is empty."""

    workspace: Workspace
    endpoint: str


def here(c: Context) -> Site:
    """This repository, and the sandbox if the task `sandbox` came earlier on this command line."""
    return Site(WORKSPACE, str(c.config.get("sandbox_endpoint", "")))


def use_endpoint(c: Context, url: str) -> None:
    """Send the tasks that follow on this command line to the sandbox at `url`.

    Invoke hands one and the same configuration to all tasks of a command line, with what earlier ones changed.
    """
    c.config["sandbox_endpoint"] = url


@contextmanager
def advising(site: Site) -> Iterator[None]:
    """On the sandbox, the commands that errors advise stay there too."""
    try:
        yield
    except ReleaseError as error:
        if not site.endpoint:
            raise
        advice = re.sub(r"\brun: inv (?=deploy|promote|show)", "run: inv sandbox ", error.text)
        raise type(error)(advice) from error
