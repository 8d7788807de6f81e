"""What `--json` prints: one document a command, whose JSON Schemas stand in docs/schemas/.

Fields are added under the same schema number; one that goes away or changes its meaning raises it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.output.lines import say_document
from tasks.project.model import Environment
from tasks.release import actions
from tasks.release.actions import Action, subject
from tasks.release.contents import Contents, Difference, Distribution
from tasks.release.doubts import Finding
from tasks.release.events import Event, Planned
from tasks.release.evidence import Evidence
from tasks.release.journal import Entry, entry_changes
from tasks.release.pruning import Pruning, StoredObject
from tasks.release.status import Row, Status

SCHEMA = 1


@dataclass(frozen=True)
class Verification:
    """`inv verify`: `ok` if nothing was found; `entry` is the journal's number of what should run."""

    schema: int
    environment: str
    entry: int | None
    release: str | None
    commit: str | None
    ok: bool
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def verification(evidence: Evidence, found: Sequence[Finding], notes: Sequence[str]) -> Verification:
    """What `inv verify` found."""
    entry, name = evidence.confirmed, evidence.environment.name
    release, commit = (entry.version, entry.commit) if entry else (None, None)
    number = entry.number if entry else None
    return Verification(SCHEMA, name, number, release, commit, not found, tuple(found), tuple(notes))


@dataclass(frozen=True)
class EnvironmentPart:
    """One environment; `since` and `by` say when and by whom it was deployed to last."""

    name: str
    status: str
    entry: int | None
    release: str | None
    commit: str | None
    since: str | None
    by: str | None
    functions: tuple[Row, ...]
    why: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """`inv status`: environments in the order in which a release goes through them."""

    schema: int
    environments: tuple[EnvironmentPart, ...]


def overview(found: Iterable[Status]) -> Overview:
    """What `inv status` found."""
    return Overview(SCHEMA, tuple(map(_environment, found)))


def _environment(status: Status) -> EnvironmentPart:
    entry = status.entry
    return EnvironmentPart(
        name=status.name,
        status=status.mark.value,
        entry=entry.number if entry else None,
        release=entry.version if entry else None,
        commit=entry.commit if entry else None,
        since=entry.begun if entry else None,
        by=str(entry.who) if entry else None,
        functions=status.rows,
        why=status.why,
    )


@dataclass(frozen=True)
class EntryPart:
    """One entry of the journal; times are UTC, `ended` is empty while it is open."""

    number: int
    what: str
    status: str
    release: str
    commit: str
    by: str
    caller: str
    begun: str
    ended: str
    reason: str
    emergency: str
    changes: tuple[str, ...]


@dataclass(frozen=True)
class History:
    """`inv history`: entries, the newest first."""

    schema: int
    environment: str
    entries: tuple[EntryPart, ...]


def history(environment: str, entries: Iterable[Entry]) -> History:
    """What the journal says."""
    return History(SCHEMA, environment, tuple(map(_entry, entries)))


def _entry(entry: Entry) -> EntryPart:
    return EntryPart(
        number=entry.number,
        what=entry.what,
        status=entry.status.value,
        release=entry.version,
        commit=entry.commit,
        by=str(entry.who),
        caller=entry.who.caller,
        begun=entry.begun,
        ended=entry.ended,
        reason=entry.reason,
        emergency=entry.emergency,
        changes=tuple(entry_changes(entry)),
    )


@dataclass(frozen=True)
class ArchivePart:
    """An archive: bytes as it is and unpacked, unpacked bytes by package, and SHA-256 (hex) by file."""

    name: str
    size: int
    unpacked: int
    distributions: tuple[Distribution, ...]
    packages: dict[str, int]
    files: dict[str, str]
    used: tuple[str, ...]


@dataclass(frozen=True)
class Archives:
    """`inv show`: archives, and for a layer version or a digest who uses it.

    `mixed` says which function runs what, where an environment runs several releases and so has no one archive of each.
    """

    schema: int
    archives: tuple[ArchivePart, ...]
    mixed: tuple[str, ...]


