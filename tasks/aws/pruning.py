"""Reads who uses what an environment holds, and deletes what nobody needs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tasks.aws.connection import Connection
from tasks.aws.journal import Journal
from tasks.aws.observe import list_keys, list_layer_versions, load_record, readable_record
from tasks.aws.reach import Aws
from tasks.aws.refusals import DENIED
from tasks.errors import AwsError, ReleaseError
from tasks.jobs import results
from tasks.release.arns import parse_layer
from tasks.release.artifacts import hex_digest
from tasks.release.functions import LayerVersion
from tasks.release.pruning import Kept, Pruning, Stock, StoredObject, kept_by, kept_entries, merged
from tasks.release.release import Release

_FARTHEST = 1000
"""Entries that are looked at: more than anybody keeps."""
_FOLDERS = ("layers/", "functions/", "before/")
_FORM = "%Y-%m-%d %H:%M:%S UTC"
_PATIENCE = 20


def take_stock(connection: Connection, journal: Journal) -> Stock:
    """What an environment holds, and who in its account and region uses it; what may not be read is named."""
    here = connection.environment
    calls: list[Callable[[], Any]] = [partial(_used, connection), partial(_others, journal)]
    calls += [partial(_records, connection), *(partial(_listed, connection, folder) for folder in _FOLDERS)]
    calls += [partial(list_layer_versions, connection, layer) for layer in here.layer_names]
    (attached, packages, unknown), others, records, *found = results(calls)
    shared = ""
    if others:
        shared = f"objects, since {', '.join(others)} has a journal in s3://{here.bucket} too, and may need them"
    objects = tuple(each for listed in found[: len(_FOLDERS)] for each in listed)
    versions = dict(zip(here.layer_names, found[len(_FOLDERS) :], strict=True))
    return Stock(versions, objects, records, attached, packages, shared, unknown)


def _used(connection: Connection) -> tuple[dict[str, tuple[str, ...]], frozenset[str], tuple[str, ...]]:
    """The layers and packages of every function of the account and region and of all their versions, or why not."""
    carriers: dict[str, tuple[str, ...]] = {}
    packages = set[str]()
    try:
        for function, arns, package in list_functions(connection):
            packages.add(package)
            for arn in arns:
                carriers[arn] = tuple(dict.fromkeys((*carriers.get(arn, ()), function)))
    except AwsError as error:
        if error.aws_code not in DENIED:
            raise
        return {}, frozenset(), ("everything, since lambda:ListFunctions is missing: what is in use is unknown",)
    return carriers, frozenset(packages), ()


def list_functions(connection: Connection) -> Iterator[tuple[str, list[str], str]]:
    """Every version of every function of the account and region: name, ARNs of its layers, SHA-256 (hex)."""
    with connection.doing("list the functions of this account"):
        # held by tests/test_prune.py `FunctionVersion='ALL'`
        for page in connection.functions.get_paginator("list_functions").paginate(FunctionVersion="ALL"):
            for each in page["Functions"]:
                arns = [layer["Arn"] for layer in each.get("Layers", [])]
                yield each["FunctionName"], arns, hex_digest(each["CodeSha256"])


def _others(journal: Journal) -> list[str]:
    """Who else journals in the environment's bucket: other projects, and other environments of this one."""
    mine = f"journal/{journal.project}/"
    found = [*_folders(journal.connection, "journal/"), *_folders(journal.connection, mine)]
    # held by tests/test_prune.py `each not in (mine, journal.prefix)`
    return [each.removeprefix("journal/").rstrip("/") for each in found if each not in (mine, journal.prefix)]


def _folders(connection: Connection, prefix: str) -> list[str]:
    here = connection.environment
    with connection.doing(f"list s3://{here.bucket}/{prefix}"):
        pages = connection.s3.get_paginator("list_objects_v2").paginate(
            Bucket=here.bucket, Prefix=prefix, Delimiter="/", **connection.owner
        )
        return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]


def _listed(connection: Connection, folder: str) -> list[StoredObject]:
    found = list_keys(connection, folder)
    return [StoredObject(each["Key"], each["Size"], f"{each['LastModified']:{_FORM}}", each["ETag"]) for each in found]


def _records(connection: Connection) -> tuple[tuple[StoredObject, Release], ...]:
    """The records of releases that can be read."""
    listed = _listed(connection, "releases/")
    found = results([partial(readable_record, connection, each.key) for each in listed])
    return tuple((each, release) for each, release in zip(listed, found, strict=True) if release)


