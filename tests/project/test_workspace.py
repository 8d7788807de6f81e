import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.errors import BuildError, ConfigError
from tasks.project.files import cannot_write, move, replacing
from tasks.project.git import read_git
from tasks.project.workspace import Workspace
from tests.examples import RELEASE_TOML, VERSION


def git(folder: Path, *command: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True)  # noqa: S607


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="VERSION not found"):
        Workspace(tmp_path).read("VERSION")


def test_line_endings_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_bytes(b"A=1\r\n")
    assert Workspace(tmp_path).read("VERSION") == "A=1\r\n"


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_bytes(b"\xe9")
    with pytest.raises(ConfigError, match="VERSION cannot be read .it is not UTF-8 text.; save it as UTF-8"):
        Workspace(tmp_path).read("VERSION")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "VERSION"
    path.write_text("old")
    with suppress(RuntimeError), replacing(path) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["VERSION"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "VERSION"
    path.write_text("old")
    path.chmod(0o664)
    with replacing(path) as aside:
        aside.write_text("new")
    assert path.stat().st_mode & 0o777 == 0o664


def commit(root: Path) -> str:
    (root / "release.toml").write_text(RELEASE_TOML)
    (root / "VERSION").write_text(VERSION)
    return Workspace(root).checkout().commit


def test_the_commit_says_whether_files_differ_from_it(tmp_path: Path) -> None:
    assert commit(tmp_path) == "none"
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) == "none"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    clean = commit(tmp_path)
    assert len(clean) == 7
    (tmp_path / "a").write_text("nobody ships this")
    assert commit(tmp_path) == clean
    git(tmp_path, "add", "a")
    assert commit(tmp_path) == clean
    (tmp_path / "src" / "core").mkdir(parents=True)
    (tmp_path / "src" / "core" / "new.py").write_text("")
    git(tmp_path, "add", "src")
    assert commit(tmp_path) == f"{clean}-dirty"


@pytest.mark.parametrize("name", ["src/core/a.py", "canonical/scopes.yaml", "VERSION", "release.toml"])
def test_a_change_of_any_input_is_a_difference_from_the_commit(tmp_path: Path, name: str) -> None:
    for each in ("src/core/a.py", "canonical/scopes.yaml", "README.md"):
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_text("a\n")
    commit(tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    (tmp_path / "README.md").write_text("nobody builds this\n")
    assert not commit(tmp_path).endswith("-dirty")
    (tmp_path / name).write_text((tmp_path / name).read_text() + "\n")
    assert Workspace(tmp_path).checkout().commit.endswith("-dirty")


@pytest.mark.parametrize("name", ["release.toml", "VERSION"])
def test_a_file_that_is_read_and_that_git_does_not_track_is_in_no_commit(tmp_path: Path, name: str) -> None:
    commit(tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".", f":!{name}")
    git(tmp_path, "commit", "-qm", "a")
    checkout = Workspace(tmp_path).checkout()
    assert checkout.commit.endswith("-dirty")
    assert checkout.untracked == [name]


def is_clean_with(root: Path, line: str) -> bool:
    """Whether a commit of everything is one that builds a layer with this line in its table."""
    commit(root)
    (root / "release.toml").write_text(RELEASE_TOML.replace('source = "src/deps"', line))
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "a")
    return not Workspace(root).checkout().commit.endswith("-dirty")


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few people make links")
def test_what_lies_behind_a_link_that_git_tracks_is_in_the_commit(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "requirements.txt").write_text("")
    (tmp_path / "src").symlink_to("shared")
    assert is_clean_with(tmp_path, 'requirements = "src/requirements.txt"')


def test_a_path_may_be_written_in_another_way_than_git_does(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "requirements.txt").write_text("")
    assert is_clean_with(tmp_path, 'requirements = "./src/requirements.txt"')


