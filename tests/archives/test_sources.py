import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.archives.archive import Member, members_digest
from tasks.archives.sources import hidden, read_sources
from tasks.errors import BuildError
from tasks.project.git import read_git
from tasks.release.events import Noticed, left_out
from tests.fakes import make_pipe


def source_members(folder: Path) -> list[Member]:
    return sources_of(folder)[0]


def sources_of(folder: Path) -> tuple[list[Member], list[Noticed]]:
    """The sources of a folder, as the repository around it has them."""
    top = folder.parent
    return read_sources(top, read_git(top) if top.is_dir() else None, folder.name, f"python/{folder.name}/")


def git(folder: Path, *command: str) -> None:
    subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with a sub-package and bytecode of some Python."""
    folder = tmp_path / "pkg"
    (folder / "sub" / "__pycache__").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "sub" / "a.py").write_text("A = 1\n")
    (folder / "sub" / "__pycache__" / "a.cpython-39.pyc").write_bytes(b"old")
    (folder / "b.pyc").write_bytes(b"old")
    return folder


def test_everything_is_under_python_with_forward_slashes_and_without_bytecode(package: Path) -> None:
    assert [member.name for member in source_members(package)] == ["python/pkg/__init__.py", "python/pkg/sub/a.py"]


def test_touching_files_or_building_elsewhere_changes_nothing(package: Path, tmp_path: Path) -> None:
    before = members_digest(source_members(package))
    os.utime(package / "sub" / "a.py", (0, 0))
    (package / "sub" / "a.py").chmod(0o600)
    moved = package.rename(tmp_path / "elsewhere")
    (tmp_path / "deep").mkdir()
    assert members_digest(source_members(moved.rename(tmp_path / "deep" / "pkg"))) == before


@pytest.mark.parametrize(
    "name",
    [
        *(".env", ".env.local", "prod.env", ".envrc", "key.pem", "SERVER.KEY", "id_rsa", "id_ed25519", "keys.p12"),
        *("store.jks", "credentials", "credentials.json", ".npmrc", ".pypirc", ".netrc", "service-account.json"),
        *("secrets.json", "secrets.yaml", "token.txt", ".git-credentials"),
    ],
)
def test_a_secret_among_the_sources_stops_the_build(package: Path, name: str) -> None:
    (package / "sub" / name).write_text("secret")
    with pytest.raises(BuildError, match=f"{name} must never ship"):
        source_members(package)


def test_a_nested_repository_stops_the_build(package: Path) -> None:
    (package / "sub" / ".git").mkdir()
    with pytest.raises(BuildError, match=r"\.git must never ship"):
        source_members(package)


def test_a_missing_folder_is_named_with_where_to_correct_it(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="Source folder not found: .*nowhere; check `source` in release.toml"):
        source_members(tmp_path / "nowhere")


def test_an_empty_folder_is_no_layer(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="has no Python file"):
        source_members(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="making a link needs a privilege on Windows")
def test_a_link_is_refused_because_lambda_could_not_follow_it(package: Path) -> None:
    (package / "c.py").symlink_to(package / "__init__.py")
    with pytest.raises(BuildError, match="is a link"):
        source_members(package)


@pytest.fixture
def tracked(package: Path) -> Path:
    """The same package in a repository."""
    git(package.parent, "init", "-q")
    (package.parent / ".gitignore").write_text("*.pyc\n*.ignored\n.env\n")
    git(package.parent, "add", ".")
    return package


def test_an_untracked_file_is_left_out_and_named(tracked: Path) -> None:
    (tracked / "scratch.py").write_text("")
    members, beside = sources_of(tracked)
    assert [member.name for member in members] == ["python/pkg/__init__.py", "python/pkg/sub/a.py"]
    assert beside == [left_out("pkg/scratch.py")]


def test_ignored_files_never_enter_and_are_nobodys_business(tracked: Path) -> None:
    (tracked / "notes.ignored").write_text("")
    (tracked / ".env").write_text("secret")
    assert sources_of(tracked)[1] == []


def test_uncommitted_changes_of_tracked_files_are_built(tracked: Path) -> None:
    before = members_digest(source_members(tracked))
    (tracked / "sub" / "a.py").write_text("A = 2\n")
    assert members_digest(source_members(tracked)) != before


def test_a_tracked_file_that_was_deleted_is_gone(tracked: Path) -> None:
    (tracked / "sub" / "a.py").unlink()
    assert [member.name for member in source_members(tracked)] == ["python/pkg/__init__.py"]


def test_a_tracked_secret_stops_the_build(tracked: Path) -> None:
    (tracked / ".env").write_text("secret")
    git(tracked, "add", "-f", ".env")
    with pytest.raises(BuildError, match=".env must never ship"):
        source_members(tracked)


def test_what_gitignore_hides_is_named_unless_it_is_of_a_tool(tracked: Path) -> None:
    (tracked.parent / ".gitignore").write_text("*.json\nlib/\n__pycache__/\n.cache/\n*.pyc\n")
    for name in ("rates.json", "lib/a.py", "__pycache__/a.pyc", ".cache/x", "sub/b.pyc"):
        (tracked / name).parent.mkdir(exist_ok=True)
        (tracked / name).write_text("")
    said = [each.text for each in hidden(read_git(tracked.parent), tracked.parent, tracked.name)]
    files = "pkg/lib/, pkg/rates.json; what the code needs, add with: git add --force pkg/lib/"
    assert said == [f"pkg holds what .gitignore hides, and that is left out: {files}"]


def test_an_untracked_secret_stops_the_build_too(tracked: Path) -> None:
    (tracked / "server.pem").write_text("secret")
    with pytest.raises(BuildError, match="server.pem must never ship"):
        source_members(tracked)


def test_a_repository_in_the_repository_stops_the_build(tracked: Path) -> None:
    (tracked / "vendored").mkdir()
    git(tracked / "vendored", "init", "-q")
    with pytest.raises(BuildError, match="is another repository"):
        source_members(tracked)


def test_a_package_that_git_does_not_know_yet_says_to_add_it(tracked: Path) -> None:
    git(tracked, "rm", "-q", "-r", "--cached", ".")
    with pytest.raises(BuildError, match="git tracks none of them: git add them"):
        source_members(tracked)


def test_names_that_are_not_ascii_are_tracked_like_others(tracked: Path) -> None:
    (tracked / "\u00e9t\u00e9.py").write_text("")
    git(tracked, "add", ".")
    assert "python/pkg/\u00e9t\u00e9.py" in [member.name for member in source_members(tracked)]


@pytest.mark.parametrize("folder", [".ssh", ".aws"])
def test_a_folder_of_secrets_stops_the_build(package: Path, folder: str) -> None:
    (package / folder).mkdir()
    (package / folder / "config").write_text("")
    with pytest.raises(BuildError, match="must never ship"):
        source_members(package)


KEY = "AKIA" + "Q3EGRT7XZWPLM2NB"
SECRETS = [
    (f"A = 1\nKEY = '{KEY}'\n", "line 2: looks like an AWS access key"),
    ("aws_secret_access_key = '" + "abcDEF0123" * 4 + "'\n", "line 1: looks like an AWS secret key"),
    ("\n\nPEM = '-----BEGIN RSA " + "PRIVATE KEY-----\nMII'\n", "line 3: looks like a private key"),
]


@pytest.mark.parametrize(("text", "problem"), SECRETS)
def test_a_secret_inside_a_file_stops_the_build_with_file_and_line(package: Path, text: str, problem: str) -> None:
    (package / "sub" / "a.py").write_text(text)
    with pytest.raises(BuildError, match=f"pkg/sub/a.py, {problem}"):
        source_members(package)


def test_the_keys_of_awss_documentation_are_no_secrets(package: Path) -> None:
    (package / "sub" / "a.py").write_text("KEY = 'AKIAIOSFODNN7EXAMPLE'\nAKIA = 'AKIA' * 5\n")
    assert source_members(package)


def test_release_toml_can_allow_a_file_that_only_looks_like_a_secret(package: Path) -> None:
    (package / "token.txt").write_text(f"{KEY}\n")
    allowed = {"pkg/token.txt": "a word list"}
    found, _ = read_sources(package.parent, None, "pkg", "python/pkg/", allowed)
    assert "python/pkg/token.txt" in [member.name for member in found]
    with pytest.raises(BuildError, match=r"say under \[allowed\] in release.toml why it may"):
        read_sources(package.parent, None, "pkg", "python/pkg/", {"token.txt.other": "not this one"})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_pipe_among_the_sources_is_refused_and_not_waited_for(package: Path) -> None:
    make_pipe(package / "sub" / "pipe.py")
    with pytest.raises(BuildError, match="pipe.py is another repository, or no file at all"):
        source_members(package)


MORE = [
    '"private_key": "-----BEGIN ' + 'PRIVATE KEY-----\\nMII"',
    "-----BEGIN " + "PRIVATE KEY----- \nMII",
    "os.environ['AWS_SECRET_ACCESS_KEY'] = '" + "abcDEF0123" * 4 + "'",
    "os.environ.setdefault('AWS_SECRET_ACCESS_KEY', '" + "abcDEF0123" * 4 + "')",
    "aws_secret_access_key: str = '" + "abcDEF0123" * 4 + "'",
    '"SecretAccessKey": "' + "abcDEF0123" * 4 + '"',
    "TOKEN = 'ghp_" + "aB3" * 12 + "'",
    "TOKEN = 'glpat-" + "aB3_x" * 4 + "'",
    "TOKEN = 'xoxb-" + "123456789012-abcdefghijkl" + "'",
    "KEY = 'AIza" + "aB3_x" * 7 + "'",
    "KEY = 'npm_" + "aB3" * 12 + "'",
    "KEY = 'sk-ant-" + "aB3_x" * 5 + "'",
    "URL = 'postgres://user:" + "hunter2" + "@db.company.eu/x'",
]


@pytest.mark.parametrize("text", MORE)
def test_a_secret_is_known_by_its_form(package: Path, text: str) -> None:
    (package / "sub" / "a.py").write_text(text)
    with pytest.raises(BuildError, match="pkg/sub/a.py, line 1: looks like"):
        source_members(package)


def test_a_secret_in_a_file_that_powershell_wrote_is_found(package: Path) -> None:
    (package / "sub" / "a.txt").write_bytes(f"key = {KEY}\n".encode("utf-16"))
    with pytest.raises(BuildError, match="looks like an AWS access key"):
        source_members(package)


@pytest.mark.parametrize("text", ["postgres://user:{password}@db", "redis://localhost:6379", "secret_key = get()"])
def test_what_only_talks_of_a_secret_is_none(package: Path, text: str) -> None:
    (package / "sub" / "a.py").write_text(f'X = "{text}"\n')
    assert source_members(package)


def test_a_file_is_allowed_by_its_whole_path_alone(package: Path) -> None:
    (package / "sub" / ".env").write_text("A=1")
    for allowed in (".env", "sub/.env", "other/sub/.env"):
        with pytest.raises(BuildError, match="must never ship"):
            read_sources(package.parent, None, "pkg", "python/pkg/", {allowed: "no"})
    assert read_sources(package.parent, None, "pkg", "python/pkg/", {"pkg/sub/.env": "yes"})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_an_executable_of_ours_stays_one_and_git_says_so_where_the_system_cannot(tracked: Path) -> None:
    tool = tracked / "tool.sh"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    git(tracked, "add", ".")
    assert {each.name for each in source_members(tracked) if each.mode == 0o755} == {f"python/{tracked.name}/tool.sh"}
    git(tracked, "config", "core.filemode", "false")
    tool.chmod(0o644)
    assert {each.name for each in source_members(tracked) if each.mode == 0o755} == {f"python/{tracked.name}/tool.sh"}
