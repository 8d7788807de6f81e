"""An environment's memory: what was deployed, by whom, what was there before, and who holds the environment now.

One entry stands for one deployment. It is open, then exactly one of confirmed, undone and abandoned, and never changes
again. Whoever creates entry n+1 holds the environment until that entry is closed, so the journal is the lock as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from tasks.errors import PlanError, one_line
from tasks.project.versions import is_version
from tasks.release.deployed import CanonicalObject, Deployed, DeployedFunction
from tasks.release.functions import State, changes
from tasks.release.keys import LAST_ENTRY
from tasks.release.plan import Goal

TERM = 60
"""Seconds without a sign of life after which an open entry may be taken over."""
_WHOLE_SECONDS = 2
"""S3's dates have whole seconds: two may look that much closer than they are."""
ADOPTED = "adopted"
"""In the place of a record's key: what runs was changed by hand, belongs to no release, and was adopted."""
PREPARING = ("publish", "prune")
"""Commands that do not say what runs."""
HARMLESS = ("adopt", "prune")
"""Commands after which there is nothing to finish or to undo, whenever they were cut off."""


class Status(Enum):
    """What became of a deployment. Abandoned: it was cut off, or could not say how it ended."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    UNDONE = "undone"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class Who:
    """Who deploys: AWS's identity, git's user, and the very process. `nonce` tells this run from every other."""

    caller: str = ""
    user: str = ""
    host: str = ""
    machine: str = ""
    process: int = 0
    started: str = ""
    nonce: str = ""

    def __str__(self) -> str:
        name = self.user or self.caller.rpartition("/")[-1] or "someone"
        return f"{name} on {self.host}" if self.host else name


@dataclass(frozen=True)
class Snapshot:
    """What ran at one moment: AWS name of a function -> state, key of the configuration -> object."""

    functions: Mapping[str, State] = field(default_factory=dict)
    canonical: Mapping[str, CanonicalObject] = field(default_factory=dict)

    def deployed(self) -> Deployed:
        """The same, as an environment that could be planned for."""
        functions = {name: DeployedFunction(state, "") for name, state in self.functions.items()}
        return Deployed(functions=functions, canonical=self.canonical)


def snapshot(deployed: Deployed) -> Snapshot:
    """What runs in an environment."""
    return Snapshot({name: each.state for name, each in deployed.functions.items()}, deployed.canonical)


@dataclass(frozen=True)
class Entry:
    """One deployment.

    what      the command: deploy, promote, rollback, publish
    release   the key of its record; `version` names it for people
    runs      the key of the record that the environment runs once the entry is closed; empty if it is none, and
              ADOPTED for what was changed by hand and adopted since
    delete    whether configuration that the release does not have is removed
    before    what ran before its first change: written before that, and inherited by whoever takes over
    after     what a deployment of ours left here last: what was seen in the end, or carried from the entry before
    counter   makes every writing of the entry differ from all before it
    ours      every layer that was ever attached here by this tool, carried from entry to entry
    emergency why the rules of the house were left aside; empty if they were not
    unadopted an emergency before this entry that nobody has adopted since
    seal      the SHA-256 of all that is stored of it, so that an entry that was edited shows
    """

    number: int
    what: str
    release: str
    version: str
    commit: str
    who: Who
    begun: str
    status: Status = Status.OPEN
    runs: str = ""
    ended: str = ""
    reason: str = ""
    delete: bool = False
    before: Snapshot | None = None
    after: Snapshot | None = None
    counter: int = 0
    ours: tuple[str, ...] = ()
    emergency: str = ""
    unadopted: str = ""
    seal: str = ""

    def title(self, environment: str) -> str:
        """What it is, in words: "deployment of core 1.2.4 to dev"."""
        words = {"deploy": "deployment", "promote": "promotion", "publish": "publication"}
        if self.what == "adopt":
            return f"adoption of what {environment} runs"
        if self.what == "prune":
            return f"pruning of {environment}"
        if self.what in words:
            return f"{words[self.what]} of {self.version} to {environment}"
        return f"{self.what} of {environment} to {self.version}"

    @property
    def closed(self) -> bool:
        """Whether it is known how it ended."""
        return self.status in {Status.CONFIRMED, Status.UNDONE}

    @property
    def unfinished(self) -> bool:
        """Whether it may have changed what runs, and it is not known how it ended."""
        return not self.closed and self.what not in HARMLESS

    @property
    def deployed(self) -> bool:
        """Whether it says what runs: it was confirmed, and not about layer versions alone."""
        return self.status is Status.CONFIRMED and bool(self.runs and self.after) and self.what not in PREPARING

    @property
    def standing_emergency(self) -> str:
        """The emergency that nobody has adopted since, with its entry's number; empty if there is none."""
        if self.what == "adopt" and self.status is Status.CONFIRMED:
            return ""
        # held by tests/test_rules.py `self.status is not Status.UNDONE`
        if self.emergency and self.status is not Status.UNDONE and self.what not in PREPARING:
            return f"entry {self.number}: {self.emergency}"
        return self.unadopted


def emergency_note(environment: str, entry: Entry) -> str:
    """That an emergency is not over until it is adopted."""
    return (
        f"{environment} was changed in an emergency ({entry.standing_emergency}); once what runs is right, "
        f'run: inv adopt --env {environment} --note "..."'
    )


def ways_out(environment: str, entry: Entry) -> str:
    """What can be done about a deployment that was cut off."""
    back = f"run: inv rollback --env {environment}"
    if not entry.unfinished:
        return "run any other command, or the same again"
    if entry.what in {"rollback", "undo"}:
        return f"Finish it; {back}"
    sources = "" if entry.what == "promote" else " on the same sources"
    return f"Finish it by running the same command again{sources}, or undo it; {back}"


