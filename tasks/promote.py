"""inv promote: the same bytes, one environment further."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from invoke import Context, task

from tasks.deploy import follow, help_of, payloads, release_of, reporter
from tasks.engine import carry_out
from tasks.errors import ReleaseError
from tasks.jobs import results, side_by_side
from tasks.output.consent import Consent
from tasks.output.lines import documented, say
from tasks.project.command import Command, here
from tasks.project.model import Environment
from tasks.project.rehearsals import remembered
from tasks.project.workspace import Workspace
from tasks.release.events import Started
from tasks.release.journal import Entry, emergency_note
from tasks.release.plan import UPDATE_LAMBDAS, Goal
from tasks.release.promotion import check_route, check_source, find_release, running_release
from tasks.release.release import Release, record_prefix
from tasks.release.rules import committed

_FARTHEST = 200
"""Entries that are looked through for the one that brought what runs."""

if TYPE_CHECKING:  # it imports boto3, which `inv --list` must not wait for
    from tasks.aws.reach import Aws


@task(
    help={
        "to": "the environment that gets the release: stage or prod",
        "version": "the release that the source must be running, such as 1.2.4",
        "from": "the environment it comes from; always the one before, which is the default",
        "dry_run": "show the plan and change nothing",
        **help_of("delete", "emergency", "yes", "json"),
    }
)
@documented
def promote(  # noqa: PLR0913, PLR0917  (each is an option of the command line)
    c: Context,
    to: str,
    version: str,
    from_: str = "",
    dry_run: bool = False,
    delete: bool = False,
    emergency: str = "",
    yes: bool = False,
    json: bool = False,
) -> None:
    """Bring the release that one environment runs to the next: the same bytes, nothing is built."""
    from tasks.aws.perform import Sources
    from tasks.aws.reach import reach

    command = here(c)
    dry_run = dry_run or command.dry
    report = reporter(json, dry_run=dry_run)
    project = command.workspace.project()
    origin, target = check_route(project, from_, to, version)
    before = reach(command, origin)
    there = reach(command, target, Sources(origin=before.connection), report)
    looks = (partial(finishable, there, version), partial(read_running, before, version))
    unfinished, running = side_by_side(looks, keep_going=True)
    release, source = unfinished.value(), target
    if release is None:
        found, entry, commit = running.value()
        if entry and entry.standing_emergency:
            follow(emergency_note(origin.name, entry), command, emergency)
        release, source = committed_release(command, found, commit, origin, emergency), origin
    report(Started(f"Promoting from {origin.name} to {target.name}", "Promotion", release))
    work = {} if command.endpoint else remembered(release.identity)
    goal = Goal(target, release, source, payloads(project, target), delete, "promote", emergency, work)
    agree = Consent(bool(command.endpoint), yes)
    carry_out(goal, UPDATE_LAMBDAS, there, report, agree=agree, dry_run=dry_run)


def committed_release(command: Command, release: Release, noted: str, origin: Environment, emergency: str) -> Release:
    """The release with the clean commit that it was built from, or that builds it now. PlanError if there is none."""
    problem = committed(origin, noted, str(release.artifacts[0]))
    if not problem:
        return replace(release, commit=noted)
    if commit := commit_of(command.workspace, release):
        say(f"[INFO] Commit {commit}, which is checked out, builds just this release: the promotion notes that one", "")
        return replace(release, commit=commit)
    follow(problem, command, emergency)
    return release


def commit_of(workspace: Workspace, release: Release) -> str:
    """The commit that is checked out, if it is clean and builds a release; else nothing."""
    from tasks.archives.configuration import read_configuration
    from tasks.archives.workshop import make_all

    try:
        checkout = workspace.checkout()
        if checkout.commit == "none" or checkout.commit.endswith("-dirty"):
            return ""
        made = [each.artifact for each in make_all(checkout)]
        contents = {key: each.sha256 for key, each in read_configuration(checkout).items()}
        return checkout.commit if release_of(checkout, made, contents).key == release.key else ""
    except ReleaseError:
        return ""


def finishable(there: "Aws", version: str) -> Release | None:
    """The release of a promotion that was cut off, if that is meant: all it needs lies in the target's bucket."""
    from tasks.aws.observe import load_record

    entry = there.newest()
    if entry is None or entry.closed or entry.what != "promote":
        return None
    release = load_record(there.connection, entry.release)
    return release if release and release.version == version else None


def read_running(there: "Aws", version: str) -> tuple[Release, Entry | None, str]:
    """The release that an environment runs, all that could be wrong ruled out, the newest entry, and the commit."""
    from tasks.aws.observe import look_since, observe_bytes, observe_records

    connection, environment = there.connection, there.connection.environment
    first = next(iter(environment.layer_names))
    (entry, deployed), records = results(
        [
            partial(look_since, connection, there.newest),
            partial(observe_records, connection, record_prefix(f"{first} {version}")),
        ]
    )
    running = running_release(environment, deployed, version)
    release = find_release(environment, deployed, running, records, entry)
    check_source(environment, observe_bytes(connection, deployed, release, running), running, release)
    brought = entry
    if entry and not entry.deployed:  # a publication, a pruning, a deployment that was undone: an earlier one says it
        earlier = (each for each in there.journal().entries(_FARTHEST) if each.deployed and each.release == entry.runs)
        brought = next(earlier, entry)
    return release, entry, brought.commit if brought else release.commit
