"""Reads what an environment holds. All reads of one observation go out at once."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tasks.aws.connection import AT_ONCE, Connection
from tasks.aws.live_package import live_modules
from tasks.aws.refusals import code_of
from tasks.errors import AwsError
from tasks.release.artifacts import Artifact, Release, hex_digest, parse_record
from tasks.release.deployed import Deployed, DeployedFunction, LayerVersion
from tasks.release.project import Environment

__all__ = [
    "download",
    "observe",
    "observe_canonical",
    "observe_digests",
    "observe_functions",
    "observe_objects",
    "observe_records",
    "read_record",
    "read_sha256",
]

Reads = dict[tuple[str, str], Callable[[], Any]]


def observe(connection: Connection, release: Release) -> Deployed:
    """What the environment holds of a release: its archives, layer versions, functions and record.

    Archives are written once and recorded afterwards, so where the record is there, listing them is enough; only
    without it each is asked for its digest.
    """
    prefixes = sorted({artifact.key.partition("/")[0] + "/" for artifact in release.artifacts})
    found = _at_once(
        _function_reads(connection, {layer.name: layer for layer in release.layers}, release.packages)
        | {("keys", prefix): partial(_list_keys, connection, prefix) for prefix in prefixes}
        | {("record", ""): partial(read_record, connection, release.key)}
    )
    record: Release | None = found.get(("record", ""))
    there = {item["Key"] for items in _named("keys", found).values() for item in items}
    present = [artifact for artifact in release.artifacts if artifact.key in there]
    if record and record.artifacts == release.artifacts:
        objects = {artifact.key: artifact.sha256 for artifact in present}
    else:
        objects = observe_objects(connection, present)
    return Deployed(objects, _named("layers", found), _named("functions", found), record)


def observe_functions(connection: Connection) -> Deployed:
    """The functions of the environment and every layer version they may carry."""
    found = _at_once(_function_reads(connection, dict.fromkeys(connection.environment.layer_names)))
    return Deployed(layers=_named("layers", found), functions=_named("functions", found))


def observe_records(connection: Connection, prefix: str) -> list[Release]:
    """The records of releases below a prefix, newest first."""
    listed = sorted(_list_keys(connection, prefix), key=lambda item: item["LastModified"], reverse=True)
    reads: Reads = {("record", item["Key"]): partial(read_record, connection, item["Key"]) for item in listed}
    return list(_at_once(reads).values())


def observe_objects(connection: Connection, artifacts: Iterable[Artifact]) -> dict[str, str]:
    """The archives that are there: key -> SHA-256 (hex), empty if S3 has none of the whole."""
    reads: Reads = {("objects", each.key): partial(read_sha256, connection, each.key) for each in artifacts}
    return _named("objects", _at_once(reads))


def observe_digests(connection: Connection, running: Mapping[str, LayerVersion]) -> dict[str, str]:
    """The SHA-256 (hex) that Lambda reports for each layer version."""
    reads: Reads = {("digest", layer): partial(_read_digest, connection, item.arn) for layer, item in running.items()}
    return _named("digest", _at_once(reads))


def observe_canonical(connection: Connection) -> dict[str, str]:
    """The configuration that travels with a release: key -> ETag of everything below canonical/."""
    listed = _list_keys(connection, "canonical/", connection.environment.canonical_bucket)
    return {item["Key"]: item["ETag"] for item in listed}


def download(connection: Connection, key: str, path: Path) -> None:
    """Bring an object of the environment's bucket to `path`. AwsError if there is none."""
    found = _read_object(connection, connection.s3.get_object, key)
    if found is None:
        raise AwsError(f"s3://{connection.environment.bucket}/{key} does not exist, so it cannot be looked into")
    with connection.doing(f"read s3://{connection.environment.bucket}/{key}"), path.open("wb") as file:
        for block in found["Body"].iter_chunks(1 << 20):
            file.write(block)


def read_sha256(connection: Connection, key: str) -> str | None:
    """The SHA-256 (hex) that S3 has verified for an object; empty if it has none, None if there is no object."""
    head = _read_object(connection, connection.s3.head_object, key, ChecksumMode="ENABLED")
    return None if head is None else hex_digest(head.get("ChecksumSHA256", ""))


