"""inv prune: deletes layer versions, archives and what was kept from before that nobody needs any more."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from invoke import Context, task

from tasks.deploy import help_of
from tasks.errors import PlanError, ReleaseError, TakenError
from tasks.history import number
from tasks.jobs import results
from tasks.output.lines import JSON, documented, say, say_end
from tasks.output.pruning import say_pruning
from tasks.project.command import Command, here
from tasks.release.journal import Entry, Status, Who
from tasks.release.pruning import Pruning, old_versions, plan_prune

if TYPE_CHECKING:  # it imports boto3, which `inv --list` must not wait for
    from tasks.aws.reach import Aws

_KEEP = "3"


@task(
    help={
        **help_of("env"),
        "keep": f"how many of the last releases of every environment stay ({_KEEP})",
        "yes": "delete what would be shown",
        "json": JSON,
    }
)
@documented
def prune(c: Context, env: str, keep: str = _KEEP, yes: bool = False, json: bool = False) -> None:
    """Show what no function, release or way back needs any more, with its bytes, and delete it only if asked to."""
    from tasks.aws.reach import reach

    command, many = here(c), number("--keep", keep)
    environment = command.workspace.project().environment(env)
    there = reach(command, environment)
    there.check_caller()
    found, why = survey(command, there, many)
    say_pruning(environment, found, why)
    # held by tests/test_prune.py `not command.dry`
    wanted = yes and not command.dry
    if wanted and (found or unfinished(there)):
        found = delete_agreed(command, there, found, many)
        say_end(f"Deleted {found} of {env}: {found.size:,} bytes")
    elif found:
        say("[INFO] Nothing was deleted; to delete these, see: inv --help prune", "")
    if json:
        from tasks.output import documents

        documents.print_document(documents.pruning(environment, found, why, deleted=wanted))


def survey(command: Command, there: "Aws", keep: int) -> tuple[Pruning, list[str]]:
    """What may be deleted, and why other things that look unused are kept."""
    from tasks.aws.pruning import granted, read_kept, take_stock
    from tasks.aws.reach import reach

    here, project = there.connection.environment, command.workspace.project()
    ways = {name: partial(reach, command, each) for name, each in project.environments.items()}
    (kept, unknown), stock = results(
        [partial(read_kept, ways, here.name, keep), partial(take_stock, there.connection, there.journal())]
    )
    stock = replace(stock, unknown=(*stock.unknown, *unknown))
    candidates = [each for each in old_versions(stock, kept) if each.arn not in stock.attached]
    found = plan_prune(here, stock, kept, granted(there.connection, candidates) if kept.newest else {})
    return found, [*stock.unknown, *([stock.shared] if stock.shared else []), *found.kept]


def unfinished(there: "Aws") -> bool:
    """Whether a pruning was cut off, which the next one closes."""
    newest = there.newest()
    return newest is not None and not newest.closed and newest.what == "prune"


def delete_agreed(command: Command, there: "Aws", found: Pruning, keep: int) -> Pruning:
    """Delete what is still not needed once nobody else can deploy here; the journal says how far that came."""
    from tasks.aws.pruning import delete

    gone: list[str] = []
    with there.take(Entry(0, "prune", "", str(found), "none", Who(), "")) as held:
        try:
            again, _ = survey(command, there, keep)
            agreed = found.both(again)
            for each in delete(there.connection, agreed, held.renew):
                gone.append(each)  # noqa: PERF402  (what is gone is known also when the next one fails)
        except TakenError:
            raise
        except (ReleaseError, KeyboardInterrupt, OSError) as error:
            reason = f"{str(error) or 'Interrupted'}\n   Deleted before that: {', '.join(gone) or 'nothing'}"
            # held by tests/test_prune.py `Status.CONFIRMED if gone else Status.UNDONE -> Status.CONFIRMED`
            held.close(Status.CONFIRMED if gone else Status.UNDONE, None, reason)
            raise PlanError(reason) from error
        held.close(Status.CONFIRMED, None, f"deleted {agreed}, {agreed.size:,} bytes")
    return agreed
