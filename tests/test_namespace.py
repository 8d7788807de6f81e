"""The command line, run as a user runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import RELEASE_TOML, VERSION

ROOT = Path(__file__).parent.parent


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example project with this package in it, as another team would copy it."""
    shutil.copytree(ROOT / "tasks", tmp_path / "tasks")
    shutil.copy(ROOT / "tasks.py", tmp_path)
    shutil.copy(ROOT / "invoke.yaml", tmp_path)
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    (tmp_path / "canonical").mkdir()
    (tmp_path / "canonical" / "scopes.yaml").write_text("a: 1\n")
    for layer in ("core", "deps"):
        (tmp_path / "src" / layer).mkdir(parents=True)
        (tmp_path / "src" / layer / "__init__.py").write_text("")
    return tmp_path


def inv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `inv` in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "invoke", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_entry_file_does_not_hide_the_package_of_the_same_name(repository: Path) -> None:
    listed = inv(repository, "--list").stdout
    assert "build-core" in listed
    assert "dev.update-lambdas" in listed
    assert "prod.promote" in listed
    assert "dev.promote" not in listed


def test_one_line_builds_deploys_and_promotes_on_the_sandbox(repository: Path) -> None:
    result = inv(repository, "sandbox", "deploy", "--env", "dev", "promote", "--to", "stage", "--version", "1.2.4")
    assert result.returncode == 0, result.stderr
    assert "[SUCCESS] Deployment to dev completed successfully!" in result.stdout
    assert "[SUCCESS] Promotion completed successfully!" in result.stdout


@pytest.mark.long
def test_two_environments_on_one_line_are_both_reached_where_invoke_would_drop_the_second(repository: Path) -> None:
    (repository / "invoke.yaml").unlink()
    result = inv(repository, "sandbox", "dev.upload", "stage.upload")
    assert "Upload to dev completed" in result.stdout
    assert "Upload to stage completed" in result.stdout


@pytest.mark.long
def test_the_environment_may_be_named_in_three_ways(repository: Path) -> None:
    result = inv(repository, "sandbox", "dev.deploy", "deploy", "--env", "dev", "deploy", "dev")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("dev is up to date") == 2
    assert result.stdout.count("Deployment to dev completed") == 1


@pytest.mark.long
def test_the_same_task_twice_on_one_line_runs_twice_where_invoke_would_drop_the_second(repository: Path) -> None:
    inv(repository, "bump", "--part", "patch", "bump", "--part", "patch")
    assert "CORE_VERSION=1.2.6" in (repository / "VERSION").read_text()


def test_an_environments_own_task_takes_no_other_environment(repository: Path) -> None:
    result = inv(repository, "sandbox", "dev.deploy", "--env", "prod")
    assert result.returncode != 0
    assert "--env" in result.stderr


@pytest.mark.whole
def test_an_error_is_one_clear_message_and_exit_code_1(repository: Path) -> None:
    result = inv(repository, "sandbox", "deploy", "--env", "qa")
    assert result.returncode == 1
    sandbox, error = result.stderr.split("\n\n")
    assert sandbox == "[INFO] Sandbox: an emulated AWS for this line only; nothing reaches a real account"
    assert error == "[ERROR] Unknown environment 'qa'; use --env with one of: dev, stage, prod\n"


def test_a_mistake_in_release_toml_is_a_clear_message_even_while_tasks_are_listed(repository: Path) -> None:
    (repository / "release.toml").write_text("[project")
    result = inv(repository, "--list")
    assert result.returncode == 1
    assert result.stderr.startswith("[ERROR] release.toml is not valid TOML")
    assert "Traceback" not in result.stderr


@pytest.mark.long
def test_a_sandbox_can_be_ended_although_release_toml_is_broken(repository: Path) -> None:
    try:
        inv(repository, "sandbox.up")
    finally:
        (repository / "release.toml").write_text("[project")
        stopped = inv(repository, "sandbox.down")
    assert (stopped.returncode, stopped.stdout) == (0, "[OK] Sandbox stopped\n")
    assert inv(repository, "sandbox.up").returncode == 1