def read_record(connection: Connection, key: str) -> Release | None:
    """The release recorded under a key; None if there is none."""
    found = _read_object(connection, connection.s3.get_object, key)
    if not found:
        return None
    with connection.doing(f"read s3://{connection.environment.bucket}/{key}"):
        return parse_record(found["Body"].read())


def _function_reads(
    connection: Connection, layers: Mapping[str, Artifact | None], packages: Iterable[str] | None = None
) -> Reads:
    """What it takes to know the functions and what they may carry: layers, each with the artifact sought among them.

    Functions that are not among `packages` keep a package of their own, which is looked into.
    """
    own = connection.environment.function_names.keys() - set(packages) if packages is not None else set()
    functions: Reads = {
        ("functions", name): partial(_read_function, connection, name, look_inside=key in own)
        for key, name in connection.environment.function_names.items()
    }
    return functions | {
        ("layers", layer): partial(_list_layer_versions, connection, layer, sought) for layer, sought in layers.items()
    }


def _at_once(reads: Reads) -> dict[tuple[str, str], Any]:
    """Every read side by side; what is not there (None) is left out."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pending = {name: pool.submit(read) for name, read in reads.items()}
        return {name: value for name, future in pending.items() if (value := future.result()) is not None}


def _named(kind: str, found: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    return {name: value for (each, name), value in found.items() if each == kind}


def _list_keys(connection: Connection, prefix: str, bucket: str = "") -> list[dict[str, Any]]:
    """What S3 lists below a prefix, in the bucket for archives or another."""
    bucket = bucket or connection.environment.bucket
    with connection.doing(f"list s3://{bucket}/{prefix}"):
        pages = connection.s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, ExpectedBucketOwner=connection.environment.account
        )
        return [item for page in pages for item in page.get("Contents", [])]


def _list_layer_versions(
    connection: Connection, layer: str, sought: Artifact | None = None
) -> tuple[LayerVersion, ...]:
    """The versions of a layer, newest first, page by page until `sought` is among them; none if never published."""
    name, found = connection.environment.layer_names[layer], []
    with connection.doing(f"list the versions of layer {name}"):
        for page in connection.functions.get_paginator("list_layer_versions").paginate(LayerName=name):
            for item in page["LayerVersions"]:
                _check_account(connection.environment, item["LayerVersionArn"])
                found.append(LayerVersion(item["LayerVersionArn"], item.get("Description", "")))
            if sought and any(version.holds(sought) for version in found):
                break
    return tuple(found)


def _check_account(environment: Environment, arn: str) -> None:
    """AwsError if what was found belongs to another account than the environment's."""
    account = (arn.split(":") + [""] * 5)[4]
    if account and account != environment.account:
        raise AwsError(
            f"These credentials belong to account {account}, but {environment.name} is {environment.account} "
            f"in release.toml; use another profile, or correct [environments.{environment.name}]"
        )


def _read_function(connection: Connection, name: str, *, look_inside: bool) -> DeployedFunction | None:
    """A function's configuration, once no update of it is in progress; None if there is no such function.

    GetFunction is used because it alone has a rate of its own (100/s); all other reads share 15/s:
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    with connection.doing(f"read function {name}"):
        try:
            answer = connection.functions.get_function(FunctionName=name)
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise
        found = answer["Configuration"]
        _check_account(connection.environment, found.get("FunctionArn", ""))
        if found.get("State") == "Pending" or found.get("LastUpdateStatus") == "InProgress":
            waiter = "function_active_v2" if found.get("State") == "Pending" else "function_updated_v2"
            connection.functions.get_waiter(waiter).wait(FunctionName=name)
            found = connection.functions.get_function(FunctionName=name)["Configuration"]
        location = answer.get("Code", {}).get("Location", "")
        return DeployedFunction(
            layers={layer["Arn"]: layer.get("CodeSize", 0) for layer in found.get("Layers", [])},
            runtime=found.get("Runtime", ""),
            architecture=found.get("Architectures", ["x86_64"])[0],
            handler=found.get("Handler", ""),
            revision=found.get("RevisionId", ""),
            code_sha256=hex_digest(found.get("CodeSha256", "")),
            code_size=found.get("CodeSize", 0),
            failed=found.get("LastUpdateStatus") == "Failed",
            modules=live_modules(location) if look_inside and connection.reaches(location) else (),
        )


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
