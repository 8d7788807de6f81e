"""Reads what an environment holds. The reads of one round go out at once."""

import hashlib
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tasks.aws.connection import Connection
from tasks.aws.functions import read_aliases, read_function
from tasks.aws.journal import Seen
from tasks.aws.refusals import code_of
from tasks.errors import AwsError, PlanError
from tasks.jobs import results
from tasks.release.arns import parse_layer
from tasks.release.artifacts import Artifact, hex_digest, tree_of
from tasks.release.contents import read_bill
from tasks.release.deployed import CanonicalObject, Deployed, DeployedFunction
from tasks.release.functions import LayerVersion
from tasks.release.journal import Entry
from tasks.release.release import Release, read_record

_AT_ONCE = 20
_MOST_ASKED = 10
"""Functions whose aliases are listed for a warning: more would wait, at 15 calls a second. `verify` asks all."""
_NO_ARCHIVE = (NotImplementedError, RuntimeError, OSError, EOFError, ValueError)
Reads = dict[tuple[str, str], Callable[[], Any]]


def observe(
    connection: Connection, release: Release, newest: Callable[[], Seen | None] = lambda: None
) -> tuple[Seen | None, Deployed]:
    """The newest entry of the journal, and what the environment holds of a release, in two rounds.

    Archives are written once and recorded afterwards: where the record is there and the release runs, they are not
    looked at. Objects of the configuration that are as the journal last saw them, by their ETags, are not either.
    """
    known = connection.environment.layer_names
    reads = _layer_reads(connection, {layer.name: layer for layer in release.layers if layer.name in known})
    reads |= _function_reads(connection, release.packages)
    reads["record", ""] = partial(load_record, connection, release.key)
    reads["listed", ""] = partial(list_canonical, connection)
    reads["newest", ""] = newest
    found = at_once(reads)
    seen: Seen | None = found.get(("newest", ""))
    entry = seen.entry if seen else None
    deployed = deployed_of(connection, found)
    canonical, second = canonical_reads(connection, found["listed", ""], _last_seen(entry))
    settled = _settled(connection.environment.function_names, release, deployed)
    # held by tests/aws tests/test_deploy.py tests/test_invoke.py
    if not settled:
        second |= {("objects", each.key): partial(read_sha256, connection, each.key) for each in release.artifacts}
        attached = {layer.arn for function in deployed.functions.values() for layer in function.state.layers}
        new = [version for each in release.layers if (version := deployed.find(each)) and version.arn not in attached]
        second |= {("digests", version.arn): partial(read_digest, connection, version.arn) for version in new}
        second |= {
            ("aliases", name): partial(_aliases, connection, name) for name in [*deployed.functions][:_MOST_ASKED]
        }
    more = at_once(second)
    objects = named("objects", more)
    others = [each.key for each in release.artifacts if objects.get(each.key, each.sha256) != each.sha256]
    return seen, replace(
        deployed,
        objects={each.key: each.sha256 for each in release.artifacts} if settled else objects,
        trees=named("trees", at_once({("trees", key): partial(read_tree, connection, key) for key in others})),
        ours=_ours(entry),
        digests=named("digests", more),
        aliases=named("aliases", more),
        canonical={**canonical, **named("canonical", more)},
    )


def _aliases(connection: Connection, function: str) -> dict[str, str]:
    """A function's aliases; none where they cannot be read, since they only serve for a warning here."""
    try:
        return read_aliases(connection, function)
    except AwsError:
        return {}


def _last_seen(entry: Entry | None) -> Mapping[str, CanonicalObject]:
    return entry.after.canonical if entry and entry.after else {}


def _ours(entry: Entry | None) -> frozenset[str]:
    """The layers that our deployments ever attached here, and those of ours that were adopted."""
    states = entry.after.functions.values() if entry and entry.after else ()
    left = {parse_layer(layer.arn).layer for state in states for layer in state.layers if layer.layer}
    return frozenset({*left, *(entry.ours if entry else ())})


def canonical_reads(
    connection: Connection, listed: Iterable[Any], known: Mapping[str, CanonicalObject]
) -> tuple[dict[str, CanonicalObject], Reads]:
    """The objects of the configuration that are known by their ETags, and the reads of the others."""
    same = {item["Key"]: there for item in listed if (there := as_known(known, item))}
    others = [item for item in listed if item["Key"] not in same]
    bucket = connection.environment.canonical_bucket
    return same, {("canonical", item["Key"]): partial(read_stored, connection, bucket, item["Key"]) for item in others}


def as_known(known: Mapping[str, CanonicalObject], item: Any) -> CanonicalObject | None:
    """An object of the configuration, if it is known by its ETag."""
    there = known.get(item["Key"])
    return there if there and there.etag == item["ETag"] else None


def _settled(names: Mapping[str, str], release: Release, deployed: Deployed) -> bool:
    """Whether the release is recorded and every function runs its layers and its package."""
    if deployed.record is None or len(deployed.found(release)) < len(release.layers):
        return False
    wanted = set(deployed.found(release).values())
    return all(
        (key not in release.packages or function.state.package == release.packages[key].sha256)
        and wanted <= set(function.state.arns)
        for key, name in names.items()
        if (function := deployed.functions.get(name))
    )


