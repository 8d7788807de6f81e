"""Reads what an environment holds. All reads of one observation go out at once."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tasks.aws.connection import AT_ONCE, Connection
from tasks.aws.refusals import code_of
from tasks.errors import AwsError
from tasks.release.artifacts import Release, hex_digest, parse_record, record_key
from tasks.release.deployed import Deployed, FunctionState, LayerVersion

__all__ = [
    "observe",
    "observe_canonical",
    "observe_digests",
    "observe_functions",
    "observe_record",
    "read_record",
    "read_sha256",
]

Reads = dict[tuple[str, str], Callable[[], Any]]


def observe(connection: Connection, release: Release) -> Deployed:
    """What the environment holds of a release: its archives, layer versions, functions and record."""
    keys = [artifact.key for artifact in release.artifacts]
    return _deployed(
        connection,
        _function_reads(connection, [artifact.layer for artifact in release.artifacts])
        | {("objects", key): partial(read_sha256, connection, key) for key in keys}
        | {("record", ""): partial(read_record, connection, release.key)},
    )


def observe_functions(connection: Connection) -> Deployed:
    """The functions of the environment and every layer version they may carry."""
    return _deployed(connection, _function_reads(connection, connection.environment.layer_names))


def observe_record(connection: Connection, versions: Mapping[str, str]) -> tuple[Release | None, dict[str, str]]:
    """The record of the release with these versions, and the archives (key -> SHA-256) of it that are there."""
    record = read_record(connection, record_key(versions))
    keys = [artifact.key for artifact in record.artifacts] if record else []
    return record, _named(
        "objects", _at_once({("objects", key): partial(read_sha256, connection, key) for key in keys})
    )


def observe_digests(connection: Connection, running: Mapping[str, LayerVersion]) -> dict[str, str]:
    """The SHA-256 (hex) that Lambda reports for each layer version."""
    reads: Reads = {("digest", layer): partial(_read_digest, connection, item.arn) for layer, item in running.items()}
    return _named("digest", _at_once(reads))


def observe_canonical(connection: Connection) -> dict[str, str]:
    """The configuration that travels with a release: key -> ETag of everything below canonical/."""
    environment = connection.environment
    with connection.doing(f"list s3://{environment.canonical_bucket}/canonical/"):
        pages = connection.s3.get_paginator("list_objects_v2").paginate(
            Bucket=environment.canonical_bucket, Prefix="canonical/", ExpectedBucketOwner=environment.account
        )
        return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}


def read_sha256(connection: Connection, key: str) -> str | None:
    """The SHA-256 (hex) that S3 has verified for an object; empty if it has none, None if there is no object."""
    head = _read_object(connection, connection.s3.head_object, key, ChecksumMode="ENABLED")
    return None if head is None else hex_digest(head.get("ChecksumSHA256", ""))


def read_record(connection: Connection, key: str) -> Release | None:
    """The release recorded under a key; None if there is none."""
    found = _read_object(connection, connection.s3.get_object, key)
    return parse_record(found["Body"].read().decode("utf-8")) if found else None


def _deployed(connection: Connection, reads: Reads) -> Deployed:
    """Do the reads and put them together. AwsError if what they found belongs to another account."""
    found = _at_once(reads)
    deployed = Deployed(
        objects=_named("objects", found),
        layers=_named("layers", found),
        functions=_named("functions", found),
        record=found.get(("record", "")),
    )
    environment = connection.environment
    for versions in deployed.layers.values():
        for version in versions:
            if (account := version.arn.split(":")[4]) != environment.account:
                raise AwsError(
                    f"These credentials belong to account {account}, but {environment.name} is {environment.account} "
                    f"in release.toml; use another profile, or correct [environments.{environment.name}]"
                )
    return deployed


def _function_reads(connection: Connection, layers: Iterable[str]) -> Reads:
    """What it takes to know the functions and what they may carry."""
    functions: Reads = {
        ("functions", name): partial(_read_function, connection, name) for name in connection.environment.functions
    }
    return functions | {("layers", layer): partial(_list_layer_versions, connection, layer) for layer in layers}


def _at_once(reads: Reads) -> dict[tuple[str, str], Any]:
    """Every read side by side; what is not there (None) is left out."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pending = {name: pool.submit(read) for name, read in reads.items()}
        return {name: value for name, future in pending.items() if (value := future.result()) is not None}


def _named(kind: str, found: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    return {name: value for (each, name), value in found.items() if each == kind}


def _list_layer_versions(connection: Connection, layer: str) -> tuple[LayerVersion, ...]:
    """All versions of a layer, newest first; none if it was never published."""
    name = connection.environment.layer_names[layer]
    with connection.doing(f"list the versions of layer {name}"):
        pages = connection.functions.get_paginator("list_layer_versions").paginate(LayerName=name)
        return tuple(
            LayerVersion(item["LayerVersionArn"], item.get("Description", ""))
            for page in pages
            for item in page["LayerVersions"]
        )


def _read_function(connection: Connection, name: str) -> FunctionState | None:
    """A function's configuration, once no update of it is in progress; None if there is no such function.

    GetFunction is used because it alone has a rate of its own (100/s); all other reads share 15/s:
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    with connection.doing(f"read function {name}"):
        try:
            found = connection.functions.get_function(FunctionName=name)["Configuration"]
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise
        if "Pending" in found.get("State", "") or found.get("LastUpdateStatus") == "InProgress":
            waiter = "function_active_v2" if found.get("State") == "Pending" else "function_updated_v2"
            connection.functions.get_waiter(waiter).wait(FunctionName=name)
            found = connection.functions.get_function(FunctionName=name)["Configuration"]
        layers = tuple(layer["Arn"] for layer in found.get("Layers", []))
        return FunctionState(layers, found.get("Runtime", ""), found.get("RevisionId", ""))


def _read_digest(connection: Connection, arn: str) -> str:
    """What Lambda reports for one layer version."""
    *_, name, number = arn.split(":")
    with connection.doing(f"read {arn}"):
        answer = connection.functions.get_layer_version(LayerName=name, VersionNumber=int(number))
        return hex_digest(answer["Content"]["CodeSha256"])


def _read_object(connection: Connection, call: Callable[..., Any], key: str, **options: str) -> Any:
    """What GetObject or HeadObject says of a key in the environment's bucket; None if there is no such object."""
    environment = connection.environment
    with connection.doing(f"read s3://{environment.bucket}/{key}"):
        try:
            return call(Bucket=environment.bucket, Key=key, ExpectedBucketOwner=environment.account, **options)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey"):
                return None
            raise
