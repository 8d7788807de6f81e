"""Reads what proves what an environment runs. What may not be read is noted and not guessed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tasks.aws.connection import Connection
from tasks.aws.functions import read_aliases, read_function
from tasks.aws.journal import Journal
from tasks.aws.observe import (
    list_canonical,
    list_layer_versions,
    load_record,
    name_layers,
    read_canonical,
    read_digest,
    read_sha256,
)
from tasks.aws.refusals import DENIED
from tasks.errors import AwsError, PlanError
from tasks.jobs import results
from tasks.project.model import Function
from tasks.release.artifacts import hex_digest
from tasks.release.deployed import CanonicalObject, Deployed, DeployedFunction
from tasks.release.evidence import Alias, Evidence
from tasks.release.journal import ADOPTED, Entry
from tasks.release.release import Release

_ENTRIES = 10
"""The newest entries that are read: far enough back for one that says what runs."""
_FARTHEST = 200
"""The newest entries that are read to find out where something was used."""
_AT_ONCE = 20


@dataclass
class Reads:
    """Reads of one round, by kind and name: what each found, and which may not be made."""

    calls: dict[tuple[str, str], Callable[[], Any]] = field(default_factory=dict)
    unread: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, kind: str, name: str, call: Callable[..., Any], *arguments: Any) -> None:
        """One read more."""
        self.calls[kind, name] = partial(call, *arguments)

    def run(self) -> dict[tuple[str, str], Any]:
        """What the reads found; the calls are gone afterwards, for the next round."""
        found = results([partial(self._run, key, call) for key, call in self.calls.items()], at_once=_AT_ONCE)
        read = dict(zip(self.calls, found, strict=True))
        self.calls.clear()
        return read

    def _run(self, key: tuple[str, str], call: Callable[[], Any]) -> Any:
        try:
            return call()
        except AwsError as error:
            if error.aws_code == "NoSuchBucket":
                self.unread[key] = str(error)
                return None
            if error.aws_code not in DENIED:
                raise
            self.unread[key] = f"{_PERMISSIONS[key[0]]} is missing, so {_WHAT[key[0]].format(key[1])} is unknown"
            return None


_PERMISSIONS = {
    "function": "lambda:GetFunction",
    "before": "lambda:GetFunction",
    "layers": "lambda:ListLayerVersions",
    "digest": "lambda:GetLayerVersion",
    "aliases": "lambda:ListAliases",
    "alias": "lambda:GetFunction",
    "listed": "s3:ListBucket on the configuration",
    "canonical": "s3:GetObject on the configuration",
    "entries": "s3:ListBucket",
    "entry": "s3:GetObject",
    "record": "s3:GetObject",
    "object": "s3:GetObject",
}
_WHAT = {
    "function": "what {} runs",
    "before": "how {} is set",
    "layers": "which versions {} has",
    "digest": "what {} holds",
    "aliases": "which versions callers of {} use",
    "alias": "what {} runs",
    "listed": "the configuration",
    "canonical": "{}",
    "entries": "the journal",
    "entry": "entry {} of the journal",
    "record": "the record of what runs",
    "object": "{}",
}


def gather(
    connection: Connection, journal: Journal, functions: Mapping[str, Function], before: Connection | None = None
) -> Evidence:
    """Everything that is said of an environment by AWS, and by what was written there. Nothing is changed.

    `before` is the environment that is promoted into it, whose functions' settings are compared with.
    """
    reads = Reads()
    if before:
        for name in before.environment.function_names.values():
            reads.add("before", name, read_function, before, name)
    first = _first_round(connection, journal, reads)
    deployed = name_layers(connection, _named(first, "layers"), _named(first, "function"))
    second = _second_round(connection, journal, reads, first, deployed)
    entries = {int(number): each for (kind, number), each in second.items() if kind == "entry"}
    if len(entries) == _ENTRIES and not any(each and each.deployed for each in entries.values()):
        entries = journal.read(_FARTHEST)
    evidence = Evidence(
        connection.environment,
        replace(deployed, canonical=_named(second, "canonical")),
        functions,
        entries,
        digests=_named(second, "digest"),
        aliases=_by_function(_named(second, "alias")),
        before=_before(before, _named(first, "before")),
    )
    if evidence.confirmed and evidence.confirmed.runs != ADOPTED:
        reads.add("record", "", _record, connection, evidence.confirmed.runs)
    record, damage = reads.run().get(("record", "")) or (None, "")
    for artifact in record.artifacts if record else ():
        for key in (artifact.key, artifact.bill_key):
            reads.add("object", key, read_sha256, connection, key)
    objects = {key: digest for (kind, key), digest in reads.run().items() if (kind, key) not in reads.unread}
    return replace(evidence, record=record, damage=damage, objects=objects, unread=dict(reads.unread))


def look_around(journal: Journal) -> tuple[Evidence, dict[str, Release]]:
    """What runs in an environment, and the records of all releases that its journal names."""
    evidence = glance(journal.connection, journal, _FARTHEST)
    if evidence.unread:
        raise AwsError(next(iter(evidence.unread.values())))
    keys = list(dict.fromkeys(each.release for each in evidence.entries.values() if each and each.deployed))
    found = results([partial(_record, journal.connection, key) for key in keys if key != ADOPTED], at_once=_AT_ONCE)
    return evidence, {record.key: record for record, _ in found if record}


def glance(connection: Connection, journal: Journal, limit: int = _ENTRIES) -> Evidence:
    """What two rounds of calls say of an environment: its functions, and what the journal says of them."""
    here, reads = connection.environment, Reads()
    for name in here.function_names.values():
        reads.add("function", name, read_function, connection, name)
    for layer in here.layer_names:
        reads.add("layers", layer, list_layer_versions, connection, layer)
    reads.add("listed", "", list_canonical, connection)
    reads.add("entries", "", _entries, journal, limit)
    first = reads.run()
    deployed = name_layers(connection, _named(first, "layers"), _named(first, "function"))
    entries = first["entries", ""] or {}
    evidence = Evidence(here, deployed, {}, entries, unread=dict(reads.unread))
    known: Mapping[str, CanonicalObject] = next(
        (each.after.canonical for each in entries.values() if each and each.after), {}
    )
    canonical = {}
    for item in first["listed", ""] or ():
        same = item["Key"] in known and known[item["Key"]].etag == item["ETag"]
        canonical[item["Key"]] = known[item["Key"]] if same else CanonicalObject("", item["ETag"])
    return replace(evidence, deployed=replace(deployed, canonical=canonical), glance=True)


def _first_round(connection: Connection, journal: Journal, reads: Reads) -> dict[tuple[str, str], Any]:
    """What needs nothing but names."""
    here = connection.environment
    for name in here.function_names.values():
        reads.add("function", name, _function, connection, name)
        reads.add("aliases", name, read_aliases, connection, name)
    for layer in here.layer_names:
        reads.add("layers", layer, list_layer_versions, connection, layer)
    reads.add("listed", "", list_canonical, connection)
    reads.add("entries", "", journal.numbers, _ENTRIES)
    return reads.run()


def _second_round(
    connection: Connection, journal: Journal, reads: Reads, first: Mapping[tuple[str, str], Any], deployed: Deployed
) -> dict[tuple[str, str], Any]:
    """What the first round has named."""
    for number in first["entries", ""] or ():
        reads.add("entry", str(number), _entry, journal, number)
    for arn in {layer.arn for each in deployed.functions.values() for layer in each.state.layers if layer.layer}:
        reads.add("digest", arn, _digest, connection, arn)
    for item in first["listed", ""] or ():
        reads.add("canonical", item["Key"], read_canonical, connection, item)
    for name, versions in _named(first, "aliases").items():
        for alias, version in versions.items():
            reads.add("alias", f"{name}:{alias}", _version, connection, name, alias, version)
    return reads.run()


def _before(before: Connection | None, found: Mapping[str, Any]) -> tuple[str, Mapping[str, DeployedFunction]]:
    """The environment before, and its functions by their names in release.toml."""
    if before is None:
        return "", {}
    names = before.environment.function_names
    return before.environment.name, {key: found[name] for key, name in names.items() if name in found}


def _by_function(found: Mapping[str, Alias]) -> dict[str, tuple[Alias, ...]]:
    """Aliases by the function they belong to."""
    names = {name.partition(":")[0] for name in found}
    return {name: tuple(each for key, each in found.items() if key.startswith(f"{name}:")) for name in names}


def _named(found: Mapping[tuple[str, str], Any], kind: str) -> dict[str, Any]:
    """What was found of one kind, by name; nothing for what does not exist or may not be read."""
    return {name: value for (other, name), value in found.items() if other == kind and value is not None}


def _function(connection: Connection, name: str) -> Any:
    return read_function(connection, name, look_inside=True)


def _version(connection: Connection, name: str, alias: str, version: str) -> Alias:
    """What a published version of a function runs."""
    with connection.doing(f"read version {version} of {name}"):
        found = connection.functions.get_function(FunctionName=name, Qualifier=version)["Configuration"]
        layers = tuple(layer["Arn"] for layer in found.get("Layers", []))
        return Alias(alias, version, layers, hex_digest(found["CodeSha256"]))


def _entries(journal: Journal, limit: int) -> dict[int, Entry | None]:
    """The newest entries; more of them where none of those brought what runs."""
    found = journal.read(limit)
    if len(found) == limit and not any(each and each.deployed for each in found.values()):
        return journal.read(_FARTHEST)
    return found


def _entry(journal: Journal, number: int) -> Any:
    """An entry of the journal; None if it is damaged."""
    try:
        seen = journal.get(number)
    except PlanError:
        return None
    return seen.entry if seen else None


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
