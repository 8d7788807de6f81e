"""What an environment holds that nobody needs any more, as a plan to delete it. What is not known is kept."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tasks.errors import PlanError
from tasks.project.model import Environment
from tasks.release.arns import parse_layer
from tasks.release.artifacts import Artifact
from tasks.release.functions import LayerVersion
from tasks.release.journal import ADOPTED, PREPARING, Entry, Snapshot, rollback_target
from tasks.release.release import Release

_KEY = re.compile(
    r"before/(?P<digest>[0-9a-f]{64})(\.zip)?"
    r"|(?P<folder>layers|functions)/(?P<name>.+)-(?P<version>\d+\.\d+\.\d+|[0-9a-f]{16})(\.zip|\.cdx\.json)"
)
"""The keys of what this tool stores and may delete again."""


@dataclass(frozen=True)
class StoredObject:
    """An object of the environment's bucket: its bytes, when S3 says it was written, and its ETag."""

    key: str
    size: int
    written: str
    etag: str = ""


@dataclass(frozen=True)
class Stock:
    """What lies in an environment, and who uses it.

    versions  layer -> its layer versions, newest first
    objects   archives, bills and what was kept from before
    records   the records that can be read, with the releases they are of
    attached  ARN -> functions of the account and region that carry it, in any of their versions
    packages  SHA-256 (hex) of all packages that these run
    shared    why all objects are kept; empty if they need not be
    unknown   why everything is kept, a sentence each; nothing if all could be read
    """

    versions: Mapping[str, tuple[LayerVersion, ...]] = field(default_factory=dict)
    objects: tuple[StoredObject, ...] = ()
    records: tuple[tuple[StoredObject, Release], ...] = ()
    attached: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()
    shared: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """What must stay: artifacts of releases, what ran before them, and when by S3's clock the newest of them came."""

    artifacts: tuple[Artifact, ...] = ()
    before: tuple[Snapshot, ...] = ()
    newest: str = ""


@dataclass(frozen=True)
class Pruning:
    """What is to be deleted: layer versions, and objects; `kept` says why other versions stay that no release needs."""

    versions: tuple[LayerVersion, ...] = ()
    objects: tuple[StoredObject, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that are freed, as far as the archives that are deleted tell those of layer versions."""
        archives = {each.key: each.size for each in self.objects}
        layers = [archives.get(f"layers/{each.layer}-{each.version}.zip", 0) for each in self.versions]
        return sum(layers) + sum(archives.values())

    def both(self, other: "Pruning") -> "Pruning":
        """What two plans agree on."""
        versions = tuple(each for each in self.versions if each in other.versions)
        return Pruning(versions, tuple(each for each in self.objects if each in other.objects))

    def __bool__(self) -> bool:
        return bool(self.versions or self.objects)

    def __str__(self) -> str:
        counts = [(len(self.versions), "layer version"), (len(self.objects), "object")]
        return " and ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count) or "nothing"


def kept_entries(environment: str, entries: Iterable[Entry], keep: int) -> list[Entry]:
    """The entries of an environment that its last releases and its way back rest on; `entries` newest first."""
    found = list(entries)
    newest = found[0] if found else None
    releases: dict[str, Entry] = {}
    for each in found:
        if each.deployed and each.release != ADOPTED:
            releases.setdefault(each.release, each)
    kept = list(releases.values())[:keep]
    # held by tests/release/test_pruning.py
    if newest and newest.runs in releases:
        kept.append(releases[newest.runs])
    # held by tests/release/test_pruning.py
    if newest and not newest.closed and newest.what not in PREPARING:
        kept.append(newest)
    with suppress(PlanError):  # there may be no way back
        # held by tests/release/test_pruning.py
        kept.append(rollback_target(environment, found, ""))
    return list({each.number: each for each in kept}.values())


def plan_prune(here: Environment, stock: Stock, kept: Kept, granted: Mapping[str, str] | None = None) -> Pruning:
    """What may be deleted: of ours, older than what is kept, and used by nobody.

    `granted` are layer versions of others', or that may be: ARN -> why they stay.
    """
    # held by tests/release/test_pruning.py `stock.unknown` `not kept.newest`
    if stock.unknown or not kept.newest:
        return Pruning()
    candidates = list(old_versions(stock, kept))
    carried = {each.arn: stock.attached[each.arn] for each in candidates if each.arn in stock.attached}
    staying = {arn: f"{', '.join(names)} carries it" for arn, names in carried.items()} | dict(granted or {})
    # held by tests/release/test_pruning.py `each.arn not in staying`
    versions = tuple(each for each in candidates if each.arn not in staying)
    why = tuple(f"{arn}, since {reason}" for arn, reason in staying.items())
    # held by tests/release/test_pruning.py
    if stock.shared:
        return Pruning(versions, (), why)
    gone = {each.arn for each in versions}
    everything = [each for found in stock.versions.values() for each in found]
    # held by tests/release/test_pruning.py `each.arn not in gone`
    archives = {("layers", each.layer, each.version) for each in everything if each.arn not in gone}
    archives |= {(each.kind.folder, each.name, each.version) for each in kept.artifacts}
    # held by tests/release/test_pruning.py `stock.packages`
    digests = _digests(kept.before) | stock.packages
    names = {"layers": here.layer_names, "functions": here.function_names}

    def needless(part: re.Match[str]) -> bool:
        if part["digest"]:
            return part["digest"] not in digests
        # held by tests/release/test_pruning.py `part['name'] in names[part['folder']]`
        return part["name"] in names[part["folder"]] and part.group("folder", "name", "version") not in archives

    # held by tests/release/test_pruning.py `each.written < kept.newest`
    parts = [(each, _KEY.fullmatch(each.key)) for each in stock.objects if each.written < kept.newest]
    objects = [each for each, part in parts if part and needless(part)]
    keys = {each.key for each in objects}
    records = [each for each, release in stock.records if any(artifact.key in keys for artifact in release.artifacts)]
    return Pruning(versions, (*objects, *records), why)


def old_versions(stock: Stock, kept: Kept) -> Iterator[LayerVersion]:
    """The layer versions that no release needs. Those newer than what is kept may be about to be attached."""
    for layer, versions in stock.versions.items():
        needed = [each for each in versions if any(a.name == layer and each.holds(a) for a in kept.artifacts)]
        newest = max((parse_layer(each.arn).number for each in needed), default=0)
        for each in versions:
            # held by tests/release/test_pruning.py `each.version` `parse_layer(each.arn).number < newest`
            if each.version and each not in needed and parse_layer(each.arn).number < newest:
                yield each


def _digests(before: Iterable[Snapshot]) -> set[str]:
    """Everything that was kept from before for snapshots."""
    found = {state.package for each in before for state in each.functions.values()}
    # held by tests/release/test_pruning.py `-> found`
    return found | {item.sha256 for each in before for item in each.canonical.values()}


def kept_by(releases: Iterable[Release], entries: Iterable[Entry], newest: str) -> Kept:
    """What releases and entries need."""
    artifacts = tuple(artifact for each in releases for artifact in each.artifacts)
    return Kept(artifacts, tuple(each.before for each in entries if each.before), newest)


def merged(everything: Iterable[Kept], newest: str) -> Kept:
    """What several environments need."""
    kept = list(everything)
    artifacts = {(artifact.key, artifact.tree): artifact for each in kept for artifact in each.artifacts}
    return Kept(tuple(artifacts.values()), tuple(before for each in kept for before in each.before), newest)
