"""inv verify: proves that what runs is what was deployed, and that it is what its commit builds."""

from functools import partial
from typing import TYPE_CHECKING

from invoke import Context, task

from tasks.deploy import help_of
from tasks.errors import DiffersError
from tasks.jobs import results
from tasks.output import findings as output
from tasks.output.lines import JSON, documented
from tasks.project.command import here
from tasks.project.workspace import Workspace
from tasks.release.artifacts import ARCHIVES
from tasks.release.doubts import Finding
from tasks.release.evidence import Evidence
from tasks.release.findings import compare_trees, findings, notes
from tasks.release.journal import ADOPTED

if TYPE_CHECKING:  # it imports boto3, which `inv --list` must not wait for
    from tasks.aws.connection import Connection


@task(
    help={
        **help_of("env"),
        "deep": "also download the archives, and compare them file by file",
        "rebuild": "also build what runs from its commit, and compare that",
        "json": JSON,
    }
)
@documented
def verify(c: Context, env: str, deep: bool = False, rebuild: bool = False, json: bool = False) -> None:
    """Prove that an environment runs what was deployed to it; ends with 2 if something differs or is unknown."""
    from tasks.aws.evidence import gather
    from tasks.aws.reach import reach

    command = here(c)
    project = command.workspace.project()
    environment = project.environment(env)
    there, previous = reach(command, environment), project.environments.get(environment.previous)
    there.check_caller()
    before = reach(command, previous).connection if previous else None
    evidence = gather(there.journal(), project.functions, before)
    found = list(findings(evidence))
    if (deep or rebuild) and evidence.confirmed and evidence.confirmed.runs == ADOPTED:
        found.append(Finding(f"{env} was adopted, so neither an archive nor a commit says what it runs", unknown=True))
    if deep:
        found += compare_trees(evidence, stored_trees(there.connection, evidence), "its archive in the bucket")
    if rebuild:
        found += rebuilt(command.workspace, evidence)
    known = tuple(notes(evidence))
    if json:
        from tasks.output import documents

        documents.print_document(documents.verification(evidence, found, known))
    else:
        more = ["archives compared file by file"] if deep else []
        more += [f"built again from {evidence.confirmed.commit}"] if rebuild and evidence.confirmed else []
        output.say_findings(evidence, found, known, more)
    if found:
        raise DiffersError


def stored_trees(connection: "Connection", evidence: Evidence) -> dict[str, str]:
    """The tree digest of each stored archive of what runs, by its key."""
    from tasks.aws.observe import read_tree

    keys = [each.key for each in evidence.record.artifacts if evidence.objects.get(each.key)] if evidence.record else []
    return dict(zip(keys, results([partial(read_tree, connection, key) for key in keys]), strict=True))


def rebuilt(workspace: Workspace, evidence: Evidence) -> list[Finding]:
    """What differs between what runs and what its commit builds; one finding if that cannot be known."""
    from tasks.archives.rebuild import rebuilt_trees

    if evidence.record is None or evidence.confirmed is None:
        return []
    trees, reason = rebuilt_trees(workspace, evidence.record, evidence.confirmed.commit)
    if reason:
        return [Finding(reason, unknown=True)]
    found = compare_trees(evidence, trees, "what its commit builds")
    # held by tests/test_verify.py
    if found and evidence.record.archives != ARCHIVES:
        text = (
            f"What {evidence.environment.name} runs was packed by another version of this tool (archives of format "
            f"{evidence.record.archives}, and of {ARCHIVES} now), so whether its commit gives these files is not known"
        )
        return [Finding(text, "bump the versions and deploy again, and it can", unknown=True)]
    return found