def test_dashes_work_whatever_somebodys_own_configuration_of_invoke_says(repository: Path) -> None:
    command = [sys.executable, "-m", "invoke", "update-lambdas", "--env", "nowhere"]
    for name, value in (("INVOKE_TASKS_AUTO_DASH_NAMES", "0"), ("HOME", str(repository))):
        (repository / ".invoke.yaml").write_text("tasks:\n  auto_dash_names: false\n")
        environment = {**os.environ, name: value, "USERPROFILE": str(repository)}
        made = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)
        assert "Unknown environment 'nowhere'" in made.stderr


@pytest.mark.long
def test_an_environment_cannot_have_the_name_of_a_task(repository: Path) -> None:
    (repository / "release.toml").write_text(RELEASE_TOML.replace("[environments.dev]", "[environments.build]"))
    assert "environment 'build' has the name of a task" in inv(repository, "--list").stderr


def test_bump_changes_one_line_and_says_what_it_did(repository: Path) -> None:
    result = inv(repository, "bump", "--part", "patch", "--layer", "deps")
    assert result.stdout.splitlines()[0] == "[OK] DEPS_VERSION: 1.0.5 -> 1.0.6"
    assert 'git commit -am "DEPS_VERSION=1.0.6"' in result.stdout
    assert (repository / "VERSION").read_text() == "CORE_VERSION=1.2.4\nDEPS_VERSION=1.0.6\n"


@pytest.mark.long
def test_bump_raises_the_first_layer_by_default(repository: Path) -> None:
    assert inv(repository, "bump", "--part", "minor").stdout.startswith("[OK] CORE_VERSION: 1.2.4 -> 1.3.0\n")


@pytest.mark.long
def test_build_and_its_parts_work_from_a_folder_below(repository: Path) -> None:
    result = inv(repository / "src", "build")
    assert result.returncode == 0, result.stderr
    built = sorted(path.name for path in (repository / ".build" / "layers").glob("*.zip"))
    assert built == ["core-1.2.4.zip", "deps-1.0.5.zip"]


@pytest.mark.long
def test_build_of_one_layer_leaves_the_other(repository: Path) -> None:
    inv(repository, "build")
    (repository / "VERSION").write_text("CORE_VERSION=1.2.4\nDEPS_VERSION=1.0.6\n")
    inv(repository, "build", "--layer", "deps")
    built = sorted(path.name for path in (repository / ".build" / "layers").glob("*.zip"))
    assert built == ["core-1.2.4.zip", "deps-1.0.6.zip"]


@pytest.mark.long
def test_a_sandbox_in_the_background_keeps_what_was_deployed_until_it_is_taken_down(repository: Path) -> None:
    try:
        assert "Sandbox is up at http://127.0.0.1:" in inv(repository, "sandbox.up").stdout
        inv(repository, "sandbox", "dev.deploy")
        assert "dev is up to date" in inv(repository, "sandbox", "dev.deploy").stdout
    finally:
        stopped = inv(repository, "sandbox.down").stdout
    assert stopped == "[OK] Sandbox stopped\n"
    assert inv(repository, "sandbox.down").stdout == "[SKIP] No sandbox is up\n"


def test_without_the_word_sandbox_a_running_sandbox_is_not_used(repository: Path) -> None:
    (repository / ".build" / "sandbox").mkdir(parents=True)
    (repository / ".build" / "sandbox" / "server.json").write_text('{"url": "http://127.0.0.1:1"}')
    text = RELEASE_TOML.replace('region = "eu-west-3"', 'region = "eu-west-3"\nprofile = "no-such-profile"')
    (repository / "release.toml").write_text(text)
    assert "The config profile (no-such-profile) could not be found" in inv(repository, "deploy", "dev").stderr
