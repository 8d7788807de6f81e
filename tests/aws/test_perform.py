import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.response import StreamingBody

from tasks.aws.connection import Connection
from tasks.aws.observe import observe, read_sha256
from tasks.aws.perform import Sources, perform
from tasks.errors import AwsError
from tasks.release.actions import (
    Action,
    Configure,
    Copy,
    KeepObject,
    KeepPackage,
    Outcome,
    Publish,
    Record,
    Store,
    Upload,
    contents_key,
)
from tasks.release.deployed import Deployed
from tasks.release.events import Moved
from tasks.release.release import Release, write_record
from tests.aws.recorder import recorded, refusal
from tests.examples import CORE, DEV, RELEASE, STAGE, ZIP, layer_version
from tests.fake_aws import FakeAws

BUCKET = DEV.bucket
DESCRIPTION = layer_version(CORE).description
BUILT = replace(CORE, sha256=hashlib.sha256(ZIP).hexdigest(), size=len(ZIP))
TEXT = b"a: 1\n"
DIGEST = hashlib.sha256(TEXT).hexdigest()
OWNER = {"ExpectedBucketOwner": DEV.account}
FROM = {"ExpectedSourceBucketOwner": DEV.account}
ONCE = {"IfNoneMatch": "*"}
PUBLISH = Publish(BUILT, BUCKET, "news-core-dev", DESCRIPTION)


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """The archive of `core` with its bill, and one file of configuration."""
    (tmp_path / "core.zip").write_bytes(ZIP)
    (tmp_path / "core.cdx.json").write_text("{}")
    (tmp_path / "scopes.yaml").write_bytes(TEXT)
    return Sources({"core": tmp_path / "core.zip"}, {DIGEST: tmp_path / "scopes.yaml"})


def do(
    connection: Connection, action: Action, sources: Sources | None = None, deployed: Deployed | None = None
) -> Outcome:
    return perform(connection, sources or Sources(), action, deployed or Deployed(), lambda: None)


def copied(checksum: str) -> dict[str, Any]:
    """What S3 answers to a copy."""
    return {"CopyObjectResult": {"ETag": "e8", "ChecksumSHA256": checksum}}


