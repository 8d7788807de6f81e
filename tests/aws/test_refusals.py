from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from botocore import exceptions

from tasks.aws.connection import Connection, connect
from tasks.aws.observe import observe, read_sha256
from tasks.aws.refusals import explain
from tasks.errors import AwsError
from tests.aws.answers import Refusing
from tests.examples import DEV, RELEASE

WITH_PROFILE = DEV.__class__(**{**vars(DEV), "profile": "rag-lai-prod"})


def client_error(code: str) -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": "text"}}, "Operation")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "AccessDenied",
            "Access Denied; .* --profile rag-lai-prod.*profile rag-lai-prod may .*: inv doctor --policy --env dev",
        ),
        ("AccessDeniedException", "Access Denied; .*account 111122223333"),
        ("403", "Access Denied; "),
        ("ExpiredToken", "has expired; run: aws sso login --profile rag-lai-prod"),
        ("ExpiredTokenException", "has expired; run: aws sso login"),
        ("UnrecognizedClientException", "does not know these credentials.*aws configure --profile rag-lai-prod"),
        ("NoSuchBucket", r"does not exist; create it, or correct \[environments.dev\]"),
        ("PermanentRedirect", "not in eu-west-3; correct region"),
        ("ResourceConflictException", "still in progress; wait a moment and run the same command again"),
        ("TooManyRequestsException", "limits the rate"),
        ("SomethingNew", "text; correct that and run the same command again .SomethingNew."),
    ],
)
def test_each_code_of_aws_has_a_cause_and_a_next_command(code: str, message: str) -> None:
    with pytest.raises(AwsError, match=f"Cannot publish: .*{message}"), explain("publish", WITH_PROFILE):
        raise client_error(code)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (exceptions.NoCredentialsError(), "no AWS credentials found; run: aws configure --profile rag-lai-prod"),
        (
            exceptions.ProfileNotFound(profile="x"),
            "profile .x. could not be found; run: aws configure --profile rag-lai-prod .or try",
        ),
        (exceptions.UnauthorizedSSOTokenError(), "has expired; run: aws sso login --profile rag-lai-prod"),
        (exceptions.EndpointConnectionError(endpoint_url="u"), "no answer from AWS in eu-west-3"),
        (exceptions.ConnectTimeoutError(endpoint_url="u"), "no answer from AWS in eu-west-3"),
        (exceptions.NoRegionError(), "region"),
    ],
)
def test_a_call_that_never_got_an_answer_has_a_cause_and_a_next_command(
    error: exceptions.BotoCoreError, message: str
) -> None:
    with pytest.raises(AwsError, match=message), explain("publish", WITH_PROFILE):
        raise error


def test_without_a_profile_the_commands_name_none() -> None:
    with pytest.raises(AwsError, match=r"run: aws configure \(or try"), explain("publish", DEV):
        raise exceptions.NoCredentialsError


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), explain("publish", DEV):
        raise ZeroDivisionError


def test_an_unknown_profile_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(
        AwsError,
        match="profile .rag-lai-prod. could not be found; run: aws configure --profile rag",
    ):
        connect(WITH_PROFILE)


def test_a_bucket_in_another_region_is_refused_where_botocore_would_follow_in_silence(dev: Connection) -> None:
    refusing = Refusing(dev.s3, "HeadObject", "PermanentRedirect", 301)
    with refusing, pytest.raises(AwsError, match="not in eu-west-3"):
        read_sha256(dev, "layers/x.zip")
    assert refusing.asked == 1


def test_access_denied_while_observing_reaches_the_user_as_such(dev: Connection) -> None:
    refusing = Refusing(dev.functions, "ListLayerVersions", "AccessDeniedException", 403)
    with refusing, pytest.raises(AwsError, match="Cannot list the versions of layer news-.*: Access Denied"):
        observe(dev, RELEASE)


def test_a_clock_that_is_off_is_told_by_how_much() -> None:
    answered = format_datetime(datetime.now(UTC) - timedelta(seconds=1200), usegmt=True)
    error = client_error("RequestTimeTooSkewed")
    error.response["ResponseMetadata"] = {"HTTPHeaders": {"date": answered}}
    expected = r"the clock of this machine is 1(199|200|201) s ahead; set it right .* run the same command again"
    with pytest.raises(AwsError, match=expected), explain("publish", DEV):
        raise error


def test_a_bug_of_ours_is_not_blamed_on_aws() -> None:
    with pytest.raises(KeyError, match="core"), explain("publish", DEV):
        raise KeyError("core")
    with pytest.raises(AwsError, match="AWS's answer was cut short .no 'CodeSha256'."), explain("publish", DEV):
        raise KeyError("CodeSha256")
