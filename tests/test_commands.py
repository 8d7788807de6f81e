"""What inv alone prints."""

import random
import re
from collections.abc import Callable

import pytest
from invoke import Config, Context, ParseError, Program
from invoke.parser import Parser

from tasks import namespace
from tasks.commands import commands, refuse_unknown
from tasks.errors import ConfigError
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


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("biuld", "There is no task 'biuld' (did you mean build?); run: inv"),
        ("build deply --env dev", "There is no task 'deply' (did you mean deploy?); run: inv"),
        ("deploy dev stage", "There is no task 'stage'"),
        ("deploy --evn dev", "deploy has no option --evn (did you mean --env?); run: inv --help deploy"),
        ("status --jsn", "status has no option --jsn (did you mean --json?)"),
        ("dev.deploy --dry-rnu", "dev.deploy has no option --dry-rnu (did you mean --dry-run?)"),
        ("--lits", "inv has no option --lits (did you mean --list?); run: inv --help"),
    ],
)
def test_what_was_probably_meant_is_said_for_a_task_and_an_option(line: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_unknown(namespace, line.split())
    assert str(caught.value).startswith(says)


WORDS = [
    "build",
    "deploy",
    "dev.deploy",
    "sandbox",
    "show",
    "dev",
    "core",
    "--env",
    "--env=dev",
    "--dry-run",
    "-e",
    "-y",
    "--list",
    "--help",
    "--dry",
    "--entry",
    "--",
    "x",
]


def refusal(take: Callable[..., object], *line: object) -> str:
    """What a line is refused with; empty if it is not."""
    try:
        take(*line)
    except (ConfigError, ParseError) as error:
        return str(error)
    return ""


def test_no_line_is_refused_that_invoke_takes() -> None:
    draw = random.Random(7)  # noqa: S311  (the same lines every time)
    contexts, refused = namespace.to_contexts(), 0
    for line in [draw.choices(WORDS, k=draw.randint(1, 5)) for _ in range(120)]:
        if said := refusal(refuse_unknown, namespace, line):
            core = Parser(initial=Program().initial_context, ignore_unknown=True).parse_argv(line)
            assert "no option" in said or refusal(Parser(contexts).parse_argv, core.unparsed), line
            refused += 1
    assert 20 < refused < 100


def test_what_follows_two_dashes_and_the_value_of_an_option_may_be_anything() -> None:
    refuse_unknown(namespace, ["adopt", "--env", "dev", "--note", "--right", "deploy", "--", "--whatever", "it", "is"])
