import hashlib
import io
from dataclasses import replace
from typing import Any

import pytest

from tasks.aws.connection import Connection
from tasks.aws.observe import (
    list_canonical,
    list_layer_versions,
    load_record,
    look,
    observe,
    observe_records,
)
from tasks.errors import AwsError
from tasks.release.artifacts import description, tree_of
from tasks.release.release import Release, write_record
from tests.aws.answers import Reporting
from tests.conftest import Calls
from tests.examples import CORE, DEV, RELEASE, ZIP, layer_version
from tests.fake_aws import FakeAws
from tests.front import Site


def test_a_fresh_environment_holds_functions_and_nothing_of_ours(dev: Connection) -> None:
    _, deployed = observe(dev, RELEASE)
    assert (deployed.objects, deployed.layers, deployed.record) == ({}, {"core": (), "deps": ()}, None)
    assert set(deployed.functions) == set(DEV.function_names.values())


def test_a_function_that_does_not_exist_is_left_out(dev: Connection) -> None:
    dev.functions.delete_function(FunctionName="news-ingest-dev")
    assert set(look(dev).functions) == {"news-letter-dev"}


def test_an_observation_takes_one_call_for_each_thing_it_looks_at(dev: Connection, calls: Calls) -> None:
    observe(dev, RELEASE)
    assert sorted(calls) == sorted(
        ["GetFunction", "ListAliases", "ListLayerVersions"] * 2 + ["ListObjectsV2", "GetObject"] + ["HeadObject"] * 2
    )


def test_layer_versions_come_newest_first(dev: Connection) -> None:
    for text in ("1", "2"):
        dev.functions.publish_layer_version(LayerName="news-core-dev", Description=text, Content={"ZipFile": ZIP})
    assert [version.description for version in look(dev).layers["core"]] == ["2", "1"]


def test_an_object_of_which_s3_has_no_sha256_is_read_for_it(dev: Connection) -> None:
    dev.s3.put_object(Bucket="news-code-dev", Key=CORE.key, Body=b"by hand")
    found = observe(dev, RELEASE)[1]
    assert found.objects == {CORE.key: hashlib.sha256(b"by hand").hexdigest()}
    assert found.trees == {CORE.key: ""}


def test_the_tree_of_an_archive_that_is_stored_with_other_bytes_is_read(dev: Connection) -> None:
    dev.s3.put_object(Bucket="news-code-dev", Key=CORE.key, Body=ZIP)
    assert observe(dev, RELEASE)[1].trees == {CORE.key: tree_of(io.BytesIO(ZIP))}


def test_a_record_by_other_hands_is_an_error_and_no_release(dev: Connection) -> None:
    dev.s3.put_object(Bucket="news-code-dev", Key=RELEASE.key, Body=b"{}")
    with pytest.raises(Exception, match="damaged or was not written by this tool"):
        observe(dev, RELEASE)


def test_configuration_is_known_by_the_digest_of_its_contents_whether_s3_has_it_or_not(dev: Connection) -> None:
    digest = hashlib.sha256(b"a: 1").hexdigest()
    dev.s3.put_object(Bucket=DEV.canonical_bucket, Key="canonical/a", Body=b"a: 1")
    dev.s3.put_object(Bucket=DEV.canonical_bucket, Key="canonical/b", Body=b"a: 1", ChecksumAlgorithm="SHA256")
    dev.s3.put_object(Bucket=DEV.canonical_bucket, Key="elsewhere/c", Body=b"a: 1")
    assert {key: each.sha256 for key, each in look(dev).canonical.items()} == {
        "canonical/a": digest,
        "canonical/b": digest,
    }


def test_credentials_of_another_account_are_refused(dev: Connection) -> None:
    dev.functions.publish_layer_version(LayerName="news-core-dev", Content={"ZipFile": ZIP})
    elsewhere = DEV.__class__(**{**vars(DEV), "account": "999999999999"})
    with pytest.raises(AwsError, match="belong to account 111122223333, but dev is 999999999999 in release.toml"):
        look(replace(dev, environment=elsewhere))


