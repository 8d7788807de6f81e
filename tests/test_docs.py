"""What the documentation says can be typed exists."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from invoke import Collection

from tasks import namespace
from tasks.project.release_toml import parse_project
from tasks.release.policy import policy
from tests.examples import PROJECT

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
OLD_SCRIPTS = [
    "build_layer_vectora_core",
    "build_all",
    "deploy_layer",
    "deploy_env",
    "promote",
    "invoke_normalize_score_v2",
    "test_e2e",
]


def all_tasks(collection: Collection, prefix: str = "") -> dict[str, Any]:
    """Every task by the name that a user types."""
    found = {f"{prefix}{name}": task for name, task in collection.tasks.items()}
    for name, below in collection.collections.items():
        found |= all_tasks(below, f"{name}.") | ({name: below[below.default]} if below.default else {})
    return found


TASKS = all_tasks(namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_that_a_page_shows_is_a_task_with_those_options(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for command in re.findall(r"(?<![\w/-])inv ([a-z][^`\n|#]*)", text):
        words = re.sub(r"  .*", "", command).split()
        task = None
        for word in words:
            name = word.strip(".,:;()…")
            if name in TASKS:
                task = TASKS[name]
            elif word.startswith("--") and task:
                option = word.split("=")[0]
                flags = {
                    flag
                    for each in task.get_arguments()
                    for flag in (f"--{n.replace('_', '-').rstrip('-')}" for n in each.names)
                }
                assert option in flags, f"{command}: {option}"


def test_the_french_page_leads_from_each_of_the_old_scripts_to_a_command() -> None:
    text = (ROOT / "docs" / "fr" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for script in OLD_SCRIPTS:
        assert any(script in row.split("|")[1] and "`inv " in row.split("|")[2] for row in rows), script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def blocks(page: Path, kind: str) -> list[str]:
    """What stands in a page's fenced blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_block_of_commands_is_run_by_a_test_or_needs_an_account(page: Path) -> None:
    kinds = set(re.findall(r"^```(\w*)$", page.read_text(encoding="utf-8"), re.MULTILINE)) - {""}
    assert kinds <= {"sh", "powershell", "console", "toml", "hcl", "json"}
    assert not blocks(page, "sh") or page.name in ("README.md", "tutorial.md")  # .ci/run, and the test below
    assert all(block.startswith("# needs an AWS account\n") for block in blocks(page, "console"))


def test_every_example_of_a_release_toml_can_be_read() -> None:
    for page in PAGES:
        for block in blocks(page, "toml"):
            tomllib.loads(block)
    (whole, *_) = blocks(ROOT / "docs" / "reference" / "release-toml.md", "toml")
    assert parse_project(whole).name == "vectora-inbox"


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="the blocks are for a POSIX shell")
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)  # noqa: S607
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {**os.environ, "PATH": path, "LAMBDA_LAYERS_CACHE": str(tmp_path / "cache")}
    said = ""
    try:
        for block in blocks(ROOT / "docs" / "tutorial.md", "sh"):
            command = ["/bin/bash", "-eu", "-c", block]
            made = subprocess.run(command, cwd=clone, env=variables, capture_output=True, text=True, check=False)
            assert made.returncode == 0, f"{block}{made.stdout}{made.stderr}"
            said += made.stdout
    finally:
        subprocess.run(["inv", "sandbox.down"], cwd=clone, env=variables, capture_output=True, check=False)  # noqa: S607
    for expected in ("dev is up to date", "stage runs what was deployed", "report.html", "Sandbox stopped"):
        assert expected in said


@pytest.mark.long
def test_the_template_is_what_cloudformation_takes() -> None:
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(ROOT / "docs" / "template.yaml")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


def test_the_template_permits_what_the_policy_does() -> None:
    text = (ROOT / "docs" / "template.yaml").read_text(encoding="utf-8")
    found = re.findall(r"(?:^ +- |Action: )((?:s3|lambda):\w+)$", text, re.MULTILINE)
    permitted = {action for each in policy(PROJECT, "dev")["Statement"] for action in each["Action"]}
    assert set(found) == permitted
