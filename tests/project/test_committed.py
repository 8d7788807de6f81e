"""Clean means that every input is, byte by byte, what the commit holds, whatever git was told."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.project.workspace import Workspace
from tests.examples import RELEASE_TOML, VERSION
from tests.project.test_workspace import git

SOURCE = "src/core/a.py"


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """A repository whose files are all in its commit."""
    for name in (SOURCE, "src/core/data.bin", "canonical/scopes.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a: 1\n")
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "core.autocrlf", "false")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    assert is_clean(tmp_path)
    return tmp_path


def is_clean(root: Path) -> bool:
    return not Workspace(root).checkout().commit.endswith("-dirty")


def unseen(root: Path) -> str:
    found = Workspace(root).checkout().git
    assert found
    return "\n".join(found.unseen.values())


INPUTS = [SOURCE, "canonical/scopes.yaml", "VERSION", "release.toml"]


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("flag", ["assume-unchanged", "skip-worktree"])
def test_what_git_was_told_not_to_look_at_is_looked_at(committed: Path, name: str, flag: str) -> None:
    git(committed, "update-index", f"--{flag}", name)
    path = committed / name
    path.write_text(path.read_text() + "# another\n")
    assert not is_clean(committed)
    assert f"run: git update-index --no-{flag} {name}" in unseen(committed)


def test_the_same_size_and_time_as_in_the_index_are_no_proof(committed: Path) -> None:
    path = committed / SOURCE
    before = path.stat()
    path.write_text("a: 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not is_clean(committed)


def test_what_a_sparse_checkout_leaves_out_is_named(committed: Path) -> None:
    git(committed, "sparse-checkout", "set", "src")
    assert not (committed / "canonical").exists()
    (committed / "canonical").mkdir()
    assert not is_clean(committed)
    assert "canonical/scopes.yaml is not here (sparse checkout)" in unseen(committed)


def test_what_a_filter_has_written_is_not_what_the_commit_holds(committed: Path) -> None:
    git(committed, "config", "filter.shout.clean", "tr A-Z a-z")
    git(committed, "config", "filter.shout.smudge", "tr a-z A-Z")
    (committed / ".gitattributes").write_text("*.bin filter=shout\n")
    git(committed, "add", ".")
    git(committed, "commit", "-qm", "filter")
    (committed / "src/core/data.bin").write_text("A: 1\n")
    assert not is_clean(committed)
    assert "src/core/data.bin is not what its commit holds: a filter in .gitattributes" in unseen(committed)


def test_a_commit_that_was_replaced_is_what_it_was(committed: Path) -> None:
    first = git_output(committed, "rev-parse", "HEAD")
    (committed / SOURCE).write_text("a: 2\n")
    git(committed, "commit", "-qam", "b")
    git(committed, "replace", first, git_output(committed, "rev-parse", "HEAD"))
    git(committed, "checkout", "-q", "--detach", first)
    (committed / SOURCE).write_text("a: 2\n")
    assert not is_clean(committed)


def git_output(root: Path, *command: str) -> str:
    import subprocess

    return subprocess.run(["git", *command], cwd=root, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S607


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_a_change_of_mode_alone_is_a_change_unless_the_system_has_no_modes(committed: Path) -> None:
    (committed / SOURCE).chmod(0o755)
    assert not is_clean(committed)
    git(committed, "config", "core.filemode", "false")
    assert is_clean(committed)
    git(committed, "update-index", "--chmod=+x", SOURCE)
    assert not is_clean(committed)


def test_the_content_of_an_lfs_pointer_is_what_the_commit_holds(committed: Path) -> None:
    contents = b"\0large" * 100
    digest = hashlib.sha256(contents).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(contents)}\n"
    path = committed / "src/core/data.bin"
    path.write_text(pointer)
    git(committed, "commit", "-qam", "pointer")
    path.write_bytes(contents)
    assert is_clean(committed)
    path.write_bytes(contents + b"x")
    assert not is_clean(committed)


def add(root: Path) -> None:
    (root / "src/core/new.py").write_text("")
    git(root, "add", "src/core/new.py")


def delete(root: Path) -> None:
    (root / SOURCE).unlink()


def forget(root: Path) -> None:
    git(root, "rm", "-q", "--cached", SOURCE)


@pytest.mark.parametrize("change", [add, delete, forget])
def test_what_only_the_commit_or_only_the_work_tree_has_is_a_change(
    committed: Path, change: Callable[[Path], None]
) -> None:
    change(committed)
    assert not is_clean(committed)


def test_what_is_staged_and_taken_back_is_what_the_commit_holds(committed: Path) -> None:
    before = (committed / SOURCE).read_text()
    (committed / SOURCE).write_text("a: 2\n")
    git(committed, "add", SOURCE)
    (committed / SOURCE).write_text(before)
    assert is_clean(committed)


def test_a_repository_that_names_contents_by_sha256(tmp_path: Path) -> None:
    (tmp_path / "src/core").mkdir(parents=True)
    (tmp_path / SOURCE).write_text("a: 1\n")
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    git(tmp_path, "init", "-q", "--object-format=sha256")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    assert is_clean(tmp_path)
    (tmp_path / SOURCE).write_text("a: 2\n")
    assert not is_clean(tmp_path)
