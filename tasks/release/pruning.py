"""What an environment holds that nobody needs any more, as a plan to delete it. What is not known is kept."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tasks.errors import PlanError
from tasks.project.model import Environment
from tasks.release.artifacts import Artifact
from tasks.release.functions import LayerVersion
from tasks.release.journal import ADOPTED, Entry, Snapshot, rollback_target
from tasks.release.release import Release


@dataclass(frozen=True)
class StoredObject:
    """An object of the environment's bucket: its size in bytes, and when it was written, as `2026-11-21 18:00:00`."""

    key: str
    size: int
    written: str


@dataclass(frozen=True)
class Stock:
    """What lies in an environment, and who uses it.

    versions  layer -> its layer versions, newest first
    objects   archives, bills and what was kept from before
    attached  ARNs that any function of the account and region, or any version of one, carries
    packages  SHA-256 (hex) of all packages that these run
    shared    why all objects are kept; empty if they need not be
    unknown   why everything is kept, a sentence each; nothing if all could be read
    """

    versions: Mapping[str, tuple[LayerVersion, ...]] = field(default_factory=dict)
    objects: tuple[StoredObject, ...] = ()
    attached: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    shared: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """What must stay: artifacts of releases, what ran before them, and when the newest of them came."""

    artifacts: tuple[Artifact, ...] = ()
    before: tuple[Snapshot, ...] = ()
    newest: str = ""


@dataclass(frozen=True)
class Pruning:
    """What is to be deleted: layer versions, and objects."""

    versions: tuple[LayerVersion, ...] = ()
    objects: tuple[StoredObject, ...] = ()

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

    def without(self, arns: Mapping[str, str]) -> "Pruning":
        """The same but for some layer versions, and their archives."""
        left = {f"layers/{each.layer}-{each.version}" for each in self.versions if each.arn in arns}
        objects = [each for each in self.objects if each.key.removesuffix(".zip").removesuffix(".cdx.json") not in left]
        return Pruning(tuple(each for each in self.versions if each.arn not in arns), tuple(objects))

    def __str__(self) -> str:
        counts = [(len(self.versions), "layer version"), (len(self.objects), "object")]
        return " and ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count) or "nothing"


def kept_entries(environment: str, entries: Iterable[Entry], keep: int) -> list[Entry]:
    """The entries of an environment that its last releases and its way back rest on; `entries` newest first."""
    found = list(entries)
    releases: dict[str, Entry] = {}
    for each in found:
        if each.deployed and each.release != ADOPTED:
            releases.setdefault(each.release, each)
    kept = list(releases.values())[:keep]
    kept += [releases[each.runs] for each in found[:1] if each.runs in releases]
    kept += [each for each in found[:1] if not each.closed]
    with suppress(PlanError):  # there may be no way back
        kept.append(rollback_target(environment, found, ""))
    return list({each.number: each for each in kept}.values())


def plan_prune(here: Environment, stock: Stock, kept: Kept) -> Pruning:
    """What may be deleted: of ours, older than what is kept, and used by nobody."""
    if stock.unknown:
        return Pruning()
    versions = tuple(_versions(stock, kept))
    gone = {each.arn for each in versions}
    everything = [each for versions in stock.versions.values() for each in versions]
    staying = {f"{each.layer}-{each.version}" for each in everything if each.arn not in gone}
    needed = {key for each in kept.artifacts for key in (each.key, each.bill_key)}
    before = _digests(kept.before) | stock.packages
    names = {*here.layer_names, *here.function_names}

    def wanted(each: StoredObject) -> bool:
        folder, _, file = each.key.partition("/")
        stem = file.removesuffix(".zip").removesuffix(".cdx.json")
        if each.written >= kept.newest:
            return True
        if folder == "before":
            return stem in before
        ours = stem.rpartition("-")[0] in names and folder in ("layers", "functions")
        return not ours or each.key in needed or (folder == "layers" and stem in staying)

    objects = () if stock.shared else tuple(each for each in stock.objects if not wanted(each))
    return Pruning(versions, objects)


def _versions(stock: Stock, kept: Kept) -> Iterable[LayerVersion]:
    """The layer versions that nobody needs. Those newer than what is kept may be about to be attached."""
    for layer, versions in stock.versions.items():
        needed = [each for each in versions if any(a.name == layer and each.holds(a) for a in kept.artifacts)]
        newest = max((_number(each) for each in needed), default=0)
        for each in versions:
            if each.version and each not in needed and each.arn not in stock.attached and _number(each) < newest:
                yield each


def _number(version: LayerVersion) -> int:
    return int(version.arn.rpartition(":")[-1])


def _digests(before: Iterable[Snapshot]) -> set[str]:
    """Everything that was kept from before for snapshots."""
    found = {state.package for each in before for state in each.functions.values()}
    return found | {item.sha256 for each in before for item in each.canonical.values()}


def kept_by(releases: Iterable[Release], entries: Iterable[Entry], newest: str) -> Kept:
    """What releases and entries need."""
    artifacts = {(each.key, each.tree): each for release in releases for each in release.artifacts}
    return Kept(tuple(artifacts.values()), tuple(each.before for each in entries if each.before), newest)
