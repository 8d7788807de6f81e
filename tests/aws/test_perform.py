import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.aws.connection import Connection
from tasks.aws.observe import observe, read_sha256
from tasks.aws.perform import Hands
from tasks.errors import AwsError
from tasks.release.actions import Attach, Copy, CopyCanonical, Publish, Record, Skip, UpdateCode, Upload
from tasks.release.artifacts import Artifact, Release
from tests.aws.answers import Reporting
from tests.conftest import Calls
from tests.examples import CORE, DEV, FOREIGN, ZIP

BYTES = ZIP
BUCKET = "news-code-dev"
DESCRIPTION = "1.2.4 tree:0123456789abcdef git:abc1234"


@pytest.fixture
def built() -> Artifact:
    """An artifact with the digests of `BYTES`."""
    return replace(CORE, sha256=hashlib.sha256(BYTES).hexdigest(), size=len(BYTES))


@pytest.fixture
def hands(dev: Connection, tmp_path: Path) -> Hands:
    """Hands in dev, with the archive of `core`."""
    (tmp_path / "core.zip").write_bytes(BYTES)
    (tmp_path / "core.cdx.json").write_text("{}")
    return Hands(dev, {}, {"core": tmp_path / "core.zip"})


def test_an_upload_is_stored_with_its_sha256(hands: Hands, built: Artifact) -> None:
    hands.perform(Upload(built, BUCKET))
    assert read_sha256(hands.connection, built.key) == built.sha256


def test_an_upload_never_replaces_an_object(hands: Hands, built: Artifact) -> None:
    hands.connection.s3.put_object(Bucket=BUCKET, Key=built.key, Body=b"there first", ChecksumAlgorithm="SHA256")
    with pytest.raises(AwsError, match="holds SHA-256 .*, not the .* of core 1.2.4"):
        hands.perform(Upload(built, BUCKET))
    assert hands.connection.s3.get_object(Bucket=BUCKET, Key=built.key)["Body"].read() == b"there first"


def test_an_upload_whose_answer_was_lost_and_repeated_is_done(hands: Hands, built: Artifact) -> None:
    hands.perform(Upload(built, BUCKET))
    hands.perform(Upload(built, BUCKET))
    assert read_sha256(hands.connection, built.key) == built.sha256


def test_a_published_layer_has_the_archives_bytes_and_says_its_version(hands: Hands, built: Artifact) -> None:
    hands.perform(Upload(built, BUCKET))
    hands.perform(Publish(built, BUCKET, "news-core-dev", DESCRIPTION))
    found = hands.connection.functions.get_layer_version(LayerName="news-core-dev", VersionNumber=1)
    assert found["Content"]["CodeSha256"] == built.code_sha256
    assert found["Description"] == DESCRIPTION
    assert found["CompatibleRuntimes"] == ["python3.11", "python3.12"]
    assert hands.published == {"core": found["LayerVersionArn"]}


def test_a_layer_with_other_bytes_than_the_artifact_is_an_error_and_attached_to_nothing(
    hands: Hands, built: Artifact
) -> None:
    hands.perform(Upload(built, BUCKET))
    with pytest.raises(AwsError, match="attached to nothing"):
        hands.perform(Publish(replace(built, sha256="0" * 64), BUCKET, "news-core-dev", DESCRIPTION))
    assert hands.published == {}


def test_a_copy_is_the_same_bytes_with_the_same_digest(stage: Connection, hands: Hands, built: Artifact) -> None:
    hands.perform(Upload(built, BUCKET))
    Hands(stage, {}).perform(Copy(built, BUCKET, DEV.account, "news-code-stage"))
    assert read_sha256(stage, built.key) == built.sha256


def test_a_copy_that_does_not_arrive_as_it_left_is_an_error(stage: Connection, hands: Hands, built: Artifact) -> None:
    hands.perform(Upload(built, BUCKET))
    with pytest.raises(AwsError, match="holds SHA-256"):
        Hands(stage, {}).perform(Copy(replace(built, sha256="0" * 64), BUCKET, DEV.account, "news-code-stage"))


def test_a_record_reads_back_as_the_release(hands: Hands) -> None:
    release = Release((CORE,), "abc1234")
    hands.perform(Record(release, BUCKET))
    assert observe(hands.connection, release).record == release