def read_kept(ways: Mapping[str, Callable[[], Aws]], here: str, keep: int) -> tuple[Kept, tuple[str, ...]]:
    """What the last releases of all environments need, by name; and why everything is kept if that is not known."""
    found = dict(zip(ways, results([partial(_needs, *each, keep) for each in ways.items()]), strict=True))
    reasons = {name: reason for name, (_, reason) in found.items() if reason}
    unknown = tuple(f"everything, since it is not known what {name} needs: {why}" for name, why in reasons.items())
    return merged([each for each, _ in found.values()], found[here][0].newest), unknown


def _needs(name: str, way: Callable[[], Aws], keep: int) -> tuple[Kept, str]:
    """What an environment needs; why that is not known, or nothing."""
    try:
        return _read_needs(name, way().journal(), keep)
    except ReleaseError as error:
        missing = getattr(error, "aws_code", "") == "NoSuchBucket"  # an environment that does not exist yet
        # held by tests/test_prune.py `-> (Kept(), '')`
        return Kept(), "" if missing else str(error)


def _read_needs(name: str, there: Journal, keep: int) -> tuple[Kept, str]:
    read = there.read(_FARTHEST)
    entries = kept_entries(name, [each for each in read.values() if each], keep)
    if not entries:
        return Kept(), f"entry {next(iter(read))} of its journal cannot be read" if None in read.values() else ""
    newest, oldest = next(iter(read)), min(each.number for each in entries)
    # held by tests/test_prune.py
    if lost := [number for number in range(oldest, newest + 1) if read.get(number) is None]:
        return Kept(), f"entry {lost[-1]} of its journal cannot be read"
    last = read[newest]
    named = [(each.release, each.closed) for each in entries] + ([(last.runs, True)] if last else [])
    keys = {key: (key, True) in named for key, _ in named if key.startswith("releases/")}
    records = results([partial(load_record, there.connection, key) for key in keys])
    for (key, closed), record in zip(keys.items(), records, strict=True):
        # held by tests/test_prune.py
        if record is None and closed:
            return Kept(), f"its record {key} is gone"
    begun = _begun(there, max(each.number for each in entries))
    return kept_by([each for each in records if each], entries, begun), ""


def _begun(journal: Journal, number: int) -> str:
    """When an entry was begun by S3's clock: it took as long as it says, and S3 knows when it was written last."""
    seen = journal.get(number)
    if seen is None:
        return ""
    try:
        begun, ended = (_moment(each) for each in (seen.entry.begun, seen.entry.ended))
    except ValueError:
        return f"{seen.written:{_FORM}}"
    return f"{seen.written - max(ended - begun, timedelta()):{_FORM}}"


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)


def granted(connection: Connection, versions: Iterable[LayerVersion]) -> dict[str, str]:
    """The layer versions that are granted to somebody, or of which that may not be read: ARN -> why it is kept."""
    asked = list(versions)
    found = results([partial(_granted, connection, each.arn) for each in asked])
    return {each.arn: reason for each, reason in zip(asked, found, strict=True) if reason}


def _granted(connection: Connection, arn: str) -> str:
    layer = parse_layer(arn)
    try:
        with connection.doing(f"read who may use {arn}"):
            connection.functions.get_layer_version_policy(LayerName=layer.name, VersionNumber=layer.number)
    except AwsError as error:
        if error.aws_code == "ResourceNotFoundException":
            return ""
        if error.aws_code in DENIED:
            # held by tests/test_prune.py
            return "lambda:GetLayerVersionPolicy is missing, so nobody can tell who else may use it"
        raise
    return "it is granted to somebody else"


def delete(connection: Connection, what: Pruning, allowed: Callable[[], None]) -> Iterator[str]:
    """Delete objects, then layer versions, each named once it is gone; `allowed` is asked before each.

    Each is asked for once: a repetition of the client library's own might come after somebody else took over.
    """
    here, once = connection.environment, connection.client("s3", _PATIENCE)
    for stored in what.objects:
        allowed()
        where = f"s3://{here.bucket}/{stored.key}"
        with connection.doing(f"delete {where}"):
            once.delete_object(Bucket=here.bucket, Key=stored.key, IfMatch=stored.etag, **connection.owner)
        yield where
    for each in what.versions:
        layer = parse_layer(each.arn)
        allowed()
        with connection.doing(f"delete {each.arn}"):
            connection.once.delete_layer_version(LayerName=layer.name, VersionNumber=layer.number)
        yield each.arn
