import json
import socket
import threading
from pathlib import Path

import pytest
from invoke import Config, Context

from tasks.errors import ConfigError, ReleaseError
from tasks.project.workspace import Workspace
from tasks.sandbox import background, verbs
from tasks.sandbox.server import Server
from tests.examples import RELEASE_TOML, VERSION

pytestmark = pytest.mark.whole


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.sandbox.mkdir(parents=True)
    return workspace


def note(workspace: Workspace, url: str) -> Path:
    """What a sandbox leaves behind for others to find."""
    path = workspace.sandbox / "server.json"
    path.write_text(json.dumps({"url": url, "pid": 1}))
    return path


def test_no_note_means_no_sandbox(workspace: Workspace) -> None:
    assert background.find(workspace) == ""


def test_a_note_left_by_a_killed_sandbox_is_noticed_and_removed(workspace: Workspace) -> None:
    path = note(workspace, "http://127.0.0.1:9")
    assert background.find(workspace) == ""
    assert not path.exists()


def test_a_port_that_another_repositorys_sandbox_has_taken_is_not_ours(workspace: Workspace, server: Server) -> None:
    note(workspace, server.url)
    assert background.find(workspace) == ""


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": "gopher://x"}'])
def test_a_note_that_makes_no_sense_counts_as_none(workspace: Workspace, text: str) -> None:
    (workspace.sandbox / "server.json").write_text(text)
    assert background.find(workspace) == ""


def test_a_sandbox_that_cannot_start_says_why(workspace: Workspace) -> None:
    with pytest.raises(ReleaseError, match="The sandbox did not start: .*; see .*server.log"):
        background.start(workspace)


def test_the_server_listens_on_loopback_alone(server: Server) -> None:
    assert server.address.startswith("http://127.0.0.1:")


def test_a_sandbox_that_is_busy_is_not_taken_down_by_whoever_looks(workspace: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://sandbox:key@127.0.0.1:{silent.getsockname()[1]}"
        path = note(workspace, url)
        assert background.find(workspace, patience=0.2) == url
        assert path.exists()


def test_without_a_sandbox_there_is_nothing_to_print(workspace: Workspace) -> None:
    (workspace.root / "release.toml").write_text(RELEASE_TOML)
    with pytest.raises(ConfigError, match="No sandbox is up; run: inv sandbox.up"):
        verbs.env(Context(Config(overrides={"root": str(workspace.root)})))


@pytest.mark.parametrize(
    ("shell", "line"),
    [("bash", "export AWS_ACCESS_KEY_ID=SANDBOX444455556666"), ("powershell", '$env:AWS_REGION = "eu-west-1"')],
)
def test_what_other_programs_need_is_printed_for_a_shell(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], shell: str, line: str
) -> None:
    (workspace.root / "release.toml").write_text(RELEASE_TOML)
    (workspace.root / "VERSION").write_text(VERSION)
    server = Server(workspace.root)
    threading.Thread(target=server.wait, daemon=True).start()
    note(workspace, server.url)
    try:
        verbs.env(Context(Config(overrides={"root": str(workspace.root)})), env="prod", shell=shell)
    finally:
        server.stop()
    shown = capsys.readouterr().out
    assert line in shown.splitlines()
    assert server.keys.secret in shown
    assert f"{server.address}" in shown
    assert "@" not in shown


def test_an_unknown_shell_is_named(workspace: Workspace) -> None:
    (workspace.root / "release.toml").write_text(RELEASE_TOML)
    (workspace.root / "VERSION").write_text(VERSION)
    server = Server(workspace.root)
    threading.Thread(target=server.wait, daemon=True).start()
    note(workspace, server.url)
    with pytest.raises(ConfigError, match="use --shell with one of: bash, powershell"):
        verbs.env(Context(Config(overrides={"root": str(workspace.root)})), shell="fish")  # noqa: S604
    server.stop()