STORED = {"ChecksumSHA256": BUILT.code_sha256}
TEXT_SUM = {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": replace(CORE, sha256=DIGEST).code_sha256}
REQUESTS: list[tuple[Action, dict[str, Any], list[tuple[str, dict[str, Any]]]]] = [
    (
        Upload(BUILT, BUCKET),
        {},
        [
            (
                "put_object",
                {"Key": BUILT.bill_key, "Body": b"{}", "ContentType": "application/vnd.cyclonedx+json", **ONCE},
            ),
            (
                "put_object",
                {
                    "Key": BUILT.key,
                    "Body": ZIP,
                    "ContentType": "application/zip",
                    "ChecksumAlgorithm": "SHA256",
                    **STORED,
                    **ONCE,
                },
            ),
        ],
    ),
    (
        Copy(BUILT, BUCKET, DEV.account, BUCKET),
        {"head_object": STORED},
        [
            (
                "copy_object",
                {
                    "Key": BUILT.bill_key,
                    "CopySource": {"Bucket": BUCKET, "Key": BUILT.bill_key},
                    "ChecksumAlgorithm": "SHA256",
                    **FROM,
                    **ONCE,
                },
            ),
            (
                "copy_object",
                {
                    "Key": BUILT.key,
                    "CopySource": {"Bucket": BUCKET, "Key": BUILT.key},
                    "ChecksumAlgorithm": "SHA256",
                    **FROM,
                    **ONCE,
                },
            ),
            ("head_object", {"Key": BUILT.key, "ChecksumMode": "ENABLED"}),
        ],
    ),
    (
        Store("canonical/scopes.yaml", DIGEST, BUCKET),
        {},
        [
            (
                "put_object",
                {
                    "Key": contents_key(DIGEST),
                    "Body": TEXT,
                    "ContentType": "application/octet-stream",
                    **TEXT_SUM,
                    **ONCE,
                },
            ),
        ],
    ),
    (
        Store("canonical/scopes.yaml", DIGEST, BUCKET, BUCKET, DEV.account),
        {"head_object": {"ChecksumSHA256": replace(CORE, sha256=DIGEST).code_sha256}},
        [
            (
                "copy_object",
                {
                    "Key": contents_key(DIGEST),
                    "CopySource": {"Bucket": BUCKET, "Key": contents_key(DIGEST)},
                    "ChecksumAlgorithm": "SHA256",
                    **FROM,
                    **ONCE,
                },
            ),
            ("head_object", {"Key": contents_key(DIGEST), "ChecksumMode": "ENABLED"}),
        ],
    ),
]


@pytest.mark.parametrize(("action", "answers", "expected"), REQUESTS, ids=lambda value: type(value).__name__)
def test_every_write_to_the_bucket_says_exactly_this(
    action: Action, answers: dict[str, Any], expected: list[tuple[str, dict[str, Any]]], sources: Sources
) -> None:
    connection, calls = recorded(DEV, **answers)
    do(connection, action, sources)
    assert calls == [(name, {"Bucket": BUCKET, **OWNER, **request}) for name, request in expected]


def test_a_publication_says_exactly_this() -> None:
    answer = {"LayerVersionArn": "arn:1", "Content": {"CodeSha256": BUILT.code_sha256}}
    connection, calls = recorded(DEV, publish_layer_version=answer)
    assert do(connection, PUBLISH).arn == "arn:1"
    request = {
        "LayerName": "news-core-dev",
        "Description": DESCRIPTION,
        "Content": {"S3Bucket": BUCKET, "S3Key": BUILT.key},
        "CompatibleRuntimes": ["python3.11", "python3.12"],
        "CompatibleArchitectures": ["x86_64"],
    }
    assert calls == [("publish_layer_version", request)]


CONFIGURED: list[tuple[Configure, str, dict[str, Any]]] = [
    (Configure("k", DEV.canonical_bucket, "", DIGEST, contents_key(DIGEST)), "copy_object", {**ONCE}),
    (
        Configure("k", DEV.canonical_bucket, "f" * 64, DIGEST, contents_key(DIGEST), "e7"),
        "copy_object",
        {"IfMatch": "e7"},
    ),
    (Configure("k", DEV.canonical_bucket, "f" * 64, "", "", "e7"), "delete_object", {"IfMatch": "e7"}),
]


@pytest.mark.parametrize(("action", "operation", "condition"), CONFIGURED)
def test_configuration_is_replaced_only_if_it_is_still_what_was_read(
    action: Configure, operation: str, condition: dict[str, Any]
) -> None:
    kept = {"ETag": "e0", "ChecksumSHA256": TEXT_SUM["ChecksumSHA256"]}
    connection, calls = recorded(DEV, head_object=kept, copy_object=copied(""))
    assert do(connection, action).etag == ("e8" if action.after else "")
    source = {"Bucket": DEV.bucket, "Key": contents_key(DIGEST)}
    copy = {"CopySource": source, "CopySourceIfMatch": "e0", "ChecksumAlgorithm": "SHA256", **FROM}
    sent = {**OWNER, **(copy if action.after else {}), **condition}
    assert calls[-1] == (operation, {"Bucket": DEV.canonical_bucket, "Key": "k", **sent})


def test_configuration_is_never_replaced_by_other_bytes_than_were_stored() -> None:
    other = {"ETag": "e0", "ChecksumSHA256": replace(CORE, sha256="0" * 64).code_sha256}
    connection, calls = recorded(DEV, head_object=other)
    with pytest.raises(AwsError, match="holds SHA-256 0000.*; delete that object and run the same command again"):
        do(connection, CONFIGURED[1][0])
    assert [name for name, _ in calls] == ["head_object"]


def test_what_s3_says_of_a_copy_is_not_asked_for_again() -> None:
    connection, calls = recorded(DEV, copy_object=copied(TEXT_SUM["ChecksumSHA256"]))
    do(connection, Store("canonical/scopes.yaml", DIGEST, BUCKET, BUCKET, DEV.account))
    assert [name for name, _ in calls] == ["copy_object"]


def test_an_upload_is_stored_with_its_sha256_and_tells_how_far_it_is(dev: Connection, sources: Sources) -> None:
    moved = list[int]()
    told = replace(dev, report=lambda event: moved.append(event.size) if isinstance(event, Moved) else None)
    do(told, Upload(BUILT, BUCKET), sources)
    assert read_sha256(dev, BUILT.key) == BUILT.sha256
    assert sum(moved) == BUILT.size
    assert min(moved) >= 0  # what is read for the signature is not told


def test_an_upload_never_replaces_an_object(dev: Connection, sources: Sources) -> None:
    dev.s3.put_object(Bucket=BUCKET, Key=BUILT.key, Body=b"there first", ChecksumAlgorithm="SHA256")
    with pytest.raises(AwsError, match=f"{BUILT.key} holds SHA-256 .*, not {BUILT.sha256}; delete that object"):
        do(dev, Upload(BUILT, BUCKET), sources)
    assert dev.s3.get_object(Bucket=BUCKET, Key=BUILT.key)["Body"].read() == b"there first"


def test_a_bill_of_materials_is_never_replaced_either(dev: Connection, sources: Sources) -> None:
    dev.s3.put_object(Bucket=BUCKET, Key=BUILT.bill_key, Body=b"there first")
    do(dev, Upload(BUILT, BUCKET), sources)
    assert dev.s3.get_object(Bucket=BUCKET, Key=BUILT.bill_key)["Body"].read() == b"there first"


def test_an_upload_whose_answer_was_lost_and_repeated_is_done(dev: Connection, sources: Sources) -> None:
    for _ in range(2):
        do(dev, Upload(BUILT, BUCKET), sources)
    assert read_sha256(dev, BUILT.key) == BUILT.sha256


def test_a_published_layer_has_the_archives_bytes_and_says_its_version(dev: Connection, sources: Sources) -> None:
    do(dev, Upload(BUILT, BUCKET), sources)
    outcome = do(dev, PUBLISH)
    found = dev.functions.get_layer_version(LayerName="news-core-dev", VersionNumber=1)
    assert (found["Content"]["CodeSha256"], found["Description"]) == (BUILT.code_sha256, DESCRIPTION)
    assert outcome.arn == found["LayerVersionArn"]


def test_a_layer_with_other_bytes_than_the_artifact_is_an_error_and_attached_to_nothing(
    dev: Connection, sources: Sources
) -> None:
    do(dev, Upload(BUILT, BUCKET), sources)
    with pytest.raises(AwsError, match="attached to nothing"):
        do(dev, replace(PUBLISH, artifact=replace(BUILT, sha256="0" * 64)))


LOST = [ConnectionClosedError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x"), refusal("ServiceException", 500)]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_a_publication_whose_answer_was_lost_is_found_and_never_made_twice(error: Exception) -> None:
    page = {"LayerVersions": [{"LayerVersionArn": layer_version(CORE, 4).arn, "Description": DESCRIPTION}]}

    class Paginator:
        def paginate(self, **_: Any) -> list[Any]:
            return [page]

    connection, calls = recorded(
        DEV,
        publish_layer_version=error,
        get_paginator=lambda _request: Paginator(),
        get_layer_version={"Content": {"CodeSha256": BUILT.code_sha256}},
    )
    connection.functions.get_paginator = lambda _name: Paginator()
    assert do(connection, PUBLISH).arn == layer_version(CORE, 4).arn
    assert [name for name, _ in calls].count("publish_layer_version") == 1
    known = Deployed(layers={"core": (layer_version(CORE, 4),)})
    with pytest.raises(AwsError):
        do(connection, PUBLISH, deployed=known)


def test_a_publication_that_was_refused_for_its_rate_is_tried_again() -> None:
    answer = {"LayerVersionArn": "arn:1", "Content": {"CodeSha256": BUILT.code_sha256}}
    refused = refusal("TooManyRequestsException", 429)
    connection, calls = recorded(DEV, publish_layer_version=[refused, refused, answer])
    assert do(connection, PUBLISH).arn == "arn:1"
    assert len(calls) == 3
    assert connection.clock.now() == 3.0  # one second, then two


def test_a_publication_that_is_not_permitted_is_not_tried_again() -> None:
    connection, calls = recorded(DEV, publish_layer_version=refusal("AccessDeniedException", 403))
    with pytest.raises(AwsError, match="Access Denied"):
        do(connection, PUBLISH)
    assert len(calls) == 1


def test_a_copy_is_the_same_bytes_with_the_same_digest(stage: Connection, dev: Connection, sources: Sources) -> None:
    do(dev, Upload(BUILT, BUCKET), sources)
    do(stage, Copy(BUILT, BUCKET, DEV.account, STAGE.bucket))
    assert read_sha256(stage, BUILT.key) == BUILT.sha256
    assert read_sha256(stage, BUILT.bill_key) is not None


def test_a_copy_that_does_not_arrive_as_it_left_is_an_error(
    stage: Connection, dev: Connection, sources: Sources
) -> None:
    do(dev, Upload(BUILT, BUCKET), sources)
    with pytest.raises(AwsError, match="holds SHA-256"):
        do(stage, Copy(replace(BUILT, sha256="0" * 64), BUCKET, DEV.account, STAGE.bucket))


def test_an_archive_without_a_bill_is_copied_all_the_same_and_other_refusals_of_the_bill_are_not_swallowed() -> None:
    action = Copy(BUILT, BUCKET, DEV.account, BUCKET)
    connection, calls = recorded(DEV, copy_object=[refusal("NoSuchKey", 404), {}], head_object=STORED)
    do(connection, action)
    assert [name for name, _ in calls] == ["copy_object", "copy_object", "head_object"]
    connection, _ = recorded(DEV, copy_object=[refusal("AccessDenied", 403), {}], head_object=STORED)
    with pytest.raises(AwsError, match="Access Denied"):
        do(connection, action)


def test_an_object_that_is_not_there_after_it_was_written_is_an_error() -> None:
    connection, _ = recorded(DEV, head_object=refusal("404", 404))
    with pytest.raises(AwsError, match="is not there after it was written"):
        do(connection, Copy(BUILT, BUCKET, DEV.account, BUCKET))


def test_a_record_reads_back_as_the_release(dev: Connection) -> None:
    do(dev, Record(RELEASE, BUCKET))
    assert observe(dev, RELEASE)[1].record == RELEASE


def test_a_record_says_that_it_is_json() -> None:
    written = write_record(RELEASE)
    stored = {"Body": StreamingBody(io.BytesIO(written), len(written))}
    connection, calls = recorded(DEV, get_object=stored)
    do(connection, Record(RELEASE, BUCKET))
    sent = {"Bucket": BUCKET, "Key": RELEASE.key, "Body": written, "ContentType": "application/json", **OWNER, **ONCE}
    assert calls[0] == ("put_object", sent)


def test_a_record_is_written_once(dev: Connection) -> None:
    other: Release = replace(RELEASE, artifacts=(replace(CORE, sha256="0" * 64), *RELEASE.artifacts[1:]))
    assert other.key == RELEASE.key
    dev.s3.put_object(Bucket=BUCKET, Key=RELEASE.key, Body=write_record(other))
    with pytest.raises(AwsError, match="records another release"):
        do(dev, Record(RELEASE, BUCKET))


def test_the_package_of_a_function_is_kept_byte_for_byte_whoever_made_it(dev: Connection) -> None:
    found = observe(dev, RELEASE)[1].functions["news-ingest-dev"].state.package
    action = KeepPackage("news-ingest-dev", found, BUCKET)
    do(dev, action)
    do(dev, action)
    assert read_sha256(dev, f"before/{found}.zip") == found


def test_a_package_that_is_not_the_one_to_keep_any_more_is_an_error(dev: Connection) -> None:
    with pytest.raises(AwsError, match="changed while it was to be kept"):
        do(dev, KeepPackage("news-ingest-dev", "0" * 64, BUCKET))


def test_an_object_of_the_configuration_is_kept_by_its_digest(dev: Connection) -> None:
    dev.s3.put_object(Bucket=DEV.canonical_bucket, Key="canonical/a", Body=TEXT)
    do(dev, KeepObject("canonical/a", DEV.canonical_bucket, DIGEST, BUCKET))
    assert read_sha256(dev, f"before/{DIGEST}") == DIGEST
    dev.s3.delete_object(Bucket=DEV.canonical_bucket, Key="canonical/a")
    with pytest.raises(AwsError, match="was deleted meanwhile"):
        do(dev, KeepObject("canonical/a", DEV.canonical_bucket, DIGEST, BUCKET))


def test_configuration_gets_the_contents_that_were_stored(dev: Connection, sources: Sources) -> None:
    do(dev, Store("canonical/a", DIGEST, BUCKET), sources)
    do(dev, Configure("canonical/a", DEV.canonical_bucket, "", DIGEST, contents_key(DIGEST)))
    found = observe(dev, RELEASE)[1].canonical["canonical/a"]
    assert found.sha256 == DIGEST
    do(dev, Configure("canonical/a", DEV.canonical_bucket, DIGEST, "", "", found.etag))
    assert observe(dev, RELEASE)[1].canonical == {}


def test_configuration_whose_contents_are_gone_stays_as_it_is(dev: Connection) -> None:
    with pytest.raises(AwsError, match="is gone, so canonical/a stays as it is"):
        do(dev, Configure("canonical/a", DEV.canonical_bucket, "", DIGEST, contents_key(DIGEST)))


def test_what_s3_may_not_copy_by_itself_goes_through_this_machine_and_is_verified_at_both_ends() -> None:
    origin, there = FakeAws(), FakeAws()
    origin.put_object(Bucket=BUCKET, Key=BUILT.key, Body=ZIP)
    origin.put_object(Bucket=BUCKET, Key=BUILT.bill_key, Body=b"{}")

    def refuse(_actor: str, operation: str, _when: str) -> None:
        if operation == "copy_object":
            raise refusal("AccessDenied", 403)

    there.gate = refuse
    sources = Sources(origin=origin.connection(DEV, "origin"))
    do(there.connection(STAGE, "target"), Copy(BUILT, BUCKET, DEV.account, STAGE.bucket), sources)
    assert there.objects[STAGE.bucket, BUILT.key].body == ZIP
    assert there.objects[STAGE.bucket, BUILT.bill_key].body == b"{}"
    with pytest.raises(AwsError, match="Access Denied"):
        do(there.connection(STAGE, "target"), Copy(BUILT, BUCKET, DEV.account, STAGE.bucket))


def test_a_package_that_cannot_be_downloaded_is_an_error_in_words() -> None:
    there = {"Configuration": {"CodeSha256": BUILT.code_sha256}, "Code": {"Location": "https://127.0.0.1:9/x"}}
    connection, _ = recorded(DEV, get_function=there, head_object=refusal("404", 404))
    with pytest.raises(AwsError, match="Cannot read the package of news-ingest-dev: no answer"):
        do(connection, KeepPackage("news-ingest-dev", BUILT.sha256, BUCKET))


def test_a_package_is_fetched_from_no_other_place_than_lambdas() -> None:
    there = {"Configuration": {"CodeSha256": BUILT.code_sha256}, "Code": {"Location": "http://169.254.169.254/x"}}
    connection, _ = recorded(DEV, get_function=there, head_object=refusal("404", 404))
    with pytest.raises(AwsError, match="lies where this command must not read"):
        do(connection, KeepPackage("news-ingest-dev", BUILT.sha256, BUCKET))


def test_configuration_that_is_what_it_was_to_become_is_no_conflict_but_the_echo_of_our_own_write() -> None:
    aws = FakeAws()
    aws.put_object(Bucket=BUCKET, Key=contents_key(DIGEST), Body=TEXT)
    aws.put_object(Bucket=DEV.canonical_bucket, Key="k", Body=TEXT)
    stale = Configure("k", DEV.canonical_bucket, "f" * 64, DIGEST, contents_key(DIGEST), '"old"')
    do(aws.connection(DEV, "a"), stale)
    aws.put_object(Bucket=DEV.canonical_bucket, Key="k", Body=b"by somebody else")
    with pytest.raises(AwsError, match="changed by someone else"):
        do(aws.connection(DEV, "a"), stale)


def test_an_object_whose_bytes_s3_has_not_verified_is_read_for_its_digest() -> None:
    refused = [{}, refusal("PreconditionFailed", 412)]
    body = {"Body": StreamingBody(io.BytesIO(b"others"), 6)}
    connection, _ = recorded(DEV, put_object=refused, head_object={}, get_object=body)
    with pytest.raises(AwsError, match=f"holds SHA-256 {hashlib.sha256(b'others').hexdigest()}, not {BUILT.sha256}"):
        do(connection, Copy(BUILT, BUCKET, DEV.account, BUCKET))
