"""Each rule of AWS that this project relies on and moto does not keep, as the sandbox keeps it."""

import base64
import hashlib
import io
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tasks.aws.connection import Connection, connect
from tasks.sandbox.messages import Settings
from tasks.sandbox.server import Server
from tasks.sandbox.strict import CHECKED_WITH
from tests.examples import DEV, PROJECT, ZIP, arn

BUCKET = "news-code-dev"
FUNCTION = "news-ingest-dev"


def refused(code: str, call: Any, **request: Any) -> ClientError:
    """The refusal of a call, which must have this code."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
    return caught.value


def publish(dev: Connection, name: str = "news-core-dev", **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = dev.functions.publish_layer_version(LayerName=name, Content={"ZipFile": ZIP}, **more)
    return answer


def update(dev: Connection, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = dev.functions.update_function_configuration(FunctionName=FUNCTION, **request)
    return answer


def configuration(dev: Connection) -> dict[str, Any]:
    found: dict[str, Any] = dev.functions.get_function(FunctionName=FUNCTION)["Configuration"]
    return found


def sha256(contents: bytes) -> str:
    return base64.b64encode(hashlib.sha256(contents).digest()).decode()


@pytest.fixture
def slow(server: Server, dev: Connection) -> Iterator[None]:
    """Updates take a moment, once everything is there."""
    assert dev.endpoint == server.url
    rules = server.aws.functions
    rules.settings = Settings(pending=0.3)
    yield
    rules.settings = Settings()


def test_the_rules_are_those_that_were_checked_with_this_moto() -> None:
    from importlib.metadata import version

    assert version("moto") == CHECKED_WITH, "check every rule against this moto, then raise CHECKED_WITH"


# Functions


def test_a_revision_changes_at_the_call_and_again_on_completion(dev: Connection) -> None:
    before = configuration(dev)["RevisionId"]
    replied = update(dev, Description="new")["RevisionId"]
    after = configuration(dev)["RevisionId"]
    assert len({before, replied, after}) == 3
    assert configuration(dev)["RevisionId"] == after


def test_a_stale_revision_is_refused(dev: Connection) -> None:
    stale = configuration(dev)["RevisionId"]
    update(dev, RevisionId=stale)
    configuration(dev)
    error = refused("PreconditionFailedException", update, dev=dev, RevisionId=stale)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 412


@pytest.mark.usefixtures("slow")
def test_an_update_is_in_progress_for_a_while_and_keeps_others_out(dev: Connection) -> None:
    assert update(dev)["LastUpdateStatus"] == "InProgress"
    assert configuration(dev)["LastUpdateStatus"] == "InProgress"
    error = refused("ResourceConflictException", update, dev=dev)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    dev.functions.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)
    assert configuration(dev)["LastUpdateStatus"] == "Successful"


@pytest.mark.usefixtures("slow")
def test_a_new_function_is_pending_first(dev: Connection) -> None:
    role = dev.functions.get_function(FunctionName=FUNCTION)["Configuration"]["Role"]
    request = {"FunctionName": "new", "Runtime": "python3.12", "Role": role, "Handler": "a.b", "Code": {"ZipFile": ZIP}}
    created = dev.functions.create_function(**request)
    assert (created["State"], "LastUpdateStatus" in created) == ("Pending", False)
    dev.functions.get_waiter("function_active_v2").wait(FunctionName="new")


def test_an_update_fails_on_demand_with_its_reason(dev: Connection, server: Server) -> None:
    server.aws.functions.fail_next[FUNCTION] = "The role is gone"
    update(dev)
    found = configuration(dev)
    assert (found["LastUpdateStatus"], found["LastUpdateStatusReason"]) == ("Failed", "The role is gone")
    with pytest.raises(WaiterError):
        dev.functions.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)


def test_a_missing_layer_version_is_an_invalid_parameter_and_no_missing_resource(dev: Connection) -> None:
    refused("InvalidParameterValueException", update, dev=dev, Layers=[arn(DEV, "core", 9)])


def test_six_layers_and_a_layer_twice_are_refused(dev: Connection) -> None:
    six = [publish(dev, f"layer-{number}")["LayerVersionArn"] for number in range(6)]
    refused("InvalidParameterValueException", update, dev=dev, Layers=six)
    again = publish(dev, "layer-0")["LayerVersionArn"]
    refused("InvalidParameterValueException", update, dev=dev, Layers=[six[0], again])


@pytest.mark.parametrize("layer", ["arn:aws:lambda:eu-west-3:111122223333:layer:x", "x"])
def test_what_is_no_layer_versions_arn_is_refused(dev: Connection, layer: str) -> None:
    refused("ValidationException", update, dev=dev, Layers=[layer])


def test_a_layer_of_another_region_is_refused(dev: Connection) -> None:
    elsewhere = publish(dev)["LayerVersionArn"].replace("eu-west-3", "us-east-1")
    refused("InvalidParameterValueException", update, dev=dev, Layers=[elsewhere])


def test_a_layer_of_another_account_is_refused_unless_it_was_granted(dev: Connection, sandbox: str) -> None:
    other = connect(DEV.__class__(**{**vars(DEV), "account": "999999999999"}), sandbox)
    theirs = publish(other, "theirs")["LayerVersionArn"]
    refused("AccessDeniedException", update, dev=dev, Layers=[theirs])
    other.functions.add_layer_version_permission(
        LayerName="theirs", VersionNumber=1, StatementId="all", Action="lambda:GetLayerVersion", Principal="*"
    )
    # moto itself looks for the layer in the function's own account, so that more than the refusal cannot be shown
    with pytest.raises(ClientError) as caught:
        update(dev, Layers=[theirs])
    assert caught.value.response["Error"]["Code"] != "AccessDeniedException"


def test_an_invalid_runtime_is_refused(dev: Connection) -> None:
    refused("InvalidParameterValueException", update, dev=dev, Runtime="python2.7")


def test_no_layers_means_no_key(dev: Connection) -> None:
    update(dev, Layers=[])
    assert "Layers" not in configuration(dev)


def test_code_that_is_not_there_or_no_archive_is_refused(dev: Connection) -> None:
    call, where = dev.functions.update_function_code, {"FunctionName": FUNCTION, "S3Bucket": BUCKET}
    refused("InvalidParameterValueException", call, S3Key="none.zip", **where)
    refused("InvalidParameterValueException", call, S3Key="k", FunctionName=FUNCTION, S3Bucket="no-such-bucket")
    dev.s3.put_object(Bucket=BUCKET, Key="text.zip", Body=b"no archive")
    refused("InvalidParameterValueException", call, S3Key="text.zip", **where)


def test_a_packages_bytes_can_be_downloaded(dev: Connection) -> None:
    dev.functions.update_function_code(FunctionName=FUNCTION, ZipFile=ZIP)
    location = dev.functions.get_function(FunctionName=FUNCTION)["Code"]["Location"]
    assert urllib.request.urlopen(location).read() == ZIP  # noqa: S310


# Layers


def test_a_layers_bytes_can_be_downloaded_and_found_by_arn(dev: Connection) -> None:
    made = publish(dev)
    found = dev.functions.get_layer_version_by_arn(Arn=made["LayerVersionArn"])
    assert found["Content"]["CodeSha256"] == sha256(ZIP)
    assert urllib.request.urlopen(found["Content"]["Location"]).read() == ZIP  # noqa: S310


def test_a_layer_of_nothing_or_no_archive_is_refused(dev: Connection) -> None:
    call = dev.functions.publish_layer_version
    refused("InvalidParameterValueException", call, LayerName="x", Content={"S3Bucket": BUCKET, "S3Key": "none"})
    refused("InvalidParameterValueException", call, LayerName="x", Content={"ZipFile": b"no archive"})


def test_an_object_version_is_the_one_that_was_named(dev: Connection) -> None:
    dev.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    old = dev.s3.put_object(Bucket=BUCKET, Key="k", Body=ZIP)["VersionId"]
    dev.s3.put_object(Bucket=BUCKET, Key="k", Body=b"newer, and no archive")
    content = {"S3Bucket": BUCKET, "S3Key": "k", "S3ObjectVersion": old}
    made = dev.functions.publish_layer_version(LayerName="x", Content=content)
    assert made["Content"]["CodeSha256"] == sha256(ZIP)


@pytest.mark.whole
def test_more_than_50_mb_directly_are_refused(dev: Connection) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("python/a", bytes(50_000_001))
    error = refused(
        "RequestEntityTooLargeException",
        dev.functions.publish_layer_version,
        LayerName="x",
        Content={"ZipFile": buffer.getvalue()},
    )
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 413


@pytest.mark.whole
def test_more_than_250_mib_unpacked_are_refused(dev: Connection) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("python/a", "w") as file:
        for _ in range(251):
            file.write(bytes(1 << 20))
    content = {"ZipFile": buffer.getvalue()}
    refused("InvalidParameterValueException", dev.functions.publish_layer_version, LayerName="x", Content=content)


@pytest.mark.parametrize("more", [{"Description": "x" * 257}, {"name": "not/a/name"}])
def test_long_descriptions_and_odd_names_are_refused(dev: Connection, more: dict[str, Any]) -> None:
    refused("ValidationException", publish, dev=dev, **more)


def test_lists_come_50_at_a_time(dev: Connection) -> None:
    for _ in range(51):
        publish(dev)
    first = dev.functions.list_layer_versions(LayerName="news-core-dev")
    assert (len(first["LayerVersions"]), bool(first["NextMarker"])) == (50, True)
    pages = dev.functions.get_paginator("list_layer_versions").paginate(LayerName="news-core-dev")
    assert sorted(item["Version"] for page in pages for item in page["LayerVersions"]) == list(range(1, 52))
    assert len(dev.functions.list_functions(MaxItems=1)["Functions"]) == 1


def test_deleting_what_is_gone_is_no_error(dev: Connection) -> None:
    dev.functions.delete_layer_version(LayerName="never-there", VersionNumber=3)


def test_beyond_15_requests_a_second_the_answer_is_429_on_request(dev: Connection, server: Server) -> None:
    server.aws.settings = Settings(requests_per_second=2)
    try:
        for _ in range(2):
            dev.functions.list_layers()
        call = server.aws.check_rate
        with pytest.raises(Exception, match="TooManyRequestsException"):
            call(_lambda_call())
    finally:
        server.aws.settings = Settings()


def _lambda_call() -> Any:
    from tasks.sandbox.messages import Call

    return Call("GET", "/2018-10-31/layers", {}, {}, b"", "lambda", "eu-west-3", DEV.account)


# S3


def test_a_sha256_is_stored_without_naming_the_algorithm(dev: Connection) -> None:
    dev.s3.put_object(Bucket=BUCKET, Key="k", Body=b"body", ChecksumSHA256=sha256(b"body"))
    head = dev.s3.head_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == sha256(b"body")


@pytest.mark.parametrize("more", [{}, {"ChecksumAlgorithm": "SHA256"}])
def test_a_wrong_sha256_is_refused_and_nothing_stored(dev: Connection, more: dict[str, str]) -> None:
    wrong = sha256(b"other")
    refused("BadDigest", dev.s3.put_object, Bucket=BUCKET, Key="k", Body=b"body", ChecksumSHA256=wrong, **more)
    refused("404", dev.s3.head_object, Bucket=BUCKET, Key="k")


def test_a_wrong_or_malformed_md5_is_refused(dev: Connection) -> None:
    wrong = base64.b64encode(bytes(16)).decode()
    refused("BadDigest", dev.s3.put_object, Bucket=BUCKET, Key="k", Body=b"body", ContentMD5=wrong)
    refused("InvalidDigest", dev.s3.put_object, Bucket=BUCKET, Key="k", Body=b"body", ContentMD5="?")


def test_a_copy_keeps_its_conditions_and_its_checksum(dev: Connection) -> None:
    dev.s3.put_object(Bucket=BUCKET, Key="k", Body=b"body", ChecksumSHA256=sha256(b"body"))
    copy = {"Bucket": BUCKET, "Key": "copy", "CopySource": {"Bucket": BUCKET, "Key": "k"}}
    refused("PreconditionFailed", dev.s3.copy_object, CopySourceIfMatch='"other"', **copy)
    dev.s3.copy_object(IfNoneMatch="*", **copy)
    refused("PreconditionFailed", dev.s3.copy_object, IfNoneMatch="*", **copy)
    head = dev.s3.head_object(Bucket=BUCKET, Key="copy", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == sha256(b"body")


def test_an_expected_owner_is_expected(dev: Connection) -> None:
    refused("403", dev.s3.head_object, Bucket=BUCKET, Key="k", ExpectedBucketOwner="999999999999")
    call = dev.s3.put_object
    refused("AccessDenied", call, Bucket=BUCKET, Key="k", Body=b"", ExpectedBucketOwner="999999999999")


def test_a_new_bucket_is_encrypted_and_closed_to_the_public_until_somebody_says_otherwise(dev: Connection) -> None:
    dev.s3.create_bucket(Bucket="new", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    (rule,) = dev.s3.get_bucket_encryption(Bucket="new")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    closed = dev.s3.get_public_access_block(Bucket="new")["PublicAccessBlockConfiguration"]
    assert (len(closed), set(closed.values())) == (4, {True})
    dev.s3.delete_public_access_block(Bucket="new")
    dev.s3.put_object(Bucket="new", Key="k", Body=b"")
    refused("NoSuchPublicAccessBlockConfiguration", dev.s3.get_public_access_block, Bucket="new")


def test_a_bucket_in_another_region_says_where_it_is(sandbox: str) -> None:
    elsewhere = connect(DEV.__class__(**{**vars(DEV), "region": "us-east-1"}), sandbox)
    refused("PermanentRedirect", elsewhere.s3.get_object, Bucket=BUCKET, Key="k")


def test_a_conditional_put_has_one_winner_at_any_size(dev: Connection) -> None:
    body, won = bytes(5_000_000), []

    def put() -> None:
        try:
            dev.s3.put_object(Bucket=BUCKET, Key="lock", Body=body, IfNoneMatch="*")
            won.append(1)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"  # noqa: PT017

    threads = [threading.Thread(target=put) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]


def test_moto_alone_stays_usable_as_a_second_opinion(server: Server) -> None:
    assert server.aws.moto is not None
    assert PROJECT.environments
