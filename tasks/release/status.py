"""What an environment runs, in one look: from the journal's newest entries and what the functions say."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tasks.project.model import Environment
from tasks.project.versions import is_older
from tasks.release.deployed import Deployed
from tasks.release.doubts import Finding
from tasks.release.evidence import Evidence
from tasks.release.findings import findings
from tasks.release.journal import ADOPTED, Entry, ways_out
from tasks.release.promotion import repair_command

_STACK = "aws:cloudformation:stack-name"


class Mark(Enum):
    """What stands of an environment or a function, the worse the later."""

    OK = "ok"
    BEHIND = "behind"
    DRIFTED = "drifted"
    MIXED = "mixed"
    MISSING = "nothing deployed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Row:
    """One function: what it runs, our layers by name and version, the beginning of its package's SHA-256."""

    name: str
    mark: Mark
    runtime: str = ""
    layers: str = ""
    package: str = ""


@dataclass(frozen=True)
class Status:
    """One environment. `why` says in a sentence each what is not as it should be, or what comes next."""

    name: str
    mark: Mark
    entry: Entry | None = None
    rows: tuple[Row, ...] = ()
    why: tuple[str, ...] = ()


def status_of(evidence: Evidence, before: Entry | None) -> Status:
    """What stands of an environment; `before` is the newest confirmed entry of the one that is promoted into it."""
    here, deployed, entry = evidence.environment, evidence.deployed, evidence.confirmed
    found = findings(evidence)
    why = [str(each) for each in found]
    rows = tuple(_row(evidence, name) for name in here.function_names.values())
    mark = _mark(evidence, found)
    if mark is Mark.MISSING:
        version = _first_version(before) if before else "VERSION"
        why = [f"Nothing was deployed to {here.name} yet; {repair_command(here, version)}"]
        newest = next(iter(evidence.entries.values()), None)
        why += evidence.unread.values()
        if newest and not newest.closed:
            why.append(f"The {newest.title(here.name)} is not over, or was cut off. {ways_out(here.name, newest)}")
    adopted = ADOPTED in (before.runs if before else "", entry.runs if entry else "")
    if before and not adopted and mark is Mark.OK and entry and before.runs != entry.runs:
        if is_older(_first_version(before), _first_version(entry)):
            why.append(f"{here.previous} is at {before.version}, which is older than what runs here")
        else:
            mark = Mark.BEHIND
            why.append(f"{here.previous} is at {before.version}; {repair_command(here, _first_version(before))}")
    why += [
        f"{name} is tagged as Terraform's, whose next apply takes these layers off unless its resource has "
        "lifecycle { ignore_changes = [layers] }"
        for name, each in deployed.functions.items()
        if any("terraform" in f"{key} {value}".lower() for key, value in each.facts.tags.items())
    ]
    why += [
        f"{name} belongs to the CloudFormation stack {each.facts.tags[_STACK]}, whose next update takes these layers "
        "off unless its template leaves Layers out"
        for name, each in deployed.functions.items()
        if _STACK in each.facts.tags
    ]
    return Status(here.name, mark, entry, rows, tuple(why))


def unreadable(environment: Environment, reason: str) -> Status:
    """An environment of which nothing may be read."""
    return Status(environment.name, Mark.UNKNOWN, why=(reason,))


def _mark(evidence: Evidence, found: Sequence[Finding]) -> Mark:
    """What stands of an environment as a whole."""
    if not evidence.deployed.functions or not (evidence.entries or evidence.unread):
        return Mark.MISSING
    if (
        not evidence.entries
        and ("function", "") not in evidence.unread
        and not any(_versions(evidence.deployed).values())
    ):
        return Mark.MISSING  # its bucket may not be there yet either
    if any(each.unknown for each in found):
        return Mark.UNKNOWN
    adopted = evidence.confirmed is not None and evidence.confirmed.runs == ADOPTED
    if len({tuple(sorted(each.items())) for each in _versions(evidence.deployed).values()}) > 1 and not adopted:
        return Mark.MIXED
    return Mark.DRIFTED if found else Mark.OK


def _first_version(entry: Entry) -> str:
    """The version that names an entry's release: its first layer's."""
    return entry.version.split(",")[0].rpartition(" ")[-1]


def _versions(deployed: Deployed) -> dict[str, dict[str, str]]:
    """For each function, our layers and their versions."""
    running = deployed.running()
    return {name: {layer: version.number for layer, version in each.items()} for name, each in running.items()}


def _row(evidence: Evidence, name: str) -> Row:
    there = evidence.deployed.functions.get(name)
    if there is None:
        return Row(name, Mark.MISSING)
    layers = ", ".join(f"{layer} {number}" for layer, number in _versions(evidence.deployed)[name].items())
    entry = evidence.confirmed
    wanted = entry.after.functions.get(name) if entry and entry.after else None
    if wanted is None:
        mark = Mark.UNKNOWN if entry else Mark.MISSING
        return Row(name, mark, there.state.runtime, layers or "none of ours", there.state.package[:8])
    mark = Mark.OK if wanted.same(there.state) else Mark.DRIFTED
    return Row(name, mark, there.state.runtime, layers or "none of ours", there.state.package[:8])
