"""The aws command line on a sandbox that is up, with what `inv sandbox.env` prints and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from invoke import Config, Context

from tasks.project.workspace import Workspace
from tasks.sandbox import verbs
from tasks.sandbox.server import Server
from tests.conftest import refresh
from tests.examples import DEV, PROJECT, RELEASE_TOML, VERSION

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The aws command line, in an environment of its own."""
    folder = tmp_path_factory.mktemp("awscli")
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([*uv, "pip", "install", "-q", "--python", python, "awscli==1.46.3"], check=True)
    return python.with_name("aws")


def test_awscli_lists_reads_and_invokes_with_what_sandbox_env_prints(
    server: Server, aws: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    refresh(server, PROJECT)
    context = Context(Config(overrides={"root": str(tmp_path)}))
    standing = Server(tmp_path)
    threading.Thread(target=standing.wait, daemon=True).start()
    workspace = Workspace(tmp_path)
    workspace.sandbox.mkdir(parents=True)
    (workspace.sandbox / "server.json").write_text(json.dumps({"url": standing.url, "pid": os.getpid()}))
    verbs.env(context, env="dev", shell="bash")  # noqa: S604
    printed = dict(re.findall(r"export (\w+)=(\S+)", capsys.readouterr().out))
    assert printed["AWS_ENDPOINT_URL"] == standing.address
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **printed,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }

    def run(*arguments: str) -> str:
        command = [str(aws), *arguments]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    listed = json.loads(run("lambda", "list-functions", "--output", "json"))["Functions"]
    assert {each["FunctionName"] for each in listed} >= set(DEV.function_names.values())
    (tmp_path / "a b.txt").write_text("hello")
    run("s3", "cp", str(tmp_path / "a b.txt"), f"s3://{DEV.bucket}/some/a b.txt")
    assert "some/a b.txt" in run("s3", "ls", f"s3://{DEV.bucket}", "--recursive")
    run("s3", "cp", f"s3://{DEV.bucket}/some/a b.txt", str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_text() == "hello"
    answer = tmp_path / "answer.json"
    run("lambda", "invoke", "--function-name", DEV.function_names["ingest"], str(answer))
    assert json.loads(answer.read_text())["statusCode"] == 200
    assert json.loads(run("sts", "get-caller-identity", "--output", "json"))["Account"] == DEV.account
    standing.stop()
    shutil.rmtree(workspace.sandbox)
