"""inv alone: what there is to type, by what it is for."""

import re
from collections.abc import Container, Sequence
from typing import Any

from invoke import Collection, Context, ParseError, Program, Task, task
from invoke.parser import Argument, Parser, ParserContext

from tasks.errors import ConfigError, meant
from tasks.output.lines import say
from tasks.project.command import REMOTE, here, shows

GROUPS = {
    "Every day": {
        "build": "build what has changed",
        "deploy --env {first}": "build, and bring it to {first}",
        "promote --to {second} --version VERSION": "the same bytes, one environment further",
        "bump --part patch": "raise a version",
        "rollback --env {first}": "back to the release before",
        "status": "what every environment runs, and what comes next",
        "verify --env {first}": "is what runs what I built?",
        "history --env {first}": "who deployed what, when, and how it ended",
    },
    "Look closer": {
        "show NAME": "what is in a layer or a package",
        "compare {first} {second}": "what differs between environments, or archives",
        "report --open": "all of it on one page, to look at and to hand on",
        "check": "what Lambda would refuse in an archive",
    },
    "Run": {
        "invoke --env {first} --function NAME": "one function",
        "smoke --env {first}": "does every function start?",
        "e2e --env {first} --client-id NAME": "the whole pipeline",
    },
    "Without AWS": {
        "sandbox deploy --env {first}": "rehearse a whole line of commands",
        "sandbox watch": "see what you save start, in a second or so",
        "sandbox.up": "a sandbox that stays; sandbox.down ends it, sandbox.env lets other programs use it",
    },
    "Now and then": {
        "init --into FOLDER": "this tool in another project",
        "doctor": "is everything here that is needed?",
        "lock": "pin the requirements, with hashes",
        "clean": "remove what was built",
        "adopt --env {first} --note WHY": "accept what runs after an emergency",
        "prune --env {first}": "what nothing needs any more",
    },
    "Step by step": {
        "build-core": "layers of your own sources; build-deps of requirements; build-functions packages",
        "upload --env {first}": "build, and store the archives",
        "publish --env {first}": "upload, and publish layer versions",
        "update-lambdas --env {first}": "publish, and attach them",
    },
}
"""Heading -> what follows `inv` -> what for."""


@task(default=True)
@shows
def commands(c: Context) -> None:
    """Show what there is to type, by what it is for; the same as inv alone."""
    environments = list(here(c).workspace.project().environments)
    names = {"first": environments[0], "second": environments[:2][-1]}
    for heading, group in GROUPS.items():
        say(heading, *(f"   inv {what.format(**names):36}  {why.format(**names)}" for what, why in group.items()), "")
    say(
        f"inv {environments[0]}.deploy is inv deploy --env {environments[0]}; the others likewise "
        f"({', '.join(environments)}).",
        "One task's options: inv --help TASK. Every task: inv --list. Names completed by Tab: inv "
        "--print-completion-script bash",
    )


def keep_dashes() -> None:
    """Have Invoke call tasks by their names, `build-core`, whatever somebody's own ~/.invoke.yaml says of underscores.

    Invoke asks its configuration only once tasks are loaded; documentation, messages and workflows have dashes.
    """
    from invoke.main import program

    # held by tests/test_namespace.py
    if config := getattr(program, "config", None):
        config.tasks.auto_dash_names = True


