"""What the documentation says can be typed exists."""

import re
from pathlib import Path
from typing import Any

import pytest
from invoke import Collection

from tasks import namespace

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
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
