"""Invoke, smoke and e2e on the sandbox, through the front door."""

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks.aws.connection import Connection
from tasks.errors import ConfigError, ReleaseError
from tasks.invoke import read_payload
from tests.conftest import After, Calls
from tests.examples import RELEASE_TOML
from tests.front import Site

pytestmark = [pytest.mark.whole, pytest.mark.skipif(os.name == "nt", reason="awslambdaric is for Linux")]

HANDLER = """\
import core

def run(event, context):
    if not event.get("client_id"):
        return {"statusCode": 400, "body": "client_id is required"}
    return {"statusCode": 200, "body": core.NAME}
"""
# what only a real run can find: the missing module is not named where it is imported
BROKEN = """
import importlib, os
if "AWS_EXECUTION_ENV" in os.environ:
    importlib.import_module("ya" "ml")
"""
E2E = '\n[e2e]\nfunctions = ["ingest", "letter"]\nbucket = "news-config-{env}"\nkey = "{client_id}.md"\n'


@pytest.fixture
def running(after: After) -> Site:
    """The site after `deploy_packages`."""
    return after(deploy_packages)


def deploy_packages(site: Site) -> None:
    """The example project with packages for its functions, deployed to dev."""
    root = site.workspace.root
    text = RELEASE_TOML.replace('name = "news"\n', 'name = "news"\nsmoke = true\n', 1) + E2E
    for function, runtime in (("ingest", "python3.12"), ("letter", "python3.11")):
        line = f'name = "news-{function}-{{env}}"\nruntime = "{runtime}"\n'
        text = text.replace(line, f'{line}source = "src/{function}"\nhandler = "handler.run"\n')
        (root / "src" / function).mkdir()
        (root / "src" / function / "handler.py").write_text(HANDLER)
    (root / "release.toml").write_text(text)
    site.deploy()


def layers(dev: Connection) -> list[str]:
    found = dev.functions.get_function(FunctionName="news-ingest-dev")["Configuration"]
    return [layer["Arn"] for layer in found["Layers"]]


def test_a_deployment_ends_with_a_smoke_test(running: Site, capsys: pytest.CaptureFixture[str]) -> None:
    (running.workspace.root / "src" / "core" / "new.py").write_text("")
    (running.workspace.root / "VERSION").write_text("CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    running.deploy()
    assert "   [OK] Smoke test: news-ingest-dev starts, and refuses the test event (" in capsys.readouterr().out


def test_a_release_that_cannot_start_leaves_the_functions_on_their_former_layers(
    running: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    before = layers(dev)
    root = running.workspace.root
    (root / "src" / "core" / "__init__.py").write_text("NAME = 'new'\n" + BROKEN)
    (root / "VERSION").write_text("CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    with pytest.raises(
        ReleaseError, match=r"(?s)Runtime.ImportModuleError: .*No module named 'yaml'.*dev is as it was before"
    ):
        running.deploy()
    assert layers(dev) == before
    assert "Putting dev back to what it was" in capsys.readouterr().out
    running.smoke()


def test_new_code_alone_is_tested_too(running: Site) -> None:
    handler = running.workspace.root / "src" / "ingest" / "handler.py"
    handler.write_text(
        HANDLER.replace('return {"statusCode": 400', "raise ValueError('boom')\n        return {\"statusCode\": 400")
    )
    with pytest.raises(ReleaseError, match=r"(?s)ValueError: boom.*dev is as it was before"):
        running.deploy()


def test_invoke_shows_status_duration_and_answer(running: Site, capsys: pytest.CaptureFixture[str]) -> None:
    running.invoke("dev", "ingest", '{"client_id": "a"}')
    shown = capsys.readouterr().out
    assert "[OK] news-ingest-dev\n   Status: 200\n   Duration: " in shown
    assert '   Answer: {"statusCode": 200, "body": "core"}' in shown


def test_a_status_of_400_and_above_is_a_failure(running: Site) -> None:
    with pytest.raises(ReleaseError, match="news-ingest-dev answered 400"):
        running.invoke("dev", "ingest", "{}")


def test_a_function_that_is_not_there_is_named_with_those_that_are(running: Site) -> None:
    with pytest.raises(ConfigError, match="Unknown function 'x'; use --function with one of: ingest, letter"):
        running.invoke("dev", "x", "{}")


def test_the_pipeline_runs_in_order_and_its_result_must_be_there(
    running: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ReleaseError, match="s3://news-config-dev/a.md does not exist"):
        running.e2e("dev", "a")
    dev.s3.put_object(Bucket="news-config-dev", Key="a.md", Body=b"# The letter\n")
    running.e2e("dev", "a")
    shown = capsys.readouterr().out
    assert shown.rindex("[OK] news-letter-dev") > shown.rindex("[OK] news-ingest-dev")
    assert "# The letter" in shown


def test_on_a_real_environment_nothing_runs_unasked(
    running: Site, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(ReleaseError, match="Somebody must agree, and nobody is here to be asked"):
        Site(running.root, "").e2e("dev", "a")
    assert calls == []


@pytest.mark.parametrize(
    ("asked", "payload"),
    [(("a", "", ""), {"client_id": "a"}), (("", '{"n": 1}', ""), {"n": 1}), (("", "[]", ""), [])],
)
def test_a_payload_is_said_in_one_of_three_ways(asked: tuple[str, str, str], payload: Any) -> None:
    assert json.loads(read_payload(*asked)) == payload


def test_a_payload_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('{"n": 2}')
    assert json.loads(read_payload("", "", str(tmp_path / "event.json"))) == {"n": 2}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("", "", ""), "Say what to send"),
        (("a", "{}", ""), "Say what to send"),
        (("", "{", ""), "is not JSON"),
        (("", "", "none.json"), "none.json cannot be read"),
    ],
)
def test_a_payload_that_cannot_be_sent_is_refused(asked: tuple[str, str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_payload(*asked)


def test_an_error_is_shown_once_with_its_trace_in_the_log(running: Site, capsys: pytest.CaptureFixture[str]) -> None:
    (running.root / "src" / "ingest" / "handler.py").write_text(
        "def run(event, context):\n    raise ValueError('no')\n"
    )
    text = (running.root / "release.toml").read_text().replace("smoke = true\n", "")
    running.write("release.toml", text)
    running.deploy()
    capsys.readouterr()
    with pytest.raises(ReleaseError, match="news-ingest-dev failed; its log above says why"):
        running.invoke("dev", "ingest", "{}")
    shown = capsys.readouterr().out
    assert shown.count("raise ValueError") == 1
    assert "Status: ValueError: no" in shown


def test_a_refusal_is_explained_by_the_answer_that_is_shown(running: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ReleaseError, match="news-ingest-dev answered 400; its answer above says why"):
        running.invoke("dev", "ingest", "{}")
    assert 'Answer: {"statusCode": 400, "body": "client_id is required"}' in capsys.readouterr().out
