"""What inv alone prints."""

import re

import pytest
from invoke import Config, Context

from tasks import namespace
from tasks.commands import commands
from tests.front import Site


def test_every_task_is_named_once_and_every_name_is_a_task(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    commands(Context(Config(overrides={"root": str(site.root)})))
    said = capsys.readouterr().out
    examples = re.findall(r"^   inv (\S+)( \S+)?", said, re.MULTILINE)
    named = {(second if first == "sandbox" else first).strip() for first, second in examples} - {"deploy"}
    tasks = {name.replace("_", "-") for name in namespace.task_names if not re.match(r"(dev|stage|prod)\.", name)}
    more = {"build-deps", "build-functions", "sandbox.down", "sandbox.env", "sandbox.sandbox", "commands", "sandbox"}
    assert named | {"deploy"} | more == tasks | {"sandbox", "sandbox.sandbox"}
    assert "inv promote --to stage" in said


def test_it_fits_on_one_screen_and_in_eighty_columns(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    commands(Context(Config(overrides={"root": str(site.root)})))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 45
    assert [line for line in lines if len(line) > 130] == []


def test_inv_alone_runs_it() -> None:
    assert namespace.default == "commands"
