"""inv adopt: what runs now becomes what should run, after an emergency or a change by hand."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from invoke import Context, task

from tasks.deploy import help_of
from tasks.engine import holding
from tasks.errors import ConfigError, PlanError
from tasks.jobs import results
from tasks.output.lines import say, say_end
from tasks.project.command import here, shows
from tasks.release.deployed import Deployed
from tasks.release.journal import ADOPTED, Entry, Status, Who, snapshot
from tasks.release.rules import changed_by_hand

if TYPE_CHECKING:  # it imports boto3, which `inv --list` must not wait for
    from tasks.aws.reach import Aws


@task(help={"note": "why what runs now is right, for whoever reads the journal", **help_of("env", "dry_run")})
@shows
def adopt(c: Context, env: str, note: str, dry_run: bool = False) -> None:
    """Accept what an environment runs now, changed by hand or in an emergency, until something is deployed to it."""
    from tasks.aws.observe import look
    from tasks.aws.reach import reach

    command = here(c)
    environment = command.workspace.project().environment(env)
    if not note.strip():
        raise ConfigError('--note is empty; say why what runs now is right: --note "hotfix, checked by Anne"')
    there = reach(command, environment)
    there.check_caller()
    newest, now = results([there.newest, partial(look, there.connection)])
    if not now.functions:
        raise PlanError(f"{env} runs nothing: none of its functions exists; create them first")
    changed = list(changed_by_hand(environment, now, newest))
    if newest and newest.closed and newest.after and not changed and not newest.standing_emergency:
        say(f"[SUCCESS] {env} runs what its journal says, so there is nothing to adopt", "")
        return
    emergency = [f"the emergency is over ({newest.standing_emergency})"] if newest and newest.standing_emergency else []
    say(f"[INFO] Adopting what {env} runs: {carried(now)}", *(f"   {line}" for line in [*changed, *emergency]), "")
    if dry_run or command.dry:
        say("[INFO] Dry run: nothing was written", "")
        return
    write(there, now, note, changed)
    say_end(f"{env} is adopted: what it runs is what should run", "   It belongs to no release until one is deployed")


def write(there: "Aws", seen: Deployed, note: str, changed: Sequence[str]) -> None:
    """Write the entry. PlanError if the environment is not what was seen any more."""
    from tasks.aws.observe import look

    entry = Entry(0, "adopt", ADOPTED, carried(seen), "none", Who(), "")
    with holding(there, entry) as held:
        if snapshot(look(there.connection)) != snapshot(seen):
            raise PlanError(f"{there.connection.environment.name} was changed meanwhile; run the same command again")
        held.note(snapshot(seen))
        held.close(Status.CONFIRMED, snapshot(seen), "\n".join([note, *changed]))


def carried(deployed: Deployed) -> str:
    """The layers that functions carry, in words."""
    found = {", ".join(sorted(map(str, each.values()))) for each in deployed.running().values()}
    return (found.pop() or "no layer of ours") if len(found) == 1 else "a mixture of layers"
