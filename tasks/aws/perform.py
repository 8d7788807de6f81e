"""The one entry for writes: performs an action and checks that AWS did just that."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_never

from botocore.exceptions import ClientError

from tasks.aws.connection import Connection, client
from tasks.aws.observe import read_record, read_sha256
from tasks.aws.refusals import code_of
from tasks.errors import AwsError
from tasks.release.actions import Action, Attach, Copy, CopyCanonical, Publish, Record, Skip, UpdateCode, Upload, Warn

__all__ = ["PATIENCE", "Hands"]

PATIENCE = 120
"""Seconds: PublishLayerVersion unpacks the archive before it answers."""


class Hands:
    """Performs the actions of one plan in one environment.

    `published` maps a layer to the ARN of its artifact: at first those that were found, then also those made here.
    `archives` maps a layer to its archive on local disk; a promotion needs none.
    """

    def __init__(
        self, connection: Connection, published: Mapping[str, str], archives: Mapping[str, Path] | None = None
    ) -> None:
        self.connection = connection
        self.published = dict(published)
        self.archives = dict(archives or {})
        self._once_only = client("lambda", connection.environment, connection.endpoint, patience=PATIENCE)
        self._revisions: dict[str, str] = {}
        self._owner = {"ExpectedBucketOwner": connection.environment.account}

    def perform(self, action: Action) -> None:
        """Do it. AwsError if AWS refuses, or reports anything but what was asked for."""
        with self.connection.doing(f"go on with: {action}"):
            match action:
                case Upload():
                    self._upload(action)
                case Copy():
                    self._copy(action)
                case Publish():
                    self._publish(action)
                case Record():
                    self._record(action)
                case UpdateCode():
                    self._update_code(action)
                case Attach():
                    self._attach(action)
                case CopyCanonical():
                    self._copy_canonical(action)
                case Skip() | Warn():
                    pass
                case _:
                    assert_never(action)

    def _upload(self, action: Upload) -> None:
        """S3 compares the bytes with the checksum before it stores them, and never replaces an object.

        A single PutObject, so that ChecksumSHA256 is the SHA-256 of the whole and equals Lambda's CodeSha256. The bill
        of materials goes first, so that where the archive is, its bill is too.
        """
        archive = self.archives[action.artifact.name]
        bill = archive.with_suffix(".cdx.json").read_bytes()
        self.connection.s3.put_object(
            Bucket=action.bucket,
            Key=action.artifact.bill_key,
            Body=bill,
            ContentType="application/vnd.cyclonedx+json",
            **self._owner,
        )
        with archive.open("rb") as file:
            self._once(
                self.connection.s3.put_object,
                Bucket=action.bucket,
                Key=action.artifact.key,
                Body=file,
                ContentType="application/zip",
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=action.artifact.code_sha256,
            )
        self._check_stored(action)

    def _copy(self, action: Copy) -> None:
        """The archive and its bill of materials, the bill first; what has none can be promoted all the same."""
        call, bill, key = self.connection.s3.copy_object, action.artifact.bill_key, action.artifact.key
        copy = {"Bucket": action.bucket, "ExpectedSourceBucketOwner": action.owner}
        try:
            call(Key=bill, CopySource={"Bucket": action.source, "Key": bill}, **copy, **self._owner)
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
        source = {"Bucket": action.source, "Key": key}
        self._once(call, Key=key, CopySource=source, ChecksumAlgorithm="SHA256", **copy)
        self._check_stored(action)

    def _check_stored(self, action: Upload | Copy) -> None:
        """AwsError unless the bucket now holds the artifact's bytes."""
        found = read_sha256(self.connection, action.artifact.key)
        if found != action.artifact.sha256:
            raise AwsError(
                f"s3://{action.bucket}/{action.artifact.key} holds SHA-256 {found or 'unknown'}, not the "
                f"{action.artifact.sha256} of {action.artifact}; delete that object and run the same command again"
            )

    def _publish(self, action: Publish) -> None:
        """Publish once, with no retry: after a lost answer that would make a second version.

        Run again, the command finds the first one by its content.
        """
        artifact = action.artifact
        answer = self._once_only.publish_layer_version(
            LayerName=action.layer_name,
            Description=action.description,
            Content={"S3Bucket": action.bucket, "S3Key": artifact.key},
            CompatibleRuntimes=list(artifact.runtimes),
            CompatibleArchitectures=[artifact.architecture],
        )
        found = answer["Content"]["CodeSha256"]
        if found != artifact.code_sha256:
            raise AwsError(
                f"{answer['LayerVersionArn']} has CodeSha256 {found}, not the {artifact.code_sha256} of {artifact}; "
                f"it is attached to nothing: delete it, and s3://{action.bucket}/{artifact.key}, and run again"
            )
        self.published[artifact.name] = answer["LayerVersionArn"]

    def _record(self, action: Record) -> None:
        self._once(
            self.connection.s3.put_object,
            Bucket=action.bucket,
            Key=action.release.key,
            Body=action.release.record().encode(),
            ContentType="application/json",
        )
        found = read_record(self.connection, action.release.key)
        if found is None or found.artifacts != action.release.artifacts:
            raise AwsError(f"s3://{action.bucket}/{action.release.key} records another release; run the command again")

    def _update_code(self, action: UpdateCode) -> None:
        """Replace the function's package, wait until the update is over, and look at the result."""
        found = self._update(
            self.connection.functions.update_function_code,
            action,
            S3Bucket=action.bucket,
            S3Key=action.artifact.key,
            Architectures=[action.artifact.architecture],
        )
        if found["CodeSha256"] != action.artifact.code_sha256:
            raise AwsError(
                f"{action.function} runs CodeSha256 {found['CodeSha256']} after its update, not the "
                f"{action.artifact.code_sha256} of {action.artifact}; run the same command again"
            )

    def _attach(self, action: Attach) -> None:
        """Replace the function's list of layers, wait until the update is over, and look at the result."""
        wanted = list(action.arns(self.published))
        handler = {"Handler": action.handler} if action.handler else {}
        call = self.connection.functions.update_function_configuration
        found = self._update(call, action, Layers=wanted, **handler)
        layers = [layer["Arn"] for layer in found.get("Layers", [])]
        if layers != wanted:
            raise AwsError(f"{action.function} has the layers {layers} after its update; run the same command again")

    def _update(self, call: Any, action: UpdateCode | Attach, **request: Any) -> Any:
        """Update a function unless it was changed since it was read; its configuration once the update is over.

        AWS changes the revision at the call and again on completion, so the next update goes by the one read last.
        """
        if revision := self._revisions.get(action.function, action.revision):
            request["RevisionId"] = revision
        call(FunctionName=action.function, **request)
        self.connection.functions.get_waiter("function_updated_v2").wait(FunctionName=action.function)
        found = self.connection.functions.get_function(FunctionName=action.function)["Configuration"]
        self._revisions[action.function] = found.get("RevisionId", "")
        return found

    def _copy_canonical(self, action: CopyCanonical) -> None:
        self.connection.s3.copy_object(
            Bucket=action.bucket,
            Key=action.key,
            CopySource={"Bucket": action.source, "Key": action.key},
            CopySourceIfMatch=action.etag,
            ExpectedSourceBucketOwner=action.owner,
            **self._owner,
        )

    def _once(self, call: Any, **request: Any) -> None:
        """Write an object that must not exist yet.

        "It exists" may be the echo of our own write, whose answer was lost and which botocore repeated: what is
        stored is looked at afterwards in any case.
        """
        try:
            call(IfNoneMatch="*", **self._owner, **request)
        except ClientError as error:
            if code_of(error) not in ("PreconditionFailed", "412"):
                raise
