"""inv history: what was deployed to an environment, when, by whom, and how it ended."""

from invoke import Context, task

from tasks.deploy import ENV
from tasks.errors import PlanError
from tasks.output import history as output
from tasks.project.command import here, shows

_ENTRIES = 20


@task(
    help={
        "env": ENV,
        "limit": f"how many entries to show ({_ENTRIES})",
        "entry": "the number of one entry to show with all it changed",
    },
)
@shows
def history(c: Context, env: str, entry: int = 0, limit: int = _ENTRIES) -> None:
    """Show the journal of an environment: number, when, who, what, release, commit, outcome, how long."""
    from tasks.aws.reach import reach

    command = here(c)
    there = reach(command, command.workspace.project().environment(env))
    if not entry:
        output.say_entries(env, there.journal().entries(max(1, limit)))
        return
    seen = there.journal().get(entry)
    if seen is None:
        raise PlanError(f"{env} has no entry {entry}; run: inv history --env {env}")
    output.say_entry(env, seen.entry)