def look_since(connection: Connection, newest: Callable[[], Entry | None]) -> tuple[Entry | None, Deployed]:
    """The newest entry of the journal, and what runs now; configuration that it knows by its ETags is not read."""
    reads = running_reads(connection)
    reads["newest", ""] = newest
    found = at_once(reads)
    entry: Entry | None = found.get(("newest", ""))
    return entry, _running(connection, found, _last_seen(entry))


def look(connection: Connection, known: Mapping[str, CanonicalObject] | None = None) -> Deployed:
    """The functions of the environment, every layer version they may carry, and the configuration."""
    return _running(connection, at_once(running_reads(connection)), known or {})


def running_reads(connection: Connection, packages: Iterable[str] | None = None) -> Reads:
    """What needs nothing but names; functions that are not among `packages` are looked into, by default none."""
    here = connection.environment
    layers = dict.fromkeys(here.layer_names)
    reads = _function_reads(connection, here.function_names if packages is None else packages)
    return {**reads, **_layer_reads(connection, layers), ("listed", ""): partial(list_canonical, connection)}


def _running(
    connection: Connection, found: Mapping[tuple[str, str], Any], known: Mapping[str, CanonicalObject]
) -> Deployed:
    canonical, others = canonical_reads(connection, found["listed", ""], known)
    return replace(deployed_of(connection, found), canonical={**canonical, **named("canonical", at_once(others))})


def deployed_of(connection: Connection, found: Mapping[tuple[str, str], Any]) -> Deployed:
    """The record, and functions with the layer versions they carry, known by their descriptions."""
    layers: dict[str, tuple[LayerVersion, ...]] = named("layers", found)
    known = {version.arn: version for versions in layers.values() for version in versions}
    ours = {name: layer for layer, name in connection.environment.layer_names.items()}

    def told(layer: LayerVersion) -> LayerVersion:
        if layer.arn in known:
            return known[layer.arn]
        parts = parse_layer(layer.arn)
        return replace(layer, layer=ours.get(parts.name, "") if parts.account == connection.environment.account else "")

    functions: dict[str, DeployedFunction] = named("function", found)
    for name, each in functions.items():
        state = replace(each.state, layers=tuple(told(layer) for layer in each.state.layers))
        functions[name] = replace(each, state=state)
    return Deployed(layers=layers, functions=functions, record=found.get(("record", "")))


def observe_records(connection: Connection, prefix: str) -> list[Release]:
    """The records of releases below a prefix, newest first."""
    # held by tests/aws tests/test_deploy.py tests/test_invoke.py `reverse=True`
    listed = sorted(list_keys(connection, prefix), key=lambda item: item["LastModified"], reverse=True)
    return [found for found in results([partial(readable_record, connection, item["Key"]) for item in listed]) if found]


def readable_record(connection: Connection, key: str) -> Release | None:
    """The record under a key, if it is one: a stray or damaged file beside the others hinders nobody."""
    try:
        return load_record(connection, key)
    except PlanError:
        return None


def observe_bytes(
    connection: Connection, deployed: Deployed, release: Release, running: Mapping[str, LayerVersion]
) -> Deployed:
    """An environment with what S3 and Lambda report of a release's archives and of the layer versions that run."""
    reads: Reads = {("objects", each.key): partial(read_sha256, connection, each.key) for each in release.artifacts}
    reads |= {("digests", each.arn): partial(read_digest, connection, each.arn) for each in running.values()}
    found = at_once(reads)
    return replace(deployed, objects=named("objects", found), digests=named("digests", found))


def read_bill_of(connection: Connection, key: str, archive: Path | None) -> dict[str, str]:
    """The distributions in a bill of materials beside an archive on this machine, or stored; none if there is none."""
    if archive:
        return read_bill(archive.with_suffix(".cdx.json").read_text(encoding="utf-8"))
    return read_bill((read_bytes(connection, connection.environment.bucket, key) or b"").decode("utf-8", "replace"))


def download(connection: Connection, key: str, path: Path) -> None:
    """Bring an object of the environment's bucket to `path`. AwsError if there is none."""
    found = read_object(connection, connection.environment.bucket, key)
    if found is None:
        raise AwsError(f"s3://{connection.environment.bucket}/{key} does not exist, so it cannot be looked into")
    with connection.doing(f"read s3://{connection.environment.bucket}/{key}"), path.open("wb") as file:
        for block in found["Body"].iter_chunks(1 << 20):
            file.write(block)


def read_sha256(connection: Connection, key: str) -> str | None:
    """The SHA-256 (hex) of an object of the environment's bucket, None if there is none."""
    found = read_stored(connection, connection.environment.bucket, key)
    return found.sha256 if found else None


