import io
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.aws import connection
from tasks.aws.connection import client, connect
from tasks.aws.sessions import sandbox_session, session_of
from tasks.aws.who import check_caller
from tasks.errors import AwsError
from tasks.project.command import address_of
from tasks.project.model import Environment
from tests.examples import DEV, STAGE

HOSTILE: Mapping[str, str] = {
    "AWS_PROFILE": "no-such-profile",
    "AWS_DEFAULT_PROFILE": "no-such-profile",
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL": "https://aws.invalid",
    "AWS_ENDPOINT_URL_LAMBDA": "https://aws.invalid",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_REGION": "us-east-1",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}


def test_the_sandbox_can_never_reach_real_aws_whatever_the_environment_says(
    sandbox: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default\n")  # whoever reads this file fails
    for name, value in {**HOSTILE, "AWS_CONFIG_FILE": str(tmp_path / "config")}.items():
        monkeypatch.setenv(name, value)
    sandbox_session.cache_clear()  # so that a session is made here
    made = client("lambda", DEV, sandbox + "/")  # an address of its own, so that no client made before is used
    seen = []
    made.meta.events.register("before-send", lambda request, **_: seen.append((request.url, request.headers)))
    assert made.list_layers()["Layers"]
    url, headers = seen[0]
    assert url.startswith(address_of(sandbox))
    assert b"Credential=SANDBOX111122223333/" in bytes(headers["Authorization"])
    assert "X-Amz-Security-Token" not in headers


def test_environments_of_one_account_share_their_clients(sandbox: str) -> None:
    assert connect(DEV, sandbox).functions is connect(STAGE, sandbox).functions


def test_the_sandbox_keeps_accounts_apart(sandbox: str) -> None:
    elsewhere = DEV.__class__(**{**vars(DEV), "account": "999999999999"})
    assert connect(DEV, sandbox).functions.list_functions()["Functions"]
    assert connect(elsewhere, sandbox).functions.list_functions()["Functions"] == []


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Environment]:
    """Write an aws configuration of this user's own, and name an environment that uses its profile `team`."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    for cached in (connection._client, session_of, connection._name_elsewhere):  # noqa: SLF001
        cached.cache_clear()

    def write(text: str) -> Environment:
        (tmp_path / "config").write_text(text)
        return replace(DEV, profile="team")

    return write


KEYS = "aws_access_key_id = AKIAQ\naws_secret_access_key = x\n"


def test_aws_profile_comes_before_the_profile_of_release_toml(
    configured: Callable[[str], Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = configured(f"[profile mine]\n{KEYS}")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    assert client("s3", environment)._request_signer._credentials.access_key == "AKIAQ"  # noqa: SLF001
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AwsError, match="aws configure --profile nobody"):
        client("s3", environment)


def test_a_profile_that_needs_an_mfa_code_is_refused_where_nobody_can_type_it(
    configured: Callable[[str], Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    role = "role_arn = arn:aws:iam::111122223333:role/r\nsource_profile = base\nmfa_serial = arn:aws:iam::1:mfa/me\n"
    environment = configured(f"[profile team]\n{role}[profile base]\n{KEYS}")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(AwsError, match="team needs an MFA code, and nobody is here to type it; run in a terminal"):
        check_caller(connect(environment))


def test_the_cache_of_roles_is_that_of_the_aws_cli(configured: Callable[[str], Environment], tmp_path: Path) -> None:
    configured(f"[profile team]\n{KEYS}")
    session = session_of("team")
    provider = session._session.get_component("credential_provider").get_provider("assume-role")  # noqa: SLF001
    assert provider.cache._working_dir == str(tmp_path / ".aws" / "cli" / "cache")  # noqa: SLF001


@pytest.mark.skipif(os.name == "nt", reason="there is no echo")
def test_a_credential_process_that_prints_no_json_is_named(configured: Callable[[str], Environment]) -> None:
    environment = configured("[profile team]\ncredential_process = echo nonsense\n")
    with pytest.raises(AwsError, match="unfit .*; correct profile team in ~/.aws/config"):
        client("s3", environment)


def test_an_endpoint_that_is_no_address_is_named(
    configured: Callable[[str], Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = configured(f"[profile team]\n{KEYS}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not an address")
    with pytest.raises(AwsError, match="unfit .*Invalid endpoint: not an address.*, or AWS_ENDPOINT_URL"):
        client("s3", environment)


def test_an_endpoint_of_the_environment_is_honoured_and_named_once(
    configured: Callable[[str], Environment], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = configured(f"[profile team]\n{KEYS}")
    client("s3", environment)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    connection._client.cache_clear()  # noqa: SLF001
    assert client("s3", environment).meta.endpoint_url == client("lambda", environment).meta.endpoint_url
    assert capsys.readouterr().err == (
        "[WARNING] AWS is asked at http://127.0.0.1:9, which AWS_ENDPOINT_URL or a profile names\n"
    )
