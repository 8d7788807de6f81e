"""What happens while a command runs, as values: all that the engine and the workshop say.

Text, progress and documents for machines are made of these by their consumers in `tasks.output`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tasks.release.actions import Action, Configure, Outcome
from tasks.release.artifacts import Artifact, Kind
from tasks.release.deployed import Deployed
from tasks.release.invocations import Invocation
from tasks.release.journal import Entry
from tasks.release.plan import Goal, Plan
from tasks.release.release import Release


@dataclass(frozen=True)
class Building:
    """An artifact is about to be made, since nothing was kept that is made of the same; `reason` is what changed."""

    kind: Kind
    name: str
    reason: str


@dataclass(frozen=True)
class Downloading:
    """So many bytes are about to be downloaded; 0 where the index does not say how many."""

    size: int


@dataclass(frozen=True)
class Moved:
    """So many more bytes went over the line, one way or the other; fewer than 0 where they have to go again."""

    size: int


@dataclass(frozen=True)
class Importing:
    """What was built is about to be imported, on these runtimes."""

    runtimes: tuple[str, ...]


@dataclass(frozen=True)
class Looking:
    """An environment is about to be looked at."""

    environment: str


@dataclass(frozen=True)
class Superfluous:
    """A layer that was made brings packages (name -> version) that every runtime has, too."""

    name: str
    packages: Mapping[str, str]


@dataclass(frozen=True)
class LeftOut:
    """A file beside the sources that stays out: git does not track it, or it is `stray`, an editor's left-over."""

    path: str
    stray: bool = False


@dataclass(frozen=True)
class NoGit:
    """Nobody says which files belong to the sources, so that all of them are built."""


@dataclass(frozen=True)
class OtherEndings:
    """Files that are built with other line endings than their commit has."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Imported:
    """Everything was imported on a runtime; 0 `modules` where that could not be tried here, for the `reason`.

    `twins` are distributions that were imported in this machine's wheels instead of Lambda's.
    """

    runtime: str
    modules: int
    twins: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Built:
    """An archive has its name: `path` is relative to the repository; `cached` if it had been made before."""

    artifact: Artifact
    path: str
    cached: bool


@dataclass(frozen=True)
class AllBuilt:
    """Archives that were made and found to work together, and where everything was imported."""

    archives: tuple[Built, ...]
    imported: tuple[Imported, ...]


@dataclass(frozen=True)
class Checked:
    """Nothing is wrong with an archive that unpacks to so many bytes."""

    path: str
    unzipped: int


@dataclass(frozen=True)
class Started:
    """What begins, in words (`done` once it has ended), and the release that it is about."""

    title: str
    done: str
    release: Release


@dataclass(frozen=True)
class Planned:
    """What is going to be done, or with `dry_run` would be; `deployed` is what it was planned for.

    `confirmed` if the journal says that the release runs already; `newest` is its newest
    entry. `inside` says, for a dry run, which distributions each exchanged layer brings. `asked` is what somebody must
    agree to first.
    """

    goal: Goal
    plan: Plan
    deployed: Deployed
    dry_run: bool
    confirmed: bool = True
    newest: Entry | None = None
    inside: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Begun:
    """An action begins."""

    action: Action


@dataclass(frozen=True)
class Done:
    """An action is done."""

    outcome: Outcome


@dataclass(frozen=True)
class Prepared:
    """Nothing that runs has changed yet; `arns` maps each layer to the layer version that functions will get."""

    arns: Mapping[str, str]


@dataclass(frozen=True)
class Configured:
    """Objects of the configuration have their new contents."""

    changes: tuple[Configure, ...]


@dataclass(frozen=True)
class Smoking:
    """The smoke test of an environment begins."""

    environment: str


@dataclass(frozen=True)
class Smoked:
    """A function answered its smoke payload."""

    invocation: Invocation


@dataclass(frozen=True)
class TakenOver:
    """A deployment that was cut off is finished or undone; nothing that it sent may still take effect."""

    environment: str


@dataclass(frozen=True)
class Undoing:
    """Something failed, and what was there before is put back."""

    environment: str


@dataclass(frozen=True)
class Confirmed:
    """All went well. Where `functions` were to follow, each of those `seen` runs the release."""

    goal: Goal
    functions: bool
    seen: int


Event: TypeAlias = (
    Building
    | Downloading
    | Moved
    | Importing
    | Looking
    | Superfluous
    | LeftOut
    | NoGit
    | OtherEndings
    | AllBuilt
    | Checked
    | Imported
    | Started
    | Planned
    | Begun
    | Done
    | Prepared
    | Configured
    | Smoking
    | Smoked
    | TakenOver
    | Undoing
    | Confirmed
)
Report: TypeAlias = Callable[[Event], None]


def unheard(_event: Event) -> None:
    """What nobody is told."""