def read_stored(connection: Connection, bucket: str, key: str) -> CanonicalObject | None:
    """What an object holds, and its ETag; None if there is none. It is read where S3 has verified no SHA-256 of it."""
    head = read_object(connection, bucket, key, head=True)
    if head is None:
        return None
    digest = hex_digest(head.get("ChecksumSHA256", "")) or digest_of(connection, bucket, key)
    return CanonicalObject(digest, head.get("ETag", "")) if digest else None


def read_tree(connection: Connection, key: str) -> str:
    """The tree digest of a stored archive; empty if it is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.zip"
        download(connection, key, path)
        try:
            with path.open("rb") as file:
                return tree_of(file)
        except (*_NO_ARCHIVE, zipfile.BadZipFile, zlib.error, lzma.LZMAError):
            return ""


def load_record(connection: Connection, key: str) -> Release | None:
    """The release recorded under a key; None if there is none."""
    contents = read_bytes(connection, connection.environment.bucket, key)
    return None if contents is None else read_record(contents, key)


def read_digest(connection: Connection, arn: str) -> str:
    """The SHA-256 (hex) that Lambda reports for one layer version."""
    layer = parse_layer(arn)
    with connection.doing(f"read {arn}"):
        answer = connection.functions.get_layer_version(LayerName=layer.name, VersionNumber=layer.number)
        return hex_digest(answer["Content"]["CodeSha256"])


def list_canonical(connection: Connection) -> list[Any]:
    """The objects of the configuration, below the prefixes of release.toml."""
    here = connection.environment
    listings = [partial(list_keys, connection, f"{prefix}/", here.canonical_bucket) for prefix in here.canonical]
    return [item for listed in results(listings) for item in listed]


def list_layer_versions(connection: Connection, layer: str, sought: Artifact | None = None) -> tuple[LayerVersion, ...]:
    """The versions of a layer, newest first, page by page until `sought` is among them; none if never published."""
    name, found = connection.environment.layer_names[layer], []
    with connection.doing(f"list the versions of layer {name}"):
        for page in connection.functions.get_paginator("list_layer_versions").paginate(LayerName=name):
            for item in page["LayerVersions"]:
                # held by tests/aws tests/test_deploy.py tests/test_invoke.py
                connection.check_account(item["LayerVersionArn"])
                found.append(LayerVersion(item["LayerVersionArn"], item.get("Description", ""), layer))
            # held by tests/aws/test_observe.py tests/test_deploy.py `any((version.holds(sought) for version in found))`
            if sought and any(version.holds(sought) for version in found):
                break
    return tuple(found)


def read_object(connection: Connection, bucket: str, key: str, *, head: bool = False) -> Any:
    """What S3 says of an object; None if there is none."""
    call = connection.s3.head_object if head else connection.s3.get_object
    options = {"ChecksumMode": "ENABLED"} if head else {}
    with connection.doing(f"read s3://{bucket}/{key}"):
        try:
            return call(Bucket=bucket, Key=key, **connection.owner, **options)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey"):
                return None
            raise


def read_bytes(connection: Connection, bucket: str, key: str) -> bytes | None:
    """The contents of an object; None if there is none."""
    found = read_object(connection, bucket, key)
    if found is None:
        return None
    with connection.doing(f"read s3://{bucket}/{key}"), closing(found["Body"]) as body:
        contents: bytes = body.read()
        return contents


def digest_of(connection: Connection, bucket: str, key: str) -> str:
    """The SHA-256 (hex) of an object's contents, read for it; empty if it is gone."""
    found = read_object(connection, bucket, key)
    if found is None:
        return ""
    digest = hashlib.sha256()
    with connection.doing(f"read s3://{bucket}/{key}"), closing(found["Body"]) as body:
        for block in body.iter_chunks(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _function_reads(connection: Connection, packages: Iterable[str]) -> Reads:
    """Functions that are not among `packages` keep a package of their own, which is looked into."""
    own = connection.environment.function_names.keys() - set(packages)
    return {
        ("function", name): partial(read_function, connection, name, look_inside=key in own)
        for key, name in connection.environment.function_names.items()
    }


def _layer_reads(connection: Connection, layers: Mapping[str, Artifact | None]) -> Reads:
    """Each layer with the artifact sought among its versions."""
    return {("layers", layer): partial(list_layer_versions, connection, layer, each) for layer, each in layers.items()}


def at_once(reads: Reads) -> dict[tuple[str, str], Any]:
    """What each read found; what does not exist is left out."""
    found = dict(zip(reads, results(list(reads.values()), at_once=_AT_ONCE), strict=True))
    return {key: value for key, value in found.items() if value is not None}


def named(kind: str, found: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    """What was found of one kind, by name."""
    return {name: value for (other, name), value in found.items() if other == kind}


def list_keys(connection: Connection, prefix: str, bucket: str = "") -> list[Any]:
    """Every object below a prefix, as S3 lists it."""
    bucket = bucket or connection.environment.bucket
    with connection.doing(f"list s3://{bucket}/{prefix}"):
        # held by tests/aws tests/test_deploy.py tests/test_invoke.py `**connection.owner`
        pages = connection.s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, **connection.owner
        )
        return [item for page in pages for item in page.get("Contents", [])]
