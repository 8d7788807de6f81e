"""inv rollback: back to an earlier release, or out of a deployment that was cut off."""

from dataclasses import replace
from typing import TYPE_CHECKING

from invoke import Context, task

from tasks.deploy import help_of, payloads, reporter
from tasks.engine import carry_out, undo_unfinished
from tasks.errors import PlanError
from tasks.output.consent import Consent
from tasks.output.lines import documented, say, say_end
from tasks.project.command import here
from tasks.release.deployed import Deployed
from tasks.release.doubts import journal_findings
from tasks.release.entries import is_as_written
from tasks.release.events import Report, Started
from tasks.release.journal import Entry, rollback_target
from tasks.release.keys import entry_key
from tasks.release.plan import UPDATE_LAMBDAS, Goal, Plan
from tasks.release.promotion import repair_command
from tasks.release.release import Release
from tasks.release.rules import questions

if TYPE_CHECKING:  # it imports boto3, which `inv --list` must not wait for
    from tasks.aws.reach import Aws

_FARTHEST = 1000
"""Entries that are looked through for one to go back to: as many as S3 lists at once."""


@task(
    help={
        "to": "an entry's number (38) or a version (1.2.3); by default the release before the present one",
        **help_of("env", "dry_run", "delete", "yes", "json"),
    }
)
@documented
def rollback(  # noqa: PLR0913, PLR0917  (each is an option of the command line)
    c: Context,
    env: str,
    to: str = "",
    dry_run: bool = False,
    delete: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Bring back what an environment ran before: an earlier release, recorded and confirmed; nothing is built."""
    from tasks.aws.reach import reach

    command = here(c)
    project = command.workspace.project()
    environment, dry_run = project.environment(env), dry_run or command.dry
    report = reporter(json, dry_run=dry_run)
    there, agree = reach(command, environment, report=report), Consent(bool(command.endpoint), yes)
    newest = there.newest()
    if newest is None:
        raise PlanError(f"Nothing was ever deployed to {env}; {repair_command(environment)}")
    if newest.unfinished and newest.what != "rollback":
        refuse_target(env, newest, to)
        if json:
            raise PlanError(f"The {newest.title(env)} was cut off: undoing it has no plan to show; leave out --json")
        undo_cut_off(there, newest, report, agree, dry_run=dry_run)
        return
    target = newest if newest.unfinished else earlier(there, to)
    if target is newest:
        refuse_target(env, newest, to)
    release = recorded(there, target)
    report(Started(f"Rolling {env} back to entry {target.number}", f"Rollback of {env}", release))
    goal = Goal(environment, release, environment, payloads(project, environment), delete, "rollback")
    carry_out(goal, UPDATE_LAMBDAS, there, report, agree=agree, dry_run=dry_run)


def earlier(there: "Aws", to: str) -> Entry:
    """The entry to go back to. PlanError if one that may be meant is damaged, edited or gone."""
    from tasks.aws.evidence import glance

    name, found = there.connection.environment.name, there.journal().read(_FARTHEST)
    # held by tests/test_rollback.py
    if not to and (lost := glance(there.journal()).lost):
        raise PlanError(
            f"{name} runs {lost}, and no entry of its journal says so: its newest entries are gone; restore them below "
            f"{there.journal().prefix}, or name an entry with --to; run: inv history --env {name}"
        )
    target = rollback_target(name, [each for each in found.values() if each], to)
    # held by tests/test_rollback.py
    if not is_as_written(target, target.number):
        key = entry_key(there.journal().prefix, target.number)
        where = f"s3://{there.connection.environment.bucket}/{key}"
        raise PlanError(f"Entry {target.number} of the journal of {name} is not what was written; restore {where}")
    between = {number: each for number, each in found.items() if number >= target.number}
    if not to and (unsure := [str(each.text) for each in journal_findings(name, between)]):
        raise PlanError(
            f"{unsure[0]}, which may hide the one to go back to; restore it, or name an entry with --to; "
            f"run: inv history --env {name}"
        )
    return target


def refuse_target(env: str, entry: Entry, to: str) -> None:
    """PlanError if --to was given while a deployment is unfinished, which comes first."""
    if to:
        raise PlanError(
            f"The {entry.title(env)} is unfinished (entry {entry.number}), and comes first; "
            f"run: inv rollback --env {env}"
        )


def undo_cut_off(there: "Aws", entry: Entry, report: Report, agree: Consent, *, dry_run: bool) -> None:
    """Put back what was there before a deployment that was cut off."""
    from tasks.aws.observe import load_record

    name = there.connection.environment.name
    what = f"the {entry.title(name)} (entry {entry.number})"
    if dry_run:
        say(f"[INFO] Dry run: {name} would be put back to what it was before {what}")
        return
    say(f"[INFO] Undoing {what}, by {entry.who}")
    asked = questions(there.connection.environment, Plan(), Deployed(), entry)
    say(*(f"[WARNING] {each}" for each in asked))
    agree(asked)
    # without a record nothing that runs was changed yet
    release = load_record(there.connection, entry.release) or Release((), entry.commit)
    undo_unfinished(Goal(there.connection.environment, release, delete=entry.delete), entry, there, report)
    say_end(f"{name} is as it was before {what}")


def recorded(there: "Aws", entry: Entry) -> Release:
    """The release that an entry confirmed. PlanError if its record is gone."""
    from tasks.aws.observe import load_record

    release = load_record(there.connection, entry.release)
    if release is None:
        here = there.connection.environment
        raise PlanError(
            f"The record of entry {entry.number} is gone (s3://{here.bucket}/{entry.release}), so it cannot be "
            f"brought back; name another; run: inv history --env {here.name}"
        )
    return replace(release, commit=entry.commit)
