"""Reads who uses what an environment holds, and deletes what nobody needs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tasks.aws.connection import Connection
from tasks.aws.journal import Journal
from tasks.aws.observe import list_keys, list_layer_versions, load_record
from tasks.aws.refusals import DENIED
from tasks.errors import AwsError, ReleaseError
from tasks.jobs import results
from tasks.release.artifacts import hex_digest
from tasks.release.functions import LayerVersion
from tasks.release.journal import Entry
from tasks.release.pruning import Kept, Pruning, Stock, StoredObject, kept_by, kept_entries
from tasks.release.release import Release

_FARTHEST = 1000
"""Entries that are looked at: more than anybody keeps."""
_FOLDERS = ("layers/", "functions/", "before/")
_FORM = "%Y-%m-%d %H:%M:%S UTC"


def take_stock(connection: Connection, project: str) -> Stock:
    """What an environment holds, and who in its account and region uses it; what may not be read is named."""
    here = connection.environment
    calls: list[Callable[[], Any]] = [partial(_used, connection), partial(_others, connection, project)]
    calls += [partial(_listed, connection, folder) for folder in _FOLDERS]
    calls += [partial(list_layer_versions, connection, layer) for layer in here.layer_names]
    (arns, packages, unknown), others, *found = results(calls)
    shared = ""
    if others:
        shared = f"objects, since {', '.join(others)} has a journal in s3://{here.bucket} too, and may need them"
    objects = tuple(each for listed in found[: len(_FOLDERS)] for each in listed)
    versions = dict(zip(here.layer_names, found[len(_FOLDERS) :], strict=True))
    return Stock(versions, objects, frozenset(arns), frozenset(packages), shared, unknown)


def _used(connection: Connection) -> tuple[set[str], set[str], tuple[str, ...]]:
    """The layers and packages of every function of the account and region and of all their versions, or why not."""
    arns, packages = set[str](), set[str]()
    try:
        with connection.doing("list the functions of this account"):
            for page in connection.functions.get_paginator("list_functions").paginate(FunctionVersion="ALL"):
                for each in page["Functions"]:
                    arns |= {layer["Arn"] for layer in each.get("Layers", [])}
                    packages.add(hex_digest(each["CodeSha256"]))
    except AwsError as error:
        if error.aws_code not in DENIED:
            raise
        return arns, packages, ("everything, since lambda:ListFunctions is missing: what is in use is unknown",)
    return arns, packages, ()


def _others(connection: Connection, project: str) -> list[str]:
    """Other projects that journal in the environment's bucket."""
    here = connection.environment
    with connection.doing(f"list s3://{here.bucket}/journal/"):
        answer = connection.s3.list_objects_v2(Bucket=here.bucket, Prefix="journal/", Delimiter="/", **connection.owner)
    names = [each["Prefix"].split("/")[1] for each in answer.get("CommonPrefixes", [])]
    return [name for name in names if name != project]


def _listed(connection: Connection, folder: str) -> list[StoredObject]:
    found = list_keys(connection, folder)
    return [StoredObject(each["Key"], each["Size"], each["LastModified"].strftime(_FORM)) for each in found]


def read_kept(journals: Mapping[str, Callable[[], Journal]], here: str, keep: int) -> tuple[Kept, tuple[str, ...]]:
    """What the last releases of all environments need, by name; and why everything is kept if that is not known."""
    found = dict(zip(journals, results([partial(_needs, *each, keep) for each in journals.items()]), strict=True))
    unknown = tuple(f"everything, since {each.reason}" for each in found.values() if each.reason)
    last = max((each.begun for each in found[here].entries), default="")
    releases = [release for each in found.values() for release in each.records]
    return kept_by(releases, [entry for each in found.values() for entry in each.entries], last), unknown


@dataclass(frozen=True)
class Needs:
    """The records and entries that an environment needs; the `reason` why that is not known, or nothing."""

    records: tuple[Release, ...] = ()
    entries: tuple[Entry, ...] = ()
    reason: str = ""


def _needs(name: str, journal: Callable[[], Journal], keep: int) -> Needs:
    try:
        there = journal()
        numbers, read = there.numbers(_FARTHEST), there.entries(_FARTHEST)
        entries = kept_entries(name, read, keep)
        keys = {key: each for each in entries for key in (each.release, each.runs) if key.startswith("releases/")}
        records = results([partial(load_record, there.connection, key) for key in keys])
    except ReleaseError as error:
        if getattr(error, "aws_code", "") == "NoSuchBucket":
            return Needs()  # an environment that does not exist yet
        return Needs(reason=str(error))
    oldest = min((each.number for each in entries), default=0)
    if unread := [number for number in numbers if number > oldest and number not in {each.number for each in read}]:
        return Needs(reason=f"Entry {unread[0]} of the journal of {name} cannot be read, so its releases are not known")
    if lost := [key for key, record in zip(keys, records, strict=True) if record is None and keys[key].closed]:
        return Needs(reason=f"{lost[0]}, a record of {name}, is gone, so nobody can tell what that release needs")
    return Needs(tuple(each for each in records if each), tuple(entries))


def granted(connection: Connection, versions: Iterable[LayerVersion]) -> dict[str, str]:
    """The layer versions that are granted to somebody, or of which that may not be read: ARN -> why it is kept."""
    asked = list(versions)
    found = results([partial(_granted, connection, each.arn) for each in asked])
    return {each.arn: reason for each, reason in zip(asked, found, strict=True) if reason}


def _granted(connection: Connection, arn: str) -> str:
    *_, name, number = arn.split(":")
    try:
        with connection.doing(f"read who may use {arn}"):
            connection.functions.get_layer_version_policy(LayerName=name, VersionNumber=int(number))
    except AwsError as error:
        if error.aws_code == "ResourceNotFoundException":
            return ""
        if error.aws_code in DENIED:
            return "lambda:GetLayerVersionPolicy is missing, so nobody can tell who else may use it"
        raise
    return "it is granted to somebody else"


def delete(connection: Connection, what: Pruning, allowed: Callable[[], None]) -> None:
    """Delete layer versions, then objects; `allowed` is asked before each. What is gone already does no harm."""
    for each in what.versions:
        *_, name, number = each.arn.split(":")
        allowed()
        with connection.doing(f"delete {each.arn}"):
            connection.functions.delete_layer_version(LayerName=name, VersionNumber=int(number))
    bucket = connection.environment.bucket
    for stored in what.objects:
        allowed()
        with connection.doing(f"delete s3://{bucket}/{stored.key}"):
            connection.s3.delete_object(Bucket=bucket, Key=stored.key, **connection.owner)
