from collections.abc import Mapping
from pathlib import Path

import pytest

from tasks.aws import connection
from tasks.aws.connection import client, connect
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
    connection._sandbox_session.cache_clear()  # noqa: SLF001  (so that a session is made here)
    made = client("lambda", DEV, sandbox + "/")  # an address of its own, so that no client made before is used
    seen = []
    made.meta.events.register("before-send", lambda request, **_: seen.append((request.url, request.headers)))
    assert made.list_layers()["Layers"]
    url, headers = seen[0]
    assert url.startswith(sandbox)
    assert b"Credential=sandbox/" in bytes(headers["Authorization"])
    assert "X-Amz-Security-Token" not in headers


def test_environments_of_one_account_share_their_clients(sandbox: str) -> None:
    assert connect(DEV, sandbox).functions is connect(STAGE, sandbox).functions


def test_the_sandbox_keeps_accounts_apart(sandbox: str) -> None:
    elsewhere = DEV.__class__(**{**vars(DEV), "account": "999999999999"})
    assert connect(DEV, sandbox).functions.list_functions()["Functions"]
    assert connect(elsewhere, sandbox).functions.list_functions()["Functions"] == []