def test_a_record_is_written_once(hands: Hands) -> None:
    hands.perform(Record(Release((CORE,), "abc1234"), BUCKET))
    with pytest.raises(AwsError, match="records another release"):
        hands.perform(Record(Release((replace(CORE, sha256="0" * 64),), "abc1234"), BUCKET))


def test_the_layers_of_a_function_become_exactly_those_of_the_plan(hands: Hands) -> None:
    hands.published["core"] = FOREIGN.replace("tracing", "core")
    first = hands.connection.functions.get_function(FunctionName="news-ingest-dev")["Configuration"]["Layers"][0]["Arn"]
    publish(hands)
    hands.perform(Attach("news-ingest-dev", (first, CORE), "", ""))
    layers = hands.connection.functions.get_function(FunctionName="news-ingest-dev")["Configuration"]["Layers"]
    assert [layer["Arn"] for layer in layers] == [first, hands.published["core"]]


def publish(hands: Hands) -> None:
    """Give `core` a layer version."""
    answer = hands.connection.functions.publish_layer_version(LayerName="news-core-dev", Content={"ZipFile": ZIP})
    hands.published["core"] = answer["LayerVersionArn"]


def test_an_update_that_ends_as_failed_is_an_error_with_its_reason(hands: Hands) -> None:
    publish(hands)

    def fail(answer: dict[str, Any]) -> None:
        answer["Configuration"] |= {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "The role is gone"}

    with (
        Reporting(hands.connection.functions, "GetFunction", fail),
        pytest.raises(AwsError, match="Updating news-ingest-dev.*: The role is gone"),
    ):
        hands.perform(Attach("news-ingest-dev", (CORE,), "", ""))


def test_an_update_is_waited_for_so_that_the_next_call_does_not_meet_the_old_code(hands: Hands) -> None:
    publish(hands)
    statuses = ["InProgress", "Successful", "Successful"]

    def report(answer: dict[str, Any]) -> None:
        answer["Configuration"]["LastUpdateStatus"] = statuses.pop(0)

    with Reporting(hands.connection.functions, "GetFunction", report):
        hands.perform(Attach("news-ingest-dev", (CORE,), "", ""))
    assert statuses == []


def test_a_function_that_changed_since_it_was_read_is_left_alone(hands: Hands) -> None:
    publish(hands)
    with pytest.raises(AwsError, match="changed by someone else.*run the same command again"):
        hands.perform(Attach("news-ingest-dev", (CORE,), "", "an older revision"))


def test_configuration_is_copied_as_it_was_when_it_was_read(dev: Connection, stage: Connection) -> None:
    etag = dev.s3.head_object(Bucket="news-config-dev", Key="canonical/scopes.yaml")["ETag"]
    action = CopyCanonical("canonical/scopes.yaml", "news-config-dev", DEV.account, "news-config-stage", etag)
    Hands(stage, {}).perform(action)
    assert stage.s3.head_object(Bucket="news-config-stage", Key="canonical/scopes.yaml")["ETag"] == etag


def test_a_skip_calls_nothing(hands: Hands, calls: Calls) -> None:
    hands.perform(Skip("news-ingest-dev"))
    assert calls == []


def test_the_code_of_a_function_becomes_the_package(hands: Hands, built: Artifact) -> None:
    package = replace(built, handler="handler.run")
    hands.perform(Upload(package, BUCKET))
    hands.perform(UpdateCode("news-ingest-dev", package, BUCKET, ""))
    found = hands.connection.functions.get_function(FunctionName="news-ingest-dev")["Configuration"]
    assert found["CodeSha256"] == built.code_sha256


def test_the_second_update_of_a_function_goes_by_the_revision_the_first_one_left(hands: Hands, built: Artifact) -> None:
    package = replace(built, handler="handler.run")
    hands.perform(Upload(package, BUCKET))
    publish(hands)
    before = hands.connection.functions.get_function(FunctionName="news-ingest-dev")["Configuration"]["RevisionId"]
    hands.perform(UpdateCode("news-ingest-dev", package, BUCKET, before))
    hands.perform(Attach("news-ingest-dev", (CORE,), "", before))
    after = hands.connection.functions.get_function(FunctionName="news-ingest-dev")["Configuration"]["RevisionId"]
    assert after != before


def test_the_handler_is_set_with_the_layers(hands: Hands) -> None:
    publish(hands)
    hands.perform(Attach("news-ingest-dev", (CORE,), "other.run", ""))
    found = hands.connection.functions.get_function(FunctionName="news-ingest-dev")["Configuration"]
    assert found["Handler"] == "other.run"
