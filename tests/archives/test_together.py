"""What can only be said of several layers together."""

import zipfile
from pathlib import Path

import pytest

from tasks.archives.manifest import Archive
from tasks.archives.recipes import Recipe
from tasks.archives.together import check_together, refuse_failures
from tasks.errors import BuildError
from tasks.project.workspace import Workspace
from tasks.release.events import Imported
from tests.examples import RELEASE_TOML, VERSION, artifact


def together(folder: Path, first: dict[str, str], second: dict[str, str], more: str = "") -> None:
    """Check two layers with these files."""
    (folder / "release.toml").write_text(
        RELEASE_TOML.replace('runtimes = ["python3.11", "python3.12"]', RUNTIMES) + more
    )
    (folder / "VERSION").write_text(VERSION)
    layers = []
    for name, files in (("core", first), ("deps", second)):
        path = folder / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for member, text in files.items():
                archive.writestr(member, text)
        layers.append(Archive(artifact(name), path, Recipe(name, list), cached=False))
    check_together(Workspace(folder).checkout(), layers)


RUNTIMES = 'runtimes = ["python3.11", "python3.12"]'
SITE = "python/lib/python3.12/site-packages"


@pytest.mark.parametrize("where", ["python", SITE])
def test_two_layers_with_one_file_of_other_contents_are_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(BuildError, match=r"(?s)would be mixed.*core and deps: pack/__init__.py"):
        together(tmp_path, {"python/pack/__init__.py": "A = 1"}, {f"{where}/pack/__init__.py": "A = 2"})


def test_equal_files_and_those_of_different_runtimes_pass(tmp_path: Path) -> None:
    other = "python/lib/python3.11/site-packages"
    together(
        tmp_path,
        {"python/tests/__init__.py": "", f"{SITE}/a.py": "A = 1"},
        {"python/tests/__init__.py": "", f"{other}/a.py": "A = 2"},
    )


@pytest.mark.parametrize("name", ["pack/note.txt", "python/pack/note.txt"])
def test_a_file_that_may_be_mixed_can_be_allowed(tmp_path: Path, name: str) -> None:
    files = {"python/pack/note.txt": "one", "python/a.py": ""}, {"python/pack/note.txt": "two", "python/b.py": ""}
    with pytest.raises(BuildError):
        together(tmp_path, *files)
    together(tmp_path, *files, more=f'\n[allowed]\n"{name}" = "a note"\n')


def test_each_import_that_fails_has_its_own_remedy_if_they_differ() -> None:
    failures = ("a.py, line 1: ModuleNotFoundError: No module named 'yaml'", "b.py, line 2: ValueError: no")
    with pytest.raises(BuildError) as caught:
        refuse_failures([Imported("python3.12", 2, failures=failures)])
    assert str(caught.value).splitlines() == [
        "Not everything can be imported on python3.12:",
        f"   {failures[0]}",
        "      git add what is missing if it is yours, else add it to the requirements and run: inv lock",
        f"   {failures[1]}",
        "      correct the lines that are named",
    ]
    with pytest.raises(BuildError, match="python3.12; correct the lines that are named:\n   b.py"):
        refuse_failures([Imported("python3.12", 2, failures=failures[1:])])
