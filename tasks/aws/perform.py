"""The one entry for writes: performs an action and checks that AWS did just that.

Objects are written once and never replaced, so an answer that was lost does no harm there: what is stored is looked at.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, assert_never

from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.utils import ReadFileChunk  # boto3's own

from tasks.aws import observe
from tasks.aws.connection import Connection
from tasks.aws.functions import location_of, read_package, switch
from tasks.aws.refusals import code_of, is_lost
from tasks.errors import AwsError
from tasks.release import actions
from tasks.release.actions import Action, Outcome, subject
from tasks.release.artifacts import base64_digest, hex_digest
from tasks.release.deployed import Deployed
from tasks.release.events import Moved
from tasks.release.release import write_record

_DENIED = ("AccessDenied", "403")


@dataclass(frozen=True)
class Sources:
    """What can be sent: archives by artifact, contents of the configuration by SHA-256 (hex), both on this machine.

    `origin` is the environment that a release is promoted from, for what S3 may not copy by itself.
    """

    archives: Mapping[str, Path] = field(default_factory=dict)
    contents: Mapping[str, Path] = field(default_factory=dict)
    origin: Connection | None = None


def perform(
    connection: Connection, sources: Sources, action: Action, deployed: Deployed, allowed: Callable[[], None]
) -> Outcome:
    """Do it. AwsError if AWS refuses, or reports anything but what was asked for. `allowed` is asked before a write."""
    with connection.doing(f"go on with: {action}"):
        match action:
            case actions.Upload():
                _upload(connection, sources, action)
            case actions.Copy():
                _copy(connection, sources, action)
            case actions.Publish():
                allowed()
                return _publish(connection, action, deployed)
            case actions.Store():
                _store(connection, sources, action)
            case actions.KeepPackage():
                _keep_package(connection, action)
            case actions.KeepObject():
                _keep_object(connection, action)
            case actions.Record():
                _record(connection, action)
            case actions.Switch():
                return switch(connection, action, deployed, allowed)
            case actions.Configure():
                allowed()
                return _configure(connection, action)
            case _:
                assert_never(action)
        return Outcome(action)


def _upload(connection: Connection, sources: Sources, action: actions.Upload) -> None:
    """The archive, and before it its bill of materials, so that where the archive is, its bill is too.

    A single PutObject, so that ChecksumSHA256 is the SHA-256 of the whole and equals Lambda's CodeSha256.
    """
    archive = sources.archives[action.artifact.name]
    with archive.with_suffix(".cdx.json").open("rb") as bill:
        kind = "application/vnd.cyclonedx+json"
        _once(connection, connection.s3.put_object, action.artifact.bill_key, Body=bill, ContentType=kind)
    told = [lambda bytes_transferred: connection.report(Moved(bytes_transferred))]
    with ReadFileChunk.from_filename(str(archive), 0, archive.stat().st_size, told, enable_callbacks=False) as file:
        _put(connection, action.artifact.key, action.artifact.sha256, file, "application/zip")


def _copy(connection: Connection, sources: Sources, action: actions.Copy) -> None:
    """The archive and its bill of materials, the bill first; what has none can be promoted all the same."""
    try:
        _bring(connection, sources, action.artifact.bill_key, action.source, action.owner)
    # held by tests/aws/test_perform.py
    except ClientError as error:
        if code_of(error) != "NoSuchKey":
            raise
    if _bring(connection, sources, action.artifact.key, action.source, action.owner) != action.artifact.sha256:
        _check_stored(connection, action.artifact.key, action.artifact.sha256)


def _bring(connection: Connection, sources: Sources, key: str, bucket: str, owner: str) -> str:
    """Copy an object from another bucket, under the same key; its SHA-256 (hex), empty unless S3 says it.

    Where S3 may not do that by itself (the target's credentials cannot read there, in another account), the bytes go
    through this machine, read with the source's own credentials. Raises what botocore raises.
    """
    source = {"Bucket": bucket, "Key": key}
    # held by tests/aws/test_perform.py `'ExpectedSourceBucketOwner'`
    options = {"CopySource": source, "ChecksumAlgorithm": "SHA256", "ExpectedSourceBucketOwner": owner}
    try:
        answer = _once(connection, connection.s3.copy_object, key, **options) or {}
        return hex_digest(answer.get("CopyObjectResult", {}).get("ChecksumSHA256", ""))
    except ClientError as error:
        if sources.origin is None or code_of(error) not in _DENIED:
            raise
        found = sources.origin.s3.get_object(**source, **sources.origin.owner)
        with closing(found["Body"]) as body, tempfile.TemporaryFile() as kept:
            digest = hashlib.sha256()
            for block in body.iter_chunks(1 << 20):
                kept.write(block)
                digest.update(block)
            kept.seek(0)
            _put(connection, key, digest.hexdigest(), kept)
            return digest.hexdigest()


def _publish(connection: Connection, action: actions.Publish, deployed: Deployed) -> Outcome:
    """Publish once. After a lost answer the layer version is looked for, since publishing again would make a second."""
    artifact = action.artifact
    known = {version.arn for version in deployed.layers.get(artifact.name, ())}
    try:
        answer = connection.unthrottled(
            connection.once.publish_layer_version,
            LayerName=action.layer_name,
            Description=action.description,
            Content={"S3Bucket": action.bucket, "S3Key": artifact.key},
            CompatibleRuntimes=list(artifact.runtimes),
            CompatibleArchitectures=[artifact.architecture],
        )
        arn, digest = answer["LayerVersionArn"], answer["Content"]["CodeSha256"]
    except (ClientError, BotoCoreError, KeyError) as error:
        if not isinstance(error, KeyError) and not is_lost(error):
            raise
        # held by tests/aws/test_perform.py `each.arn not in known`
        found = [
            each
            for each in observe.list_layer_versions(connection, artifact.name)
            if each.holds(artifact) and each.arn not in known
        ]
        if not found:
            raise
        arn = found[0].arn
        digest = base64_digest(observe.read_digest(connection, arn))
    # held by tests/aws/test_perform.py
    if digest != artifact.code_sha256:
        raise AwsError(
            f"{arn} has CodeSha256 {digest}, not the {artifact.code_sha256} of {artifact}; it is attached to nothing: "
            f"delete it, and s3://{action.bucket}/{artifact.key}, and run the same command again"
        )
    return Outcome(action, arn=arn)


def _store(connection: Connection, sources: Sources, action: actions.Store) -> None:
    """Contents of the configuration, from this machine or from the bucket of the environment before."""
    if not action.source:
        with sources.contents[action.sha256].open("rb") as file:
            _put(connection, subject(action), action.sha256, file)
        return
    if _bring(connection, sources, subject(action), action.source, action.owner) != action.sha256:
        _check_stored(connection, subject(action), action.sha256)


def _keep_package(connection: Connection, action: actions.KeepPackage) -> None:
    """Whatever the function runs, byte for byte."""
    if observe.read_sha256(connection, subject(action)) == action.sha256:
        return
    location, digest = location_of(connection, action.function)
    # held by tests/aws/test_perform.py
    if digest != action.sha256:
        raise AwsError(f"The package of {action.function} changed while it was to be kept; run the same command again")
    contents = read_package(connection, action.function, location)
    _put(connection, subject(action), action.sha256, contents, "application/zip")


def _keep_object(connection: Connection, action: actions.KeepObject) -> None:
    contents = observe.read_bytes(connection, action.source, action.key)
    if contents is None:
        raise AwsError(f"s3://{action.source}/{action.key} was deleted meanwhile; run the same command again")
    _put(connection, subject(action), action.sha256, contents)


def _record(connection: Connection, action: actions.Record) -> None:
    key, contents = action.release.key, write_record(action.release)
    _once(connection, connection.s3.put_object, key, Body=contents, ContentType="application/json")
    found = observe.load_record(connection, key)
    if found is None or found.artifacts != action.release.artifacts:
        raise AwsError(f"s3://{action.bucket}/{key} records another release; run the same command again")


def _configure(connection: Connection, action: actions.Configure) -> Outcome:
    """Replace, add or remove an object of the configuration, unless it changed since it was read."""
    there = {"Bucket": action.bucket, "Key": action.key, **connection.owner}
    # held by tests/aws/test_perform.py `'IfMatch'`
    unchanged = {"IfMatch": action.etag} if action.before else {"IfNoneMatch": "*"}
    if not action.after:
        with _already(connection, action):
            connection.s3.delete_object(**there, **unchanged)
        return Outcome(action)
    bucket = connection.environment.bucket
    found = observe.read_stored(connection, bucket, action.contents)
    if found is None:
        raise AwsError(f"s3://{bucket}/{action.contents} is gone, so {action.key} stays as it is")
    if found.sha256 != action.after:
        raise AwsError(
            f"s3://{bucket}/{action.contents} holds SHA-256 {found.sha256}; delete that object and run the same "
            "command again"
        )
    source = {
        "CopySource": {"Bucket": bucket, "Key": action.contents},
        "CopySourceIfMatch": found.etag,
        "ExpectedSourceBucketOwner": connection.environment.account,
    }
    etag = ""
    with _already(connection, action):
        answer = connection.s3.copy_object(**there, **unchanged, **source, ChecksumAlgorithm="SHA256")
        etag = answer["CopyObjectResult"]["ETag"]
    return Outcome(action, etag=etag)


@contextmanager
def _already(connection: Connection, action: actions.Configure) -> Iterator[None]:
    """Take a refusal because the object changed for no failure where it is what it was to become: our own echo."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in ("PreconditionFailed", "412", "NoSuchKey", "404"):
            raise
        if observe.digest_of(connection, action.bucket, action.key) != action.after:
            raise


def _put(connection: Connection, key: str, sha256: str, body: Any, kind: str = "application/octet-stream") -> None:
    """Store bytes that S3 compares with their checksum before it stores them."""
    digest = {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": base64_digest(sha256)}
    if _once(connection, connection.s3.put_object, key, Body=body, ContentType=kind, **digest) is None:
        _check_stored(connection, key, sha256)


def _check_stored(connection: Connection, key: str, sha256: str) -> None:
    """AwsError unless the bucket holds these bytes under a key."""
    found, where = observe.read_sha256(connection, key), f"s3://{connection.environment.bucket}/{key}"
    if found is None:
        raise AwsError(f"{where} is not there after it was written; run the same command again")
    # held by tests/aws/test_perform.py
    if found != sha256:
        raise AwsError(
            f"{where} holds SHA-256 {found}, not {sha256}; delete that object and run the same command again"
        )


def _once(connection: Connection, call: Callable[..., Any], key: str, **request: Any) -> dict[str, Any] | None:
    """Write an object that must not exist yet; S3's answer, None if it does.

    That may be the echo of our own write, whose answer was lost and which botocore repeated.
    """
    try:
        # held by tests/aws/test_perform.py `IfNoneMatch='*'` `**connection.owner`
        answer: dict[str, Any] = call(
            Bucket=connection.environment.bucket, Key=key, IfNoneMatch="*", **connection.owner, **request
        )
    except ClientError as error:
        if code_of(error) not in ("PreconditionFailed", "412"):
            raise
        return None
    return answer