def test_other_line_endings_than_those_of_the_commit_are_a_difference_and_named(tmp_path: Path) -> None:
    (tmp_path / "src" / "core").mkdir(parents=True)
    (tmp_path / "src" / "core" / "a.py").write_bytes(b"A = 1\n")
    (tmp_path / "notes.txt").write_bytes(b"nobody builds this\n")
    commit(tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "core.autocrlf", "true")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    for name in ("src/core/a.py", "notes.txt"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes().replace(b"\n", b"\r\n"))
    git(tmp_path, "add", "--renormalize", ".")
    checkout = Workspace(tmp_path).checkout()
    assert checkout.git
    assert checkout.git.endings == ("src/core/a.py",)
    assert checkout.commit.endswith("-dirty")
    for name in checkout.git.endings:
        (tmp_path / name).unlink()  # as the advice says: git leaves alone what it takes for unchanged
    git(tmp_path, "-c", "core.autocrlf=false", "checkout-index", "--index", "--force", *checkout.git.endings)
    assert not Workspace(tmp_path).checkout().commit.endswith("-dirty")
    assert (tmp_path / "src" / "core" / "a.py").read_bytes() == b"A = 1\n"


def test_without_git_there_is_no_commit_and_no_complaint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(tmp_path) == "none"


def test_a_byte_order_mark_as_notepad_writes_it_is_no_part_of_release_toml_or_version(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text("\ufeff" + RELEASE_TOML.replace("\n", "\r\n"), newline="")
    (tmp_path / "VERSION").write_text("\ufeff" + VERSION.replace("\n", "\r\n"), newline="")
    assert Workspace(tmp_path).checkout().versions == {"core": "1.2.4", "deps": "1.0.5"}


def test_what_release_toml_version_and_git_say_is_read_in_one_go(tmp_path: Path) -> None:
    commit(tmp_path)
    checkout = Workspace(tmp_path).checkout()
    assert checkout.versions == {"core": "1.2.4", "deps": "1.0.5"}
    assert checkout.git is None
    assert list(checkout.project.layers) == ["core", "deps"]


def test_a_repository_that_the_environment_names_is_not_the_one_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    git_free = {name: value for name, value in os.environ.items() if name != "GIT_DIR"}
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, env=git_free)  # noqa: S607
    assert read_git(tmp_path) is not None


def test_a_file_that_an_antivirus_has_open_is_waited_for(tmp_path: Path) -> None:
    slept: list[float] = []

    def busy(source: Path, target: Path) -> None:
        if len(slept) < 3:
            raise PermissionError
        source.replace(target)

    (tmp_path / "new").write_text("new")
    move(tmp_path / "new", tmp_path / "old", (0.05, 0.1, 0.2, 0.4), busy, slept.append)
    assert (tmp_path / "old").read_text() == "new"
    assert slept == [0.05, 0.1, 0.2]


def test_a_file_that_stays_open_elsewhere_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "VERSION").mkdir()
    expected = pytest.raises(BuildError, match="VERSION cannot be written .*something else is in its place")
    with expected, replacing(tmp_path / "VERSION") as aside:
        aside.write_text("new")
    assert "close the program that has it open" in str(cannot_write(tmp_path, PermissionError(13, "Access is denied")))


def test_in_a_folder_of_a_larger_repository_a_file_that_was_edited_is_a_change_and_not_an_ending(
    tmp_path: Path,
) -> None:
    below = tmp_path / "sub"
    (below / "src" / "core").mkdir(parents=True)
    (below / "src" / "core" / "a.py").write_bytes(b"A = 1\n")
    commit(below)
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "core.autocrlf", "true")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    (below / "src" / "core" / "a.py").write_bytes(b"A = 2\r\n")
    checkout = Workspace(below).checkout()
    assert checkout.git
    assert (checkout.git.changed, checkout.git.endings) == (("src/core/a.py",), ())


def test_a_file_that_is_meant_to_have_crlf_is_no_difference(tmp_path: Path) -> None:
    (tmp_path / "src" / "core").mkdir(parents=True)
    (tmp_path / "src" / "core" / "run.bat").write_bytes(b"echo\r\n")
    (tmp_path / ".gitattributes").write_text("*.bat text eol=crlf\n")
    commit(tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    checkout = Workspace(tmp_path).checkout()
    assert checkout.git
    assert checkout.git.endings == ()
