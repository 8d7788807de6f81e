import os
from pathlib import Path

import pytest

from tasks.errors import BuildError
from tasks.layers.archive import tree_digest
from tasks.layers.sources import source_members


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
    before = tree_digest(source_members(package))
    os.utime(package / "sub" / "a.py", (0, 0))
    (package / "sub" / "a.py").chmod(0o600)
    moved = package.rename(tmp_path / "elsewhere")
    (tmp_path / "deep").mkdir()
    assert tree_digest(source_members(moved.rename(tmp_path / "deep" / "pkg"))) == before


@pytest.mark.parametrize("name", [".env", ".env.local", "key.pem", "SERVER.KEY"])
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
