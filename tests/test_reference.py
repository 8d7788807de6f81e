"""docs/reference/tasks.md, whose list is written by `python -m tests.test_reference` from the tasks themselves."""

import inspect
from pathlib import Path
from typing import Any

from tasks import namespace

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "tasks.md"
MARK = "<!-- written by: python -m tests.test_reference -->"


def tasks() -> dict[str, Any]:
    """Every task by the name that is typed; of the environments' own, none."""
    found = {name: task for name, task in namespace.tasks.items() if name != "commands"}
    sandbox = namespace.collections["sandbox"].tasks
    found |= {("sandbox" if name == "sandbox" else f"sandbox.{name}"): task for name, task in sandbox.items()}
    return dict(sorted(found.items()))


ARGUMENTS = {name: list(task.get_arguments()) for name, task in tasks().items()}
"""Asked once: Invoke hands out each help only once."""


def listed() -> str:
    """A section for each task: what it does, and its options."""
    parts = []
    for name, task in tasks().items():
        parts += [f"\n## {name}\n", inspect.cleandoc(task.body.__doc__ or "").replace("\n", " "), ""]
        defaults = {key: each.default for key, each in inspect.signature(task.body).parameters.items()}
        if arguments := ARGUMENTS[name]:
            parts += ["| option | what | without |", "| --- | --- | --- |"]
        for each in arguments:
            default = defaults.get(each.names[0].replace("-", "_"), "")
            without = f"`{default}`" if default not in ("", False) else ""
            without = "needed" if default is inspect.Parameter.empty else without
            parts.append(f"| `--{each.names[0].replace('_', '-')}` | {each.help or ''} | {without} |")
    return "\n".join(parts) + "\n"


def page() -> str:
    notes, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    return f"{notes}{MARK}\n{listed()}"


def test_the_page_is_what_the_tasks_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.test_reference"


def test_every_option_says_what_it_is_for() -> None:
    assert [f"{name} --{each.names[0]}" for name, found in ARGUMENTS.items() for each in found if not each.help] == []


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
