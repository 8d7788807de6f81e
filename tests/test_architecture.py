"""The rules about rooms that a reader relies on."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "tasks").rglob("*.py"))
FLOORS = ["errors", "release", "layers", "console", "site", "aws", "building", "locating", "trying", "releasing"]
"""From the ground up; every other module of the package is a verb, the sandbox or the namespace, and above these."""
SANDBOX = ["errors", "release", "layers", "console", "site", "aws", "sandbox"]


def imports(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down_only(path: Path) -> None:
    here = path.relative_to(ROOT / "tasks").parts[0].removesuffix(".py")
    floors = SANDBOX if here == "sandbox" else FLOORS
    if here not in floors:
        return
    above = {name for name in imports(path) if name.startswith("tasks.") and room(name) not in floors}
    higher = {name for name in imports(path) if room(name) in floors and floors.index(room(name)) > floors.index(here)}
    assert above | higher == set()


def test_boto3_has_one_room() -> None:
    users = {
        path.parent.name for path in MODULES if {"boto3", "botocore"} & {each.split(".")[0] for each in imports(path)}
    }
    assert users == {"aws"}


def test_only_the_console_prints() -> None:
    assert [path.name for path in MODULES if re.search(r"\bprint\(", path.read_text(encoding="utf-8"))] == [
        "console.py"
    ]


def test_decisions_do_no_input_or_output_and_know_no_clock() -> None:
    outside = {"os", "pathlib", "subprocess", "time", "datetime", "sys", "urllib", "shutil", "tempfile"}
    for path in (ROOT / "tasks" / "release").glob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & outside, path.name


@pytest.mark.parametrize("command", [["--list"], ["clean", "build-core"]])
def test_listing_and_building_wait_for_no_boto3_moto_or_rich(command: list[str], tmp_path: Path) -> None:
    for name in ("tasks.py", "release.toml", "VERSION"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("tasks", "src_v2"):
        shutil.copytree(ROOT / name, tmp_path / name)
    code = (
        "import sys; from invoke.main import program; program.run(['inv', *sys.argv[1:]], exit=False); "
        "print({'boto3', 'botocore', 'moto', 'rich'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "set()"
