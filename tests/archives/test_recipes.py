"""What an archive is known by in the cache, and which file of a package serves a runtime."""

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.archives import recipes
from tasks.archives.downloads import RemoteFile
from tasks.archives.lock import Pin, write_lock
from tasks.archives.recipes import recipe_for
from tasks.errors import BuildError
from tasks.project.runtimes import RUNTIMES
from tasks.project.workspace import Checkout, Workspace
from tests.archives.wheelhouse import list_wheels, make_wheel
from tests.examples import PROJECT, RELEASE_TOML, VERSION


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A layer of sources, and one of a locked requirement."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "wheels" / "simple").as_uri())
    monkeypatch.setenv("UV_NO_CACHE", "1")
    make_wheel(tmp_path / "wheels", "alpha")
    list_wheels(tmp_path / "wheels")
    text = RELEASE_TOML.replace('source = "src/deps"', 'requirements = "requirements.txt"')
    files = {"release.toml": text, "VERSION": VERSION, "src/core/__init__.py": "", "requirements.txt": "alpha\n"}
    for name, contents in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(contents)
    write_lock(tmp_path / "requirements.txt", RUNTIMES["python3.11"])
    return Workspace(tmp_path).checkout()


@pytest.mark.parametrize("name", ["core", "deps"])
def test_other_runtimes_or_another_machine_make_another_archive(checkout: Checkout, name: str) -> None:
    key = recipe_for(checkout, name).key
    fewer = replace(checkout.project, runtimes=checkout.project.runtimes[:1])
    elsewhere = replace(checkout.project, architecture="arm64")
    assert recipe_for(checkout, name).key == key
    assert recipe_for(replace(checkout, project=fewer), name).key != key
    assert recipe_for(replace(checkout, project=elsewhere), name).key != key


def test_other_builders_make_another_archive(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = recipe_for(checkout, "deps").key
    (tmp_path / "builders.lock").write_text("setuptools==1.0")
    monkeypatch.setattr(recipes, "BUILDERS", tmp_path / "builders.lock")
    assert recipe_for(checkout, "deps").key != key


def offered(*names: str) -> tuple[RemoteFile, ...]:
    return tuple(RemoteFile(name, f"https://index.invalid/{name}", "0" * 64) for name in names)


PIN = Pin("alpha", "1.0", "", frozenset({"0" * 64}))


def test_an_sdist_is_built_only_where_there_is_no_wheel_at_all() -> None:
    (chosen,) = set(recipes.choose(PIN, offered("alpha-1.0.tar.gz"), PROJECT).values())
    assert chosen.filename == "alpha-1.0.tar.gz"
    with pytest.raises(BuildError, match="alpha 1.0 has no wheel for python3.11"):
        recipes.choose(PIN, offered("alpha-1.0-cp311-cp311-win_amd64.whl", "alpha-1.0.tar.gz"), PROJECT)
