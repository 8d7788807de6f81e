"""inv status: what every environment runs, side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from invoke import Context, task

from tasks.deploy import built_release
from tasks.errors import DiffersError, ReleaseError
from tasks.jobs import results
from tasks.output import status as output
from tasks.output.lines import JSON, documented
from tasks.project.command import Command, here
from tasks.project.model import Environment
from tasks.release.status import Mark, Status, status_of, unreadable

if TYPE_CHECKING:  # it imports boto3, which `inv --list` must not wait for
    from tasks.release.evidence import Evidence


@task(help={"env": "one environment; all of them without", "json": JSON})
@documented
def status(c: Context, env: str = "", json: bool = False) -> None:
    """Show what every environment runs, since when and by whom; ends with 2 if one is not as it was deployed."""
    command = here(c)
    project = command.workspace.project()
    chosen = [project.environment(env)] if env else list(project.environments.values())
    shown = [each for each, _, _ in look_at(command, chosen)]
    if json:
        from tasks.output import documents

        documents.print_document(documents.overview(shown))
    else:
        output.say_status(shown)
    if any(each.mark not in (Mark.OK, Mark.BEHIND, Mark.MISSING) for each in shown):
        raise DiffersError


def look_at(
    command: Command, chosen: Sequence[Environment]
) -> Iterator[tuple[Status, "Evidence | None", "Evidence | None"]]:
    """The status of environments, what was read of each, and of the one before it; None where that is nothing."""
    names = {name for each in chosen for name in (each.name, each.previous)}
    needed = [each for name, each in command.workspace.project().environments.items() if name in names]
    read = results([partial(survey, command, each) for each in needed])
    found = dict(zip([each.name for each in needed], read, strict=True))
    for each in chosen:
        evidence, before = found[each.name], found.get(each.previous)
        if isinstance(evidence, str):
            yield unreadable(each, evidence), None, None
            continue
        before = None if isinstance(before, str) else before
        status = status_of(evidence, before.confirmed if before else None)
        yield status if each.previous else ahead(command, status), evidence, before


def ahead(command: Command, status: Status) -> Status:
    """The status of the first environment, with what a deployment would bring, as far as that is built."""
    if status.mark is not Mark.OK or status.entry is None:
        return status
    try:
        release = built_release(command.workspace.checkout())
    except ReleaseError:
        text = "The sources are not built as they are, so what a deployment would bring is not known; run: inv build"
        return replace(status, why=(*status.why, text))
    if release.key == status.entry.runs:
        return status
    other = f"are at {release}" if str(release) != status.entry.version else "differ, although versions are the same"
    text = f"The sources {other}; run: inv deploy --env {status.name} --dry-run"
    return replace(status, mark=Mark.BEHIND, why=(*status.why, text))


def survey(command: Command, environment: Environment) -> "Evidence | str":
    """What can be read of an environment in a few calls; why not, if that is nothing."""
    from tasks.aws.evidence import glance
    from tasks.aws.reach import reach

    try:
        there = reach(command, environment)
        _, found = results([there.check_caller, partial(glance, there.journal())])
    except ReleaseError as error:
        return str(error)
    return found  # type: ignore[no-any-return]  # results() hands back whatever its calls return