def archives(found: Mapping[str, Contents], used: Sequence[str], mixed: Sequence[str] = ()) -> Archives:
    """What `inv show` found."""
    return Archives(SCHEMA, tuple(_archive(name, each, used) for name, each in found.items()), tuple(mixed))


def _archive(name: str, contents: Contents, used: Sequence[str]) -> ArchivePart:
    files = {path: sha256 for path, (sha256, _) in sorted(contents.files.items())}
    sizes = (contents.size, contents.unzipped)
    return ArchivePart(name, *sizes, contents.distributions, contents.packages, files, tuple(used))


@dataclass(frozen=True)
class DifferencePart(Difference):
    """How the archives of one name differ."""

    name: str
    same: bool


@dataclass(frozen=True)
class Comparison:
    """`inv compare`: archives, and for environments how their functions and configuration differ."""

    schema: int
    before: str
    after: str
    same: bool
    archives: tuple[DifferencePart, ...]
    environment: tuple[str, ...]


def comparison(before: str, after: str, found: Mapping[str, Difference], lines: Sequence[str]) -> Comparison:
    """How two things differ."""
    parts = tuple(DifferencePart(name=name, same=each.empty, **vars(each)) for name, each in found.items())
    return Comparison(SCHEMA, before, after, not lines and all(each.same for each in parts), parts, tuple(lines))


@dataclass(frozen=True)
class ChangePart:
    """One change: `kind` is the action, `subject` what it is about, `text` what it does."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class PlanDocument:
    """A dry run: what would be changed, in order; `pending` if there is anything to do.

    `questions` are what somebody would be asked to agree to, `notes` what is left out or should be known.
    """

    schema: int
    environment: str
    what: str
    release: str
    commit: str
    pending: bool
    changes: tuple[ChangePart, ...]
    notes: tuple[str, ...]
    questions: tuple[str, ...]


def plan_document(event: Planned) -> PlanDocument:
    """A plan that is only shown."""
    goal, changes = event.goal, tuple(map(_change, event.plan.actions))
    pending = bool(changes) or not event.confirmed
    head = (SCHEMA, goal.environment.name, goal.what, str(goal.release), goal.release.commit, pending)
    return PlanDocument(*head, changes, tuple(map(str, event.plan.notes)), event.asked)


def _change(action: Action) -> ChangePart:
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(action).__name__).lower()
    text = action.what if isinstance(action, actions.Switch) else str(action)
    return ChangePart(kind, subject(action) or kind, text)


@dataclass(frozen=True)
class LayerVersionPart:
    """A layer version by its ARN: its layer in release.toml, and our version."""

    arn: str
    layer: str
    version: str


@dataclass(frozen=True)
class PruningDocument:
    """`inv prune`: what nobody needs any more, its bytes, and why more is kept; `deleted` if it is gone now."""

    schema: int
    environment: str
    layer_versions: tuple[LayerVersionPart, ...]
    objects: tuple[StoredObject, ...]
    size: int
    kept: tuple[str, ...]
    deleted: bool


def pruning(environment: Environment, found: Pruning, why: Sequence[str], *, deleted: bool) -> PruningDocument:
    """What may be deleted, or was."""
    versions = tuple(LayerVersionPart(each.arn, each.layer, each.version) for each in found.versions)
    return PruningDocument(SCHEMA, environment.name, versions, found.objects, found.size, tuple(why), deleted)


def print_plan(event: Event) -> None:
    """The consumer of a dry run's events that prints its plan as a document, and nothing else."""
    if isinstance(event, Planned):
        print_document(plan_document(event))


DOCUMENTS = {
    "verify": Verification,
    "status": Overview,
    "history": History,
    "show": Archives,
    "compare": Comparison,
    "plan": PlanDocument,
    "prune": PruningDocument,
}
"""Each command's document; `plan` is that of every dry run."""


def print_document(document: Any) -> None:
    """Print it as JSON."""
    import msgspec

    say_document(json.dumps(msgspec.to_builtins(document), indent=2))
