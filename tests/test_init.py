"""inv init: what it writes into a project, and what it leaves alone."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from invoke import Config, Context

from tasks.errors import BuildError, ConfigError
from tasks.init import init, next_commands
from tasks.project.command import ROOT
from tasks.project.release_toml import parse_project
from tasks.project.starter import Found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a package, requirements of its own, and an ignore file."""
    root = tmp_path / "weather"
    (root / "src" / "weather").mkdir(parents=True)
    (root / "src" / "weather" / "__init__.py").write_text("")
    (root / "requirements.txt").write_text("numpy\n")
    (root / ".gitignore").write_text("__pycache__/\nsecret.txt")
    return root


def run(root: Path, **options: str) -> None:
    init(Context(Config()), into=str(root), accounts="111122223333", region="eu-west-3", **options)


def test_everything_that_a_project_needs_is_there_and_nothing_is_overwritten(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project, environments="test,live", runtimes="python3.13", architecture="arm64")
    said = capsys.readouterr().out
    assert (project / "requirements.txt").read_text() == "numpy\n"
    assert "requirements.txt is the project's; this tool's is requirements-inv.txt" in said
    assert "boto3==" in (project / "requirements-inv.txt").read_text()
    assert "-r requirements-inv.txt\n" in (project / "requirements-dev.txt").read_text()
    assert "-r requirements-inv.lock" in (project / ".github/workflows/release.yml").read_text()
    ignored = (project / ".gitignore").read_text().splitlines()
    assert ignored[:2] == ["__pycache__/", "secret.txt"]
    assert ".build/" in ignored
    copied = {path.relative_to(project).as_posix() for path in (project / "tasks").rglob("*") if path.is_file()}
    ours = subprocess.run(["git", "ls-files", "tasks"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    assert copied >= {name for name in ours.stdout.splitlines() if (ROOT / name).exists()}
    assert not list(project.rglob("*.pyc"))
    found = parse_project((project / "release.toml").read_text())
    assert (found.name, list(found.layers), list(found.environments)) == (
        "weather",
        ["weather", "common-deps"],
        ["test", "live"],
    )
    assert ".venv/bin/inv sandbox deploy --env test" in said


def test_what_to_type_next_is_what_the_system_understands(tmp_path: Path) -> None:
    root, found = tmp_path / "my weather", Found(("src/weather",), ("requirements.txt",), {})
    assert next_commands(root, found, "dev", git=False, windows=True) == [
        f'cd "{root}"',
        "py -m venv .venv",
        ".venv\\Scripts\\pip install -r requirements-dev.txt",
        "git init",
        ".venv\\Scripts\\inv lock",
        "git add .",
        'git commit -m "Release layers with inv"',
        ".venv\\Scripts\\inv sandbox deploy --env dev",
        ".venv\\Scripts\\inv doctor",
    ]
    assert next_commands(root, Found((), (), {}), "dev", git=True, windows=False)[1:3] == [
        "python3 -m venv .venv",
        ".venv/bin/pip install -r requirements-dev.txt",
    ]


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_whoever_sits_there_is_asked_for_what_no_option_says(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["", "python3.12, python3.13", "test,live", "111122223333,444455556666", "eu-west-1"]
    monkeypatch.setattr(sys, "stdin", Keyboard("\n".join(typed) + "\n"))
    init(Context(Config()), into=str(project))
    found = parse_project((project / "release.toml").read_text())
    assert (found.name, [each.name for each in found.runtimes]) == ("weather", ["python3.12", "python3.13"])
    assert [(each.name, each.account, each.region) for each in found.environments.values()] == [
        ("test", "111122223333", "eu-west-1"),
        ("live", "444455556666", "eu-west-1"),
    ]
    assert "Name of the project [weather]: " in capsys.readouterr().out


def test_who_answers_nothing_gets_nothing_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard(""))
    with pytest.raises(ConfigError, match="Nothing was answered, so nothing was written"):
        init(Context(Config()), into=str(project))
    assert not (project / "tasks").exists()


def test_a_version_of_the_projects_own_is_kept_if_it_has_what_is_needed(project: Path) -> None:
    mine = "MINE=1\nWEATHER_VERSION=2.0.0\nCOMMON_DEPS_VERSION=1.0.0\n"
    (project / "VERSION").write_text(mine)
    run(project)
    assert (project / "VERSION").read_text() == mine


def test_a_version_without_it_is_refused_before_anything_is_written(project: Path) -> None:
    (project / "VERSION").write_text("1.4.2\n")
    with pytest.raises(
        ConfigError, match="add WEATHER_VERSION=0.1.0, COMMON_DEPS_VERSION=0.1.0 to it, or move it away"
    ):
        run(project)
    assert not (project / "release.toml").exists()


def test_where_one_file_cannot_be_written_nothing_is_left(project: Path) -> None:
    (project / ".github").write_text("a file")
    before = sorted(path.name for path in project.rglob("*") if path.is_file())
    with pytest.raises(BuildError, match="cannot be written"):
        run(project)
    assert sorted(path.name for path in project.rglob("*") if path.is_file()) == before
    assert (project / ".gitignore").read_text() == "__pycache__/\nsecret.txt"


def test_an_ignore_file_keeps_its_endings_and_its_bytes(project: Path) -> None:
    (project / ".gitignore").write_bytes(b"caf\xe9\r\n__pycache__/\r\n")
    run(project)
    found = (project / ".gitignore").read_bytes()
    assert found.startswith(b"caf\xe9\r\n__pycache__/\r\n.build/\r\n")
    assert b"\n" not in found.replace(b"\r\n", b"")


def test_an_environment_called_like_a_task_is_refused(project: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be called 'build'"):
        run(project, environments="build,live")


@pytest.mark.parametrize("name", ["tasks.py", "tasks/x.py", "release.toml"])
def test_a_project_with_tasks_of_its_own_is_left_alone(project: Path, name: str) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("mine")
    with pytest.raises(ConfigError, match="already; move that away"):
        run(project)
    assert not (project / "invoke.yaml").exists()


def test_what_is_not_committed_is_committed_first(project: Path) -> None:
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=project, check=True)
    (project / "requirements.txt").write_text("numpy\npandas\n")
    with pytest.raises(ConfigError, match="changes that are not committed .requirements.txt"):
        run(project)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"environments": "Test"}, "name of the table 'Test'"),
        ({"runtimes": "python2.7"}, "runtime 'python2.7' must be one of"),
        ({"architecture": "mips"}, "must be x86_64 or arm64"),
        ({"name": "a" * 60}, "must be up to 52 letters"),
        ({"environments": "a,b", "accounts": "1,2,3"}, "names 3 for 2 environments"),
    ],
)
def test_what_aws_would_refuse_is_refused_before_anything_is_written(
    project: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        init(Context(Config()), into=str(project), **{"accounts": "111122223333", "region": "eu-west-3", **options})
    assert not (project / "release.toml").exists()


def test_an_empty_folder_has_nothing_to_make_a_layer_of(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a package .* nor a requirements.txt"):
        run(tmp_path / "nothing")


def test_this_repository_has_it_already() -> None:
    with pytest.raises(ConfigError, match="has this tool already"):
        run(ROOT)
