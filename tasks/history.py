"""inv history: what was deployed to an environment, when, by whom, and how it ended."""

from invoke import Context, task

from tasks.deploy import ENV
from tasks.errors import ConfigError, PlanError
from tasks.output import history as output
from tasks.project.command import here, shows

_ENTRIES = 20


@task(
    positional=["number"],
    help={
        "env": ENV,
        "limit": f"how many entries to show ({_ENTRIES})",
        "number": "show this one, and what it changed",
    },
)
@shows
def history(c: Context, env: str, number: str = "", limit: int = _ENTRIES) -> None:
    """Show the journal of an environment: number, when, who, what, release, commit, outcome, how long."""
    from tasks.aws.reach import reach

    command = here(c)
    there = reach(command, command.workspace.project().environment(env))
    if not number:
        output.say_entries(env, there.journal().entries(max(1, limit)))
        return
    if not number.isdecimal():
        raise ConfigError(f"{number!r} is no number of an entry; run: inv history --env {env}")
    seen = there.journal().get(int(number))
    if seen is None:
        raise PlanError(f"{env} has no entry {number}; run: inv history --env {env}")
    output.say_entry(seen.entry)