def check_line(namespace: Collection, line: Sequence[str], unfit: ConfigError | None = None) -> None:
    """ConfigError, with what was probably meant, for what a command line cannot mean.

    `unfit` says why release.toml cannot be used, which every task needs but the one that ends a sandbox.

    Invoke says only that it has no idea, and takes an unknown option for the value of a task's first parameter
    (https://github.com/pyinvoke/invoke/issues/1021). What is unknown is for its own parser to say; it gets the tasks
    that the line may name alone, since to prepare all of them takes ten times as long.
    """
    _check_whole(list(line), unfit)
    names = namespace.task_names.items()
    known = [each for name, others in names for each in (name, *others)]
    contexts = [
        ParserContext(name, others, _arguments(namespace[name]))
        for name, others in names
        if not {name, *others}.isdisjoint(line)
    ]
    environments = [each for each in namespace.collections if each != "sandbox"]
    core = Program().initial_context
    try:
        before = Parser(initial=core, ignore_unknown=True).parse_argv(list(line))
        found, word = list(Parser(contexts, core).parse_argv(before.unparsed)), before[0].args.help.value
    except ParseError as error:
        if error.context is None:
            return
        if error.context.missing_positional_args:
            raise ConfigError(_missing(error.context, environments)) from error
        unknown = re.fullmatch(r"No idea what ['\"](.*)['\"] is!", str(error))
        if not unknown:
            return  # Invoke says what is wrong
        found, word = [error.context], unknown[1]
    for context in found:
        _check_options(context, core, word)
        if any(name in context.args and context.args[name].value == "sandbox" for name in ("env", "to")):
            raise ConfigError(f"The word sandbox stands before what runs there: inv sandbox {context.name} ...")
    if isinstance(word, str) and word not in known:
        raise ConfigError(_unknown_task(word, line, known, namespace.collections))
    _check_order([context.name for context in found if context.name], line, next(iter(environments), ""))


def _check_order(order: list[str], line: Sequence[str], first: str) -> None:
    """ConfigError where the word sandbox stands behind what it is meant for, or before nothing."""
    early = order[: order.index("sandbox.sandbox")] if "sandbox.sandbox" in order else []
    if remote := [each for each in early if re.fullmatch(REMOTE, each.rpartition(".")[2])]:
        raise ConfigError(f"{remote[0]} stands before the word sandbox, so it would reach AWS; put sandbox first")
    if order[-1:] == ["sandbox.sandbox"] and {"-h", "--help"}.isdisjoint(line):
        raise ConfigError(f"Nothing follows the word sandbox; try: inv sandbox deploy --env {first}")


def _check_whole(line: list[str], unfit: ConfigError | None) -> None:
    """ConfigError where nothing can be done, and for words after `--`, which Invoke hands to no task."""
    # held by tests/test_namespace.py
    if unfit and [word for word in line if not word.startswith("-")] != ["sandbox.down"]:
        raise unfit
    words = line[line.index("--") + 1 :] if "--" in line and "--complete" not in line else []
    # held by tests/test_commands.py
    if words:
        raise ConfigError(f"Nothing is taken after --, so {words[0]} would be ignored; leave out the --")


def _arguments(told: Task[Any]) -> list[Argument]:
    """What a task takes; Invoke takes a task's help away when it is asked for that."""
    kept = dict(told.help or {})
    arguments = told.get_arguments()
    told.help = kept
    return arguments


def _missing(context: ParserContext, environments: Sequence[str]) -> str:
    """What to say where a task lacks what it needs."""
    options = [f"--{str(each.name).replace('_', '-')}" for each in context.missing_positional_args]
    which = {"--env": environments, "--to": environments[1:]}.get(options[0], ())
    options[0] += f" ({', '.join(which)})" if which else ""
    return f"{context.name} needs {' and '.join(options)}; run: inv --help {context.name}"


def _check_options(context: ParserContext, core: ParserContext, word: object) -> None:
    """ConfigError for an option that a task does not have, wherever Invoke has put it."""
    taken = [str(each.value) for each in context.args.values() if each.positional]
    option = next((each for each in (*taken, str(word)) if each.startswith("-")), "")
    if not option:
        return
    name, flags = context.name or "", [*context.flags, *context.inverse_flags] or [*core.flags]
    if option in {"-h", "--help"}:
        raise ConfigError(f"For what {name} takes, run: inv --help {name}")
    asked = f"inv --help {name}".rstrip()
    raise ConfigError(f"{name or 'inv'} has no option {option}{meant(option, flags)}; run: {asked}")


def _unknown_task(word: str, line: Sequence[str], known: Sequence[str], collections: Container[str]) -> str:
    """What to say of a word that is no task."""
    before = line[list(line).index(word) - 1] if word in line else ""
    if word in collections:
        return f"{word!r} is an environment, and no task; name it with --env {word}, or run: inv --list {word}"
    if f"{before}.{word}" in known:
        return f"There is no task {word!r} (did you mean {before}.{word}?); run: inv"
    return f"There is no task {word!r}{meant(word, known)}; run: inv"
