"""What happens while a command runs, as values: all that the engine and the workshop say.

Text, progress and documents for machines are made of these by their consumers in `tasks.output`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tasks.release.actions import Action, Configure, Outcome
from tasks.release.artifacts import Artifact, Kind
from tasks.release.invocations import Invocation
from tasks.release.journal import Entry
from tasks.release.plan import Goal, Plan
from tasks.release.release import Release


class Event:
    """Something that happens while a command runs."""


@dataclass(frozen=True)
class Building(Event):
    """An artifact is about to be made, since nothing was kept that is made of the same; `reason` is what changed."""

    kind: Kind
    name: str
    reason: str


@dataclass(frozen=True)
class Downloading(Event):
    """So many bytes are about to be downloaded; 0 where the index does not say how many."""

    size: int


@dataclass(frozen=True)
class Moved(Event):
    """So many more bytes went over the line, one way or the other; fewer than 0 where they have to go again."""

    size: int


@dataclass(frozen=True)
class Importing(Event):
    """What was built is about to be imported, on these runtimes."""

    runtimes: tuple[str, ...]


@dataclass(frozen=True)
class Looking(Event):
    """An environment is about to be looked at."""

    environment: str


@dataclass(frozen=True)
class Noticed(Event):
    """What whoever builds should know, in words; a `warning` if what is built may not be what is meant."""

    text: str
    warning: bool = True


def left_out(path: str) -> Noticed:
    """What is to be known of a file beside the sources that git does not track."""
    return Noticed(f"{path} is left out: git does not track it; git add it, or ignore or remove it")


@dataclass(frozen=True)
class Imported(Event):
    """What came of importing on a runtime; 0 `modules` where that could not be tried here, for the `reason`.

    `twins` are distributions that were imported in this machine's wheels instead of Lambda's.
    """

    runtime: str
    modules: int
    twins: tuple[str, ...] = ()
    reason: str = ""
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class AllBuilt(Event):
    """Artifacts that were found to work together, `made` now or `unchanged`, and where everything was imported."""

    made: tuple[Artifact, ...]
    unchanged: tuple[Artifact, ...]
    imported: tuple[Imported, ...]


@dataclass(frozen=True)
class Checked(Event):
    """Nothing is wrong with an archive of some `sizes`: its bytes, packed and unpacked."""

    path: str
    sizes: tuple[int, int]


@dataclass(frozen=True)
class Started(Event):
    """What begins, in words (`done` once it has ended), and the release that it is about."""

    title: str
    done: str
    release: Release


@dataclass(frozen=True)
class Planned(Event):
    """What is going to be done, or with `dry_run` would be.

    `confirmed` if the journal says that the release runs already; `newest` is its newest
    entry. `inside` says, for a dry run, which distributions each exchanged layer brings. `asked` is what somebody must
    agree to first.
    """

    goal: Goal
    plan: Plan
    dry_run: bool
    confirmed: bool = True
    newest: Entry | None = None
    inside: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Begun(Event):
    """An action begins."""

    action: Action


@dataclass(frozen=True)
class Done(Event):
    """An action is done."""

    outcome: Outcome


@dataclass(frozen=True)
class Waiting(Event):
    """A function has been waited for, so many seconds by now; said every ten."""

    function: str
    seconds: float


@dataclass(frozen=True)
class Prepared(Event):
    """Nothing that runs has changed yet; `arns` maps each layer to the layer version that functions will get."""

    arns: Mapping[str, str]


@dataclass(frozen=True)
class Configured(Event):
    """Objects of the configuration have their new contents."""

    changes: tuple[Configure, ...]


@dataclass(frozen=True)
class Smoking(Event):
    """The smoke test of an environment begins."""

    environment: str


@dataclass(frozen=True)
class Smoked(Event):
    """A function answered its smoke payload."""

    invocation: Invocation


@dataclass(frozen=True)
class TakenOver(Event):
    """A deployment that was cut off is finished or undone; nothing that it sent may still take effect."""

    environment: str


@dataclass(frozen=True)
class Undoing(Event):
    """Something failed, and what was there before is put back."""

    environment: str


@dataclass(frozen=True)
class Confirmed(Event):
    """All went well. Where `functions` were to follow, each of those `seen` runs the release."""

    goal: Goal
    functions: bool
    seen: int


Report: TypeAlias = Callable[[Event], None]


def unheard(_event: Event) -> None:
    """What nobody is told."""
