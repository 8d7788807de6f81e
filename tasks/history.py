"""inv history: what was deployed to an environment, when, by whom, and how it ended."""

import re

from invoke import Context, task

from tasks.deploy import help_of
from tasks.errors import ConfigError, PlanError
from tasks.output import history as output
from tasks.output.lines import JSON, documented, say
from tasks.project.command import here

_ENTRIES = 20


@task(
    help={
        **help_of("env"),
        "limit": f"how many entries to show ({_ENTRIES})",
        "entry": "the number of one entry to show with all it changed",
        "json": JSON,
    },
)
@documented
def history(c: Context, env: str, entry: str = "", limit: str = str(_ENTRIES), json: bool = False) -> None:
    """Show the journal of an environment: number, when, who, what, release, commit, outcome, how long."""
    from tasks.aws.reach import reach

    command = here(c)
    there = reach(command, command.workspace.project().environment(env))
    if not entry:
        entries = there.journal().read(number("--limit", limit))
        if json:
            from tasks.output import documents

            documents.print_document(documents.history(env, [each for each in entries.values() if each]))
        else:
            output.say_entries(env, entries)
            if len(entries) == int(limit) and 1 not in entries:
                say(f"[INFO] For older ones, run: inv history --env {env} --limit {2 * int(limit)}", "")
        return
    seen = there.journal().get(number("--entry", entry))
    if seen is None:
        raise PlanError(f"{env} has no entry {entry}; run: inv history --env {env}")
    if json:
        from tasks.output import documents

        documents.print_document(documents.history(env, [seen.entry]))
    else:
        output.say_entry(env, seen.entry)


def number(option: str, text: str) -> int:
    """A positive number from the command line; Invoke itself would end with a traceback where it is none."""
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise ConfigError(f"{option} {text!r} is no number from 1 up")
    return int(text)
