from typing import Any

import pytest

from tasks.aws.connection import Connection
from tasks.aws.observe import observe, observe_canonical, observe_functions
from tasks.errors import AwsError
from tasks.release.artifacts import Release, description
from tasks.release.deployed import Deployed
from tests.aws.answers import Reporting
from tests.conftest import Calls
from tests.examples import CORE, DEV, RELEASE, ZIP


def test_a_fresh_environment_holds_functions_and_nothing_of_ours(dev: Connection) -> None:
    deployed = observe(dev, RELEASE)
    assert (deployed.objects, deployed.layers, deployed.record) == ({}, {"core": (), "deps": ()}, None)
    assert set(deployed.functions) == set(DEV.function_names.values())


def test_a_function_that_does_not_exist_is_left_out(dev: Connection) -> None:
    dev.functions.delete_function(FunctionName="news-ingest-dev")
    assert set(observe_functions(dev).functions) == {"news-letter-dev"}


def test_an_observation_takes_one_call_for_each_thing_it_looks_at(dev: Connection, calls: Calls) -> None:
    observe(dev, RELEASE)
    assert sorted(calls) == sorted(["GetFunction"] * 2 + ["ListLayerVersions"] * 2 + ["ListObjectsV2", "GetObject"])


def test_layer_versions_come_newest_first(dev: Connection) -> None:
    for text in ("1", "2"):
        dev.functions.publish_layer_version(LayerName="news-core-dev", Description=text, Content={"ZipFile": ZIP})
    assert [version.description for version in observe_functions(dev).layers["core"]] == ["2", "1"]


def test_an_object_without_a_sha256_of_the_whole_is_there_and_unknown(dev: Connection) -> None:
    dev.s3.put_object(Bucket="news-code-dev", Key=CORE.key, Body=b"by hand")
    assert observe(dev, RELEASE).objects == {CORE.key: ""}


def test_a_record_by_other_hands_is_an_error_and_no_release(dev: Connection) -> None:
    dev.s3.put_object(Bucket="news-code-dev", Key=RELEASE.key, Body=b"{}")
    with pytest.raises(Exception, match="record cannot be read"):
        observe(dev, RELEASE)


def test_configuration_is_known_by_key_and_etag(dev: Connection) -> None:
    assert set(observe_canonical(dev)) == {"canonical/scopes.yaml"}


def test_credentials_of_another_account_are_refused(dev: Connection) -> None:
    dev.functions.publish_layer_version(LayerName="news-core-dev", Content={"ZipFile": ZIP})
    elsewhere = DEV.__class__(**{**vars(DEV), "account": "999999999999"})
    with pytest.raises(AwsError, match="belong to account 111122223333, but dev is 999999999999 in release.toml"):
        observe_functions(Connection(elsewhere, dev.s3, dev.functions))


def test_a_missing_bucket_is_named_with_where_to_correct_it(dev: Connection) -> None:
    gone = DEV.__class__(**{**vars(DEV), "bucket": "news-code-gone"})
    with pytest.raises(AwsError, match=r"the bucket does not exist.*\[environments.dev\].*news-code-gone"):
        observe(Connection(gone, dev.s3, dev.functions), RELEASE)


def test_nothing_is_deployed_where_nothing_was_observed() -> None:
    assert Deployed().running() == {}
    assert Deployed().found(RELEASE) == {}


def test_a_function_that_is_being_updated_is_waited_for_so_that_the_next_call_does_not_conflict(
    dev: Connection,
) -> None:
    dev.functions.delete_function(FunctionName="news-letter-dev")
    statuses = ["InProgress", "InProgress", "Successful", "Successful"]

    def report(answer: dict[str, Any]) -> None:
        if "Configuration" in answer:
            answer["Configuration"]["LastUpdateStatus"] = statuses.pop(0)

    with Reporting(dev.functions, "GetFunction", report):
        assert set(observe_functions(dev).functions) == {"news-ingest-dev"}
    assert statuses == []


def test_without_its_record_each_archive_that_is_there_is_asked_for_its_digest(dev: Connection, calls: Calls) -> None:
    dev.s3.put_object(Bucket="news-code-dev", Key=CORE.key, Body=b"by hand")
    observe(dev, RELEASE)
    assert calls.count("HeadObject") == 1


def test_where_the_record_is_there_archives_need_only_be_listed(dev: Connection, calls: Calls) -> None:
    dev.s3.put_object(Bucket="news-code-dev", Key=CORE.key, Body=b"an archive")
    dev.s3.put_object(Bucket="news-code-dev", Key=RELEASE.key, Body=RELEASE.record().encode())
    assert observe(dev, RELEASE).objects == {CORE.key: CORE.sha256}
    assert "HeadObject" not in calls


def test_a_function_whose_last_update_failed_is_known_as_such(dev: Connection) -> None:
    def report(answer: dict[str, Any]) -> None:
        if "Configuration" in answer:
            answer["Configuration"]["LastUpdateStatus"] = "Failed"

    with Reporting(dev.functions, "GetFunction", report):
        assert all(there.failed for there in observe_functions(dev).functions.values())


def test_listing_goes_on_until_it_finds_what_is_sought_and_no_further(dev: Connection, calls: Calls) -> None:
    texts = [description(CORE, "abc1234"), *(f"later {number}" for number in range(60))]
    for text in texts:
        dev.functions.publish_layer_version(LayerName="news-core-dev", Description=text, Content={"ZipFile": ZIP})
    calls.clear()
    assert len(observe(dev, Release((CORE,), "abc1234")).layers["core"]) == 61
    assert calls.count("ListLayerVersions") == 2
    dev.functions.publish_layer_version(LayerName="news-core-dev", Description=texts[0], Content={"ZipFile": ZIP})
    calls.clear()
    assert len(observe(dev, Release((CORE,), "abc1234")).layers["core"]) == 50
    assert calls.count("ListLayerVersions") == 1
