import http.client
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tasks.aws.connection import Connection
from tasks.errors import AwsError, ConfigError
from tasks.sandbox.faults import Fault, Faults, read_faults
from tasks.sandbox.server import Server
from tests.examples import ZIP
from tests.front import Site


@pytest.fixture
def break_on(server: Server, dev: Connection) -> Any:
    """Say what goes wrong from here on; all is well again after the test."""
    assert dev.endpoint == server.url

    def ask(*faults: Fault, seed: int = 0) -> None:
        server.aws.faults = Faults(faults, seed)

    yield ask
    server.aws.faults = None


def publish(dev: Connection) -> dict[str, Any]:
    answer: dict[str, Any] = dev.functions.publish_layer_version(LayerName="x", Content={"ZipFile": ZIP})
    return answer


def versions(dev: Connection, name: str = "x") -> int:
    return len(dev.functions.list_layer_versions(LayerName=name)["LayerVersions"])


def test_the_nth_call_gets_the_error_that_was_asked_for(dev: Connection, break_on: Any) -> None:
    break_on(Fault("PublishLayerVersion", call=2, status=403, code="AccessDeniedException"))
    publish(dev)
    with pytest.raises(ClientError) as caught:
        publish(dev)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert versions(dev) == 1


def test_a_probability_gives_the_same_faults_for_the_same_seed(dev: Connection, break_on: Any) -> None:
    seen: list[list[bool]] = []
    for _ in range(2):
        break_on(Fault("ListLayerVersions", probability=0.5, status=400, code="Odd"), seed=7)
        seen.append([])
        for _ in range(12):
            try:
                versions(dev)
                seen[-1].append(True)
            except ClientError:
                seen[-1].append(False)
    assert seen[0] == seen[1]
    assert set(seen[0]) == {True, False}


def test_a_connection_is_reset_before_or_after_the_call_took_effect(dev: Connection, break_on: Any) -> None:
    for when, made in (("before", 0), ("after", 1)):
        break_on(*(Fault("PutObject", call=number, reset=when) for number in range(1, 6)))
        with pytest.raises(ConnectionClosedError):
            dev.s3.put_object(Bucket="news-code-dev", Key=when, Body=b"x")
        assert dev.s3.list_objects_v2(Bucket="news-code-dev", Prefix=when)["KeyCount"] == made


def test_a_truncated_download_is_noticed(dev: Connection, break_on: Any) -> None:
    dev.s3.put_object(Bucket="news-code-dev", Key="k", Body=b"x" * 1000)
    break_on(Fault("GetObject", call=1, truncate=10))
    with pytest.raises((http.client.IncompleteRead, Exception), match="ncomplete|onnection|ead"):
        dev.s3.get_object(Bucket="news-code-dev", Key="k")["Body"].read()


def test_a_lost_answer_of_a_publication_makes_no_second_version(site: Site, dev: Connection, break_on: Any) -> None:
    break_on(Fault("PublishLayerVersion", call=1, reset="after"))
    site.deploy()
    assert (versions(dev, "news-core-dev"), versions(dev, "news-deps-dev")) == (1, 1)


def test_a_lost_answer_of_an_upload_is_no_failure(site: Site, dev: Connection, break_on: Any) -> None:
    break_on(Fault("PutObject", call=2, reset="after"), Fault("CopyObject", call=1, latency=0.01))
    site.deploy()
    assert versions(dev, "news-core-dev") == 1


def test_a_file_says_what_goes_wrong(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('seed = 3\npending = 1.5\n[[fault]]\noperation = "GetFunction"\ncall = 1\nkill = "after"\n')
    settings, faults = read_faults(path)
    assert settings.pending == 1.5
    assert isinstance(faults, Faults)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not valid TOML"),
        ("later = 1", "unknown key 'later'"),
        ('[[fault]]\noperation = "Fly"', "'Fly' is no operation; known: CopyObject"),
        ('[[fault]]\noperation = "Invoke"\nwhen = 1', "a fault has an unknown key 'when'"),
        ('[[fault]]\noperation = "Invoke"\nreset = "later"', 'must be "before" or "after"'),
        ('pending = "x"', "pending must be a number from 0 to"),
        ("pending = -1", "pending must be a number from 0 to"),
        ('[[fault]]\noperation = "Invoke"\nstatus = "abc"', "status of a fault must be a number"),
        ('[[fault]]\noperation = "Invoke"\nprobability = 2\nstatus = 500', "a probability .0 to 1."),
        ('[[fault]]\noperation = "Invoke"\nstatus = 500', "needs a call"),
        ('[[fault]]\noperation = "Invoke"\ncall = 1', "says when, not what"),
    ],
)
def test_what_a_file_cannot_mean_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "faults.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_faults(tmp_path / "faults.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_faults(tmp_path / "none.toml")


def test_an_answer_that_was_cut_short_is_an_error_of_ours(site: Site, break_on: Any) -> None:
    break_on(Fault("GetFunction", call=1, truncate=10))
    with pytest.raises(AwsError, match="run the same command again"):
        site.deploy()


def test_a_status_has_its_usual_code(dev: Connection, break_on: Any) -> None:
    break_on(Fault("PublishLayerVersion", call=1, status=403))
    with pytest.raises(ClientError) as caught:
        publish(dev)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
