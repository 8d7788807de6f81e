import json
from pathlib import Path

import pytest

from tasks.errors import ReleaseError
from tasks.project.workspace import Workspace
from tasks.sandbox import background
from tasks.sandbox.server import Server


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
    assert server.url.startswith("http://127.0.0.1:")
