"""Reads what proves what an environment runs. What may not be read is noted and not guessed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from tasks.aws.connection import Connection
from tasks.aws.functions import read_aliases, read_function
from tasks.aws.journal import Journal
from tasks.aws.observe import (
    Reads,
    as_known,
    at_once,
    canonical_reads,
    deployed_of,
    load_record,
    named,
    observe_records,
    read_digest,
    read_sha256,
    running_reads,
)
from tasks.aws.refusals import DENIED
from tasks.errors import AwsError, PlanError
from tasks.jobs import results
from tasks.project.model import Function
from tasks.release.artifacts import hex_digest
from tasks.release.deployed import CanonicalObject
from tasks.release.evidence import Alias, Evidence
from tasks.release.journal import ADOPTED, Entry
from tasks.release.promotion import runs
from tasks.release.release import Release, record_prefix

_ENTRIES = 10
"""The newest entries that are read: far enough back for one that says what runs."""
_FARTHEST = 200
"""The newest entries that are read to find out where something was used."""
_AT_ONCE = 20
_PERMISSIONS = {"ListObjectsV2": "s3:ListBucket", "HeadObject": "s3:GetObject", "GetObject": "s3:GetObject"}
"""What an operation needs, where that is not `lambda:` and its own name."""
_WHAT = {
    "function": "what {} runs",
    "before": "how {} is set",
    "layers": "which versions {} has",
    "digest": "what {} holds",
    "aliases": "which versions callers of {} use",
    "listed": "the configuration",
    "entries": "the journal",
    "record": "the record of what runs",
}


def gather(journal: Journal, functions: Mapping[str, Function], before: Connection | None = None) -> Evidence:
    """Everything that is said of an environment by AWS, and by what was written there. Nothing is changed.

    `before` is the environment that is promoted into it, whose functions' settings are compared with.
    """
    connection, names = journal.connection, before.environment.function_names if before else {}
    reads = running_reads(connection, packages=())
    reads |= {
        ("aliases", name): partial(_aliases, connection, name)
        for name in connection.environment.function_names.values()
    }
    if before:
        reads |= {("before", name): partial(read_function, before, name) for name in names.values()}
    found, evidence = _seen(journal, reads, _ENTRIES)
    unread = dict(evidence.unread)
    layers = {layer for each in evidence.deployed.functions.values() for layer in each.state.layers if layer.layer}
    second: Reads = {("digest", each.arn): partial(_digest, connection, each.arn) for each in layers}
    second |= canonical_reads(connection, found.get(("listed", ""), ()), {})[1]
    if evidence.confirmed and evidence.confirmed.runs != ADOPTED:
        second["record", ""] = partial(_record, connection, evidence.confirmed.runs)
    more = _read(second, unread)
    record, damage = more.get(("record", ""), (None, ""))
    keys = [key for each in (record.artifacts if record else ()) for key in (each.key, each.bill_key)]
    stored = named("object", _read({("object", key): partial(read_sha256, connection, key) for key in keys}, unread))
    settings = named("before", found)
    return replace(
        evidence,
        functions=functions,
        deployed=replace(evidence.deployed, canonical=named("canonical", more)),
        record=record,
        damage=damage,
        digests=named("digest", more),
        objects={key: stored.get(key) for key in keys if ("object", key) not in unread},
        aliases=named("aliases", found),
        unread=unread,
        before=(
            before.environment.name if before else "",
            {key: settings[name] for key, name in names.items() if name in settings},
        ),
    )


def look_around(journal: Journal) -> tuple[Evidence, dict[str, Release]]:
    """What runs in an environment, and the records of all releases that its journal names."""
    evidence = glance(journal, _FARTHEST)
    if evidence.unread:
        raise AwsError(next(iter(evidence.unread.values())))
    keys = list(dict.fromkeys(each.release for each in evidence.entries.values() if each and each.deployed))
    found = results([partial(_record, journal.connection, key) for key in keys if key != ADOPTED], at_once=_AT_ONCE)
    return evidence, {record.key: record for record, _ in found if record}


def lost_release(journal: Journal, evidence: Evidence) -> Release | None:
    """The release that an environment runs, if it was recorded here and no entry of the journal knows it any more."""
    here, deployed, entry = evidence.environment, evidence.deployed, evidence.confirmed
    running = {tuple(each.items()) for each in deployed.running().values()}
    drifted = (
        entry
        and entry.after
        and {name: each.state.arns for name, each in deployed.functions.items()}
        != {name: each.arns for name, each in entry.after.functions.items()}
    )
    first = dict(running.pop()).get(next(iter(here.layer_names))) if drifted and len(running) == 1 else None
    if evidence.unread or first is None or not first.version:
        return None
    records = observe_records(journal.connection, record_prefix(f"{first.layer} {first.version}"))
    known = {each.release for each in journal.entries(_FARTHEST)}
    carried = next(iter(deployed.running().values()))
    return next((each for each in records if each.key not in known and runs(here, deployed, carried, each)), None)


def glance(journal: Journal, limit: int = _ENTRIES) -> Evidence:
    """What two rounds of calls say of an environment: its functions, and what the journal says of them."""
    found, evidence = _seen(journal, running_reads(journal.connection), limit)
    known: Mapping[str, CanonicalObject] = next(
        (each.after.canonical for each in evidence.entries.values() if each and each.after), {}
    )
    listed = found.get(("listed", ""), ())
    canonical = {each["Key"]: as_known(known, each) or CanonicalObject("", each["ETag"]) for each in listed}
    return replace(evidence, deployed=replace(evidence.deployed, canonical=canonical), glance=True)


def _seen(journal: Journal, reads: Reads, limit: int) -> tuple[dict[tuple[str, str], Any], Evidence]:
    """What the first round found, and the evidence so far."""
    here, unread = journal.connection.environment, dict[tuple[str, str], str]()
    found = _read({**reads, ("entries", ""): partial(_entries, journal, limit)}, unread)
    deployed = deployed_of(journal.connection, found)
    evidence = Evidence(here, deployed, {}, found.get(("entries", ""), {}), unread=unread)
    return found, replace(evidence, lost=lost_release(journal, evidence))


def _read(reads: Reads, unread: dict[tuple[str, str], str]) -> dict[tuple[str, str], Any]:
    """What each read found; what may not be read is noted in `unread`."""

    def read(kind: str, name: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except AwsError as error:
            if error.aws_code == "NoSuchBucket":
                unread[kind, name] = str(error)
                return None
            if error.aws_code not in DENIED:
                raise
            permission = _PERMISSIONS.get(error.operation, f"lambda:{error.operation}")
            unread[kind, name] = f"{permission} is missing, so {_WHAT.get(kind, '{}').format(name)} is unknown"
            return None

    return at_once({key: partial(read, *key, call) for key, call in reads.items()})


def _aliases(connection: Connection, name: str) -> tuple[Alias, ...]:
    """The aliases of a function that lead to a published version, and what that one runs."""

    def read(alias: str, version: str) -> Alias:
        with connection.doing(f"read version {version} of {name}"):
            there = connection.functions.get_function(FunctionName=name, Qualifier=version)["Configuration"]
            layers = tuple(layer["Arn"] for layer in there.get("Layers", []))
            return Alias(alias, version, layers, hex_digest(there["CodeSha256"]))

    return tuple(results([partial(read, *each) for each in read_aliases(connection, name).items()]))


def _entries(journal: Journal, limit: int) -> dict[int, Entry | None]:
    """The newest entries; more of them where none of those brought what runs."""
    found = journal.read(limit)
    if len(found) == limit and not any(each and each.deployed for each in found.values()):
        return journal.read(_FARTHEST)
    return found


def _record(connection: Connection, key: str) -> tuple[Release | None, str]:
    """A record, or what is wrong with it."""
    try:
        return load_record(connection, key), ""
    except PlanError as error:
        return None, f"s3://{connection.environment.bucket}/{key}: {error}"


def _digest(connection: Connection, arn: str) -> str:
    """The SHA-256 that Lambda reports of a layer version; empty if it was deleted."""
    try:
        return read_digest(connection, arn)
    except AwsError as error:
        if error.aws_code == "ResourceNotFoundException":
            return ""
        raise
