"""What inv alone prints."""

import random
import re
from collections.abc import Callable

import pytest
from invoke import Collection, Config, Context, ParseError, Program, Task
from invoke.parser import Parser, ParserContext

from tasks import namespace
from tasks.commands import check_line, commands
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
        ("deploy dev stage", "'stage' is an environment, and no task"),
        ("deploy --env dev biuld", "There is no task 'biuld' (did you mean build?); run: inv"),
        ("sandbox deploy --env dev promte --to stage", "There is no task 'promte' (did you mean promote?); run: inv"),
        ("deploy --evn dev", "deploy has no option --evn (did you mean --env?); run: inv --help deploy"),
        ("status --jsn", "status has no option --jsn (did you mean --json?)"),
        ("dev.deploy --dry-rnu", "dev.deploy has no option --dry-rnu (did you mean --dry-run?)"),
        ("stage", "'stage' is an environment, and no task; name it with --env stage, or run: inv --list stage"),
        ("status dev", "'dev' is an environment, and no task; name it with --env dev"),
        ("sandbox up", "There is no task 'up' (did you mean sandbox.up?); run: inv"),
        ("deploy --help", "For what deploy takes, run: inv --help deploy"),
        ("deploy -h", "For what deploy takes, run: inv --help deploy"),
        ("--help biuld", "There is no task 'biuld' (did you mean build?); run: inv"),
        ("dev.deploy --env dev", "dev.deploy has no option --env; run: inv --help dev.deploy"),
        ("build --dry-run", "build has no option --dry-run; run: inv --help build"),
        ("deploy --env dev sandbox", "deploy stands before the word sandbox, so it would reach AWS; put sandbox first"),
        ("build dev.upload sandbox", "dev.upload stands before the word sandbox"),
        ("deploy sandbox --env dev", "The word sandbox stands before what runs there: inv sandbox deploy"),
        ("build sandbox", "Nothing follows the word sandbox; try: inv sandbox deploy --env dev"),
        ("deploy", "deploy needs --env (dev, stage, prod); run: inv --help deploy"),
        ("invoke", "invoke needs --env (dev, stage, prod) and --function; run: inv --help invoke"),
        ("promote", "promote needs --to (stage, prod) and --version; run: inv --help promote"),
        ("promote --to stage", "promote needs --version; run: inv --help promote"),
        ("dev.e2e", "dev.e2e needs --client-id; run: inv --help dev.e2e"),
        ("--lits", "inv has no option --lits (did you mean --list?); run: inv --help"),
    ],
)
def test_what_was_probably_meant_is_said_for_a_task_and_an_option(line: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_line(namespace, line.split())
    assert str(caught.value).startswith(says)


WORDS = [
    "build",
    "deploy",
    "dev.deploy",
    "sandbox",
    "show",
    "invoke",
    "dev",
    "core",
    "status",
    "--",
    "x",
    "--env",
    "--env=dev",
    "--dry-run",
    "--files",
    "--payload",
    "--entry",
    "--no-files",
    "--open",
    "-e",
    "-n",
    "-ot",
    "-y",
    "-f",
    "-l",
    "-r",
    "-F",
    "--list",
    "--help",
    "--dry",
    "-R",
]


def refusal(take: Callable[..., object], *line: object) -> str:
    """What a line is refused with; empty if it is not."""
    try:
        take(*line)
    except (ConfigError, ParseError) as error:
        return str(error)
    return ""


def parsed(contexts: list[ParserContext], line: list[str]) -> tuple[list[ParserContext], object]:
    """A line as Invoke itself takes it, and what help is asked for."""
    core = Program().initial_context
    before = Parser(initial=core, ignore_unknown=True).parse_argv(line)
    return list(Parser(contexts, core).parse_argv(before.unparsed)), before[0].args.help.value


def test_what_is_refused_is_what_invoke_takes_for_unknown_or_a_value_that_looks_like_an_option() -> None:
    draw, refused = random.Random(7), 0  # noqa: S311  (the same lines every time)
    contexts = namespace.to_contexts()
    for line in [draw.choices(WORDS, k=draw.randint(1, 6)) for _ in range(200)]:
        said = refusal(parsed, contexts, line)
        found, helped = ([], None) if said else parsed(contexts, line)
        eaten = [str(each.value) for one in found for each in one.args.values() if each.positional]
        expected = (
            said.startswith("No idea") or "did not receive" in said or any(each.startswith("-") for each in eaten)
        )
        expected |= "--" in line[:-1]
        expected |= isinstance(helped, str) and helped not in {*namespace.task_names, "sandbox"}
        answer = refusal(check_line, namespace, line)
        assert bool(answer) == expected or "the word sandbox" in answer.lower(), line
        refused += expected
    assert 30 < refused < 170


@pytest.mark.parametrize(
    "line",
    [
        "-l dev",
        "-r . -l",
        "-T 100 --list",
        "-F json -l",
        "report -t x.html",
        "report -ot x.html",
        "history -e dev -n 3",
        "init -i x -n foo",
        "show status --files",
        "invoke dev status --payload {}",
        "deploy --env dev --dry",
        "status --help",
        "--complete -- inv depl",
        "--help deploy",
        "--help sandbox",
        "--list dev",
        "build sandbox deploy --env dev",
        "init --into sandbox",
        "sandbox e2e --env dev --client-id sandbox",
        "sandbox --help",
    ],
)
def test_what_is_right_is_let_through(line: str) -> None:
    check_line(namespace, line.split())


def test_the_value_of_an_option_may_be_anything() -> None:
    check_line(namespace, ["deploy", "--env", "dev", "--emergency", "--right", "--"])


def test_words_that_invoke_would_drop_without_a_word_are_refused() -> None:
    with pytest.raises(ConfigError, match="Nothing is taken after --, so extra would be ignored"):
        check_line(namespace, ["build", "--", "extra"])


def test_a_line_that_was_looked_at_takes_no_help_away() -> None:
    def one(_c: Context, what: str) -> None:
        """One task."""
        del what

    names = Collection(Task(one, name="one", help={"what": "a word"}))
    check_line(names, ["one", "--what", "x"])
    assert names["one"].help == {"what": "a word"}