def test_a_missing_bucket_is_named_with_where_to_correct_it(dev: Connection) -> None:
    gone = DEV.__class__(**{**vars(DEV), "bucket": "news-code-gone"})
    with pytest.raises(AwsError, match=r"the bucket does not exist.*\[environments.dev\].*news-code-gone"):
        observe(replace(dev, environment=gone), RELEASE)


def test_a_function_that_is_being_updated_is_waited_for_so_that_the_next_call_does_not_conflict(
    dev: Connection,
) -> None:
    dev.functions.delete_function(FunctionName="news-letter-dev")
    statuses = ["InProgress", "InProgress", "Successful"]

    def report(answer: dict[str, Any]) -> None:
        if "Configuration" in answer:
            answer["Configuration"]["LastUpdateStatus"] = statuses.pop(0)

    with Reporting(dev.functions, "GetFunction", report):
        assert set(look(dev).functions) == {"news-ingest-dev"}
    assert statuses == []


def test_where_the_release_runs_and_is_recorded_its_archives_are_not_looked_at(
    site: Site, dev: Connection, calls: Calls
) -> None:
    site.deploy()
    (record,) = [item["Key"] for item in dev.s3.list_objects_v2(Bucket=DEV.bucket, Prefix="releases/")["Contents"]]
    release = load_record(dev, record)
    assert release
    calls.clear()
    assert observe(dev, release)[1].objects == {each.key: each.sha256 for each in release.artifacts}
    assert calls.count("HeadObject") == len(release.canonical)


def test_the_bytes_of_a_layer_version_that_is_about_to_be_attached_are_asked_for(dev: Connection) -> None:
    text = description(CORE, "abc1234")
    dev.functions.publish_layer_version(LayerName="news-core-dev", Description=text, Content={"ZipFile": ZIP})
    assert list(observe(dev, RELEASE)[1].digests.values()) == [hashlib.sha256(ZIP).hexdigest()]


def test_a_function_whose_last_update_failed_is_known_as_such(dev: Connection) -> None:
    def report(answer: dict[str, Any]) -> None:
        if "Configuration" in answer:
            answer["Configuration"]["LastUpdateStatus"] = "Failed"

    with Reporting(dev.functions, "GetFunction", report):
        assert all(there.failed for there in look(dev).functions.values())


def test_listing_goes_on_until_it_finds_what_is_sought_and_no_further(dev: Connection, calls: Calls) -> None:
    texts = [description(CORE, "abc1234"), *(f"later {number}" for number in range(60))]
    for text in texts:
        dev.functions.publish_layer_version(LayerName="news-core-dev", Description=text, Content={"ZipFile": ZIP})
    calls.clear()
    assert len(observe(dev, Release((CORE,), "abc1234"))[1].layers["core"]) == 61
    assert calls.count("ListLayerVersions") == 2
    dev.functions.publish_layer_version(LayerName="news-core-dev", Description=texts[0], Content={"ZipFile": ZIP})
    calls.clear()
    assert len(observe(dev, Release((CORE,), "abc1234"))[1].layers["core"]) == 50
    assert calls.count("ListLayerVersions") == 1


def test_records_are_read_newest_first() -> None:
    aws = FakeAws()
    other = replace(RELEASE, commit="fffffff", canonical={})
    for release in (RELEASE, other):
        aws.put_object(Bucket=DEV.bucket, Key=release.key, Body=write_record(release))
        aws.sleep(5)
    found = observe_records(aws.connection(DEV, "reader"), "releases/core-1.2.4/")
    assert [release.commit for release in found] == ["fffffff", "abc1234"]


def test_layer_versions_of_another_account_are_refused() -> None:
    aws = FakeAws(layers={"news-core-dev": [{"LayerVersionArn": layer_version(CORE).arn}]})
    elsewhere = replace(DEV, account="999999999999")
    with pytest.raises(AwsError, match="belong to account 111122223333"):
        list_layer_versions(aws.connection(elsewhere, "reader"), "core")


def test_a_bucket_of_another_account_is_not_listed(dev: Connection) -> None:
    elsewhere = replace(dev, environment=replace(DEV, account="999999999999"))
    with pytest.raises(AwsError, match="Access Denied"):
        list_canonical(elsewhere)
