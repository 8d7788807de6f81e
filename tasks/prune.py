"""inv prune: deletes layer versions, archives and what was kept from before that nobody needs any more."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from invoke import Context, task

from tasks.deploy import ENV
from tasks.engine import holding
from tasks.history import number
from tasks.jobs import results
from tasks.output.lines import JSON, documented, say, say_end
from tasks.output.pruning import say_pruning
from tasks.project.command import Command, here, shows
from tasks.project.model import Environment
from tasks.release.journal import Entry, Status, Who
from tasks.release.pruning import Pruning, plan_prune

if TYPE_CHECKING:  # it imports boto3, which `inv --list` must not wait for
    from tasks.aws.journal import Journal

_KEEP = "3"


@task(
    help={
        "env": ENV,
        "keep": f"how many of the last releases of every environment stay ({_KEEP})",
        "yes": "delete what would be shown",
        "json": JSON,
    }
)
@shows
@documented
def prune(c: Context, env: str, keep: str = _KEEP, yes: bool = False, json: bool = False) -> None:
    """Show what no function, release or way back needs any more, with its bytes, and delete it only if asked to."""
    from tasks.aws.pruning import delete
    from tasks.aws.reach import reach

    command, many = here(c), number("--keep", keep)
    there = reach(command, command.workspace.project().environment(env))
    there.check_caller()
    found, why = survey(command, there.connection.environment, many)
    if json:
        from tasks.output import documents

        documents.print_document(documents.pruning(there.connection.environment, found, why))
    else:
        say_pruning(there.connection.environment, found, why)
    if not (found.versions or found.objects):
        return
    if not yes or command.dry:
        say("[INFO] Nothing was deleted yet; how to do that says: inv --help prune", "")
        return
    newest = there.newest()
    entry = Entry(0, "prune", newest.runs if newest else "", str(found), "none", Who(), "")
    with holding(there, entry) as held:
        again, _ = survey(command, there.connection.environment, many)
        agreed = found.both(again)
        delete(there.connection, agreed, held.renew)
        held.close(Status.CONFIRMED, None, f"deleted {agreed}, {agreed.size:,} bytes")
    say_end(f"Deleted {agreed} of {env}: {agreed.size:,} bytes")


def survey(command: Command, environment: Environment, keep: int) -> tuple[Pruning, list[str]]:
    """What may be deleted, and why other things that look unused are kept."""
    from tasks.aws.pruning import granted, read_kept, take_stock

    project, connection = command.workspace.project(), journal_of(command, environment).connection
    journals = {each.name: partial(journal_of, command, each) for each in project.environments.values()}
    (kept, unknown), stock = results(
        [partial(read_kept, journals, environment.name, keep), partial(take_stock, connection, project.name)]
    )
    stock = replace(stock, unknown=(*stock.unknown, *unknown))
    found = plan_prune(environment, stock, kept)
    elsewhere = granted(connection, found.versions)
    why = [*stock.unknown, *([stock.shared] if stock.shared else [])]
    return found.without(elsewhere), [*why, *(f"{arn}, since {reason}" for arn, reason in elsewhere.items())]


def journal_of(command: Command, environment: Environment) -> "Journal":
    """An environment's journal."""
    from tasks.aws.reach import reach

    return reach(command, environment).journal()
