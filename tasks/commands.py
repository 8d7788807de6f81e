"""inv alone: what there is to type, by what it is for."""

from collections.abc import Sequence

from invoke import Collection, Context, task
from invoke.parser import ParserContext
from invoke.program import Program

from tasks.errors import ConfigError, meant
from tasks.output.lines import say
from tasks.project.command import here, shows

GROUPS = {
    "Every day": {
        "build": "build what has changed",
        "deploy --env {first}": "build, and bring it to {first}",
        "promote --to {second} --version 1.2.4": "the same bytes, one environment further",
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
        "adopt --env {first}": "accept what runs after an emergency",
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


def refuse_unknown(namespace: Collection, line: Sequence[str]) -> None:
    """ConfigError, with what was probably meant, for a task or an option on a command line that there is not.

    Invoke says only that it has no idea, and takes an unknown option for the value of a task's first parameter
    (https://github.com/pyinvoke/invoke/issues/1021).
    """
    names = [*namespace.task_names, *(each for others in namespace.task_names.values() for each in others)]
    core = at = Program().initial_context
    unfilled, value = 0, ""  # positional parameters left; whether an option's value "must" or "may" follow
    for word in line:
        name, equals, _ = word.partition("=")
        flags = {**core.flags, **at.flags}
        if word == "--":  # what follows is nobody's
            return
        if value == "must" or (value and not word.startswith("-")):
            value = ""
        elif word.startswith("-"):
            if word.startswith("--") and name not in {*flags, *at.inverse_flags}:
                probably = meant(name, [*flags, *at.inverse_flags])
                asked = f"inv --help {at.name or ''}".rstrip()
                raise ConfigError(f"{at.name or 'inv'} has no option {name}{probably}; run: {asked}")
            flag = flags.get(name)
            value = "" if equals or not (flag and flag.takes_value) else "may" if flag.optional else "must"
        elif word in names:
            at, value = ParserContext(word, args=namespace[word].get_arguments()), ""
            unfilled = len(at.positional_args)
        elif unfilled:
            unfilled -= 1
        else:
            raise ConfigError(f"There is no task {word!r}{meant(word, names)}; run: inv")