class Standing(Enum):
    """What the newest entry means for whoever comes next."""

    FREE = "nobody holds the environment"
    HELD = "somebody does"
    STALE = "somebody did, and gives no sign of life"
    ABANDONED = "somebody did, and it was seen that they had gone"


def standing(entry: Entry | None, age: float, *, gone: bool) -> Standing:
    """What the newest entry means; `age` in seconds by S3's clock, `gone` if its process has ended on this machine."""
    if entry is None or entry.closed:
        return Standing.FREE
    if entry.status is Status.ABANDONED:
        # held by tests/test_protocol.py tests/release/test_journal.py `-> Standing.FREE`
        return Standing.ABANDONED
    # held by tests/test_protocol.py tests/release/test_journal.py `gone or age > TERM + _WHOLE_SECONDS -> True`
    return Standing.STALE if gone or age > TERM + _WHOLE_SECONDS else Standing.HELD


@dataclass(frozen=True)
class Quiet:
    """The newest entry, and whether nobody deployed while the environment was looked at: it was closed before that."""

    newest: Entry | None
    undisturbed: bool = False


def quiet(newest: Entry | None, age: float, took: float) -> Quiet:
    """What a look that `took` so many seconds is worth; `age` in seconds is the newest entry's, by S3's clock."""
    return Quiet(newest, newest is None or (newest.closed and age > took + _WHOLE_SECONDS))


def refuse_held(environment: str, entry: Entry, age: float) -> PlanError:
    """The refusal to go on while somebody else holds the environment."""
    wait = max(1, round(TERM + _WHOLE_SECONDS - age))
    return PlanError(
        f"{environment} is held by {entry.who}: {entry.title(environment)}, since {entry.begun} (entry {entry.number}),"
        f" last sign of life {max(0, round(age))} s ago. Run this again once it is over; if it was cut off, in {wait} s"
    )


def refuse_unfinished(environment: str, entry: Entry) -> PlanError:
    """The refusal to go on with something else than what was cut off."""
    return PlanError(
        f"The {entry.title(environment)} was cut off (entry {entry.number}, {entry.who}). "
        f"{ways_out(environment, entry)}"
    )


def is_confirmed(goal: Goal, entry: Entry | None) -> bool:
    """Whether the newest entry says that the environment runs the goal's release."""
    # held by tests/test_protocol.py tests/release/test_journal.py `not entry.unfinished`
    return entry is not None and not entry.unfinished and entry.runs == goal.release.key


def rollback_target(environment: str, entries: Iterable[Entry], to: str) -> Entry:
    """The confirmed entry whose release a rollback brings back; `entries` newest first. PlanError if there is none.

    By default the newest that is older than the one which first brought the present release, passing over entries that
    were rolled back from. `to` is a number of the journal, or a version.
    """
    found = list(entries)
    # held by tests/test_adopt.py tests/release/test_journal.py `ADOPTED`
    confirmed = [
        each
        for each in found
        if each.status is Status.CONFIRMED and each.what not in PREPARING and each.runs == each.release != ADOPTED
    ]
    if to.isdecimal():
        chosen = [each for each in confirmed if each.number == int(to)]
        if not chosen:
            raise PlanError(f"Entry {to} of {environment} confirmed no release; run: inv history --env {environment}")
        return chosen[0]
    if to and not is_version(to):
        raise PlanError(f"--to {to!r} is neither a number of the journal (38) nor a version (1.2.3)")
    if to:
        return _of_version(environment, confirmed, to)
    newest = next((each for each in found if each.closed), None)
    present, left = newest.runs if newest else "", _rolled_back(found)
    first = min((each.number for each in confirmed if each.release == present), default=LAST_ENTRY)
    for each in confirmed:
        earlier = each.number < first and each.release != present and left.get(each.release, 0) < each.number
        same = newest is not None and present == ADOPTED and each.after == newest.after  # it was adopted as it was
        if earlier and not same:
            return each
    raise PlanError(
        f"{environment} has no earlier confirmed release to go back to; if a later one is meant, name its number with "
        f"--to; run: inv history --env {environment}"
    )


def _of_version(environment: str, confirmed: list[Entry], version: str) -> Entry:
    """The newest confirmed entry of a version; PlanError if there is none, or several releases have it."""
    named = [each for each in confirmed if f" {version}," in f"{each.version},".partition(",")[0] + ","]
    if not named:
        raise PlanError(f"{environment} never ran {version}; run: inv history --env {environment}")
    if len({each.release for each in named}) > 1:
        numbers = ", ".join(str(each.number) for each in named)
        raise PlanError(f"{environment} ran several releases with version {version}; name one of them: --to {numbers}")
    return named[0]


def _rolled_back(entries: list[Entry]) -> dict[str, int]:
    """Releases that a rollback left, each with the number of the last rollback that did."""
    left: dict[str, int] = {}
    for newer, older in pairwise(entries):
        if newer.what == "rollback" and newer.status is Status.CONFIRMED and older.runs:
            left[older.runs] = max(left.get(older.runs, 0), newer.number)
    return left


def entry_changes(entry: Entry) -> list[str]:
    """What an entry changed, a line each: functions, then the configuration."""
    if entry.before is None or entry.after is None or not entry.deployed:
        return []
    lines = []
    for name, after in entry.after.functions.items():
        before = entry.before.functions.get(name)
        if before and not before.same(after):
            lines.append(f"{name}: {changes(before, after)}")
    old, new = ({key: each.sha256 for key, each in moment.canonical.items()} for moment in (entry.before, entry.after))
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            sign = "+" if key not in old else "-" if key not in new else "~"
            lines.append(f"{sign} {key}")
    return list(map(one_line, lines))
