"""inv doctor: whether everything is here that is needed, and how to mend the rest."""

import json
from collections.abc import Callable, Iterator
from functools import partial

from invoke import Context, task

from tasks.errors import ConfigError, DiffersError, ReleaseError
from tasks.output.lines import say, say_document
from tasks.project.checkup import Check, check_machine
from tasks.project.command import Command, here, shows
from tasks.project.model import Environment, Project


@task(
    help={
        "env": "look at this environment alone; without, at all of them",
        "policy": "print the IAM policy that --env needs, and nothing else",
    }
)
@shows
def doctor(c: Context, env: str = "", policy: bool = False) -> None:
    """Check the machine, the repository and the environments, and say how to mend what is wrong; ends with 2 then."""
    command = here(c)
    project = command.workspace.project()
    environments = [project.environment(env)] if env else list(project.environments.values())
    if policy:
        if not env:
            raise ConfigError(
                f"--policy is for one environment; add --env with one of: {', '.join(project.environments)}"
            )
        say_document(_policy(project, env))
        return
    count = 0
    for check in examined(command, environments):
        count += bool(check.problem)
        say(line(check))
    if count:
        say("", f"[WARNING] {count} to mend, best in this order")
        raise DiffersError
    say("", "[OK] Everything is here")


def _policy(project: Project, name: str) -> str:
    from tasks.release.policy import policy

    return json.dumps(policy(project, name), indent=2)


def examined(command: Command, environments: list[Environment]) -> Iterator[Check]:
    """Everything that is looked at, in the order in which to mend it."""
    from tasks.archives.lock import read_lock

    workspace = command.workspace
    project = workspace.project()
    yield from check_machine(workspace.root, project)
    yield _tried("VERSION", workspace.checkout)
    for layer in project.layers.values():
        if layer.requirements:
            path = workspace.root / layer.requirements
            yield _tried(f"the lock of {layer.requirements}", partial(read_lock, path, project.runtimes[0]))
    try:
        from tasks.aws.checkup import check_environment
        from tasks.aws.connection import connect
    except ModuleNotFoundError as error:
        yield Check("AWS", f"{error.name} is not installed", "install the packages first")
        return
    for environment in environments:
        try:
            connection = connect(environment, command.endpoint)
        except ReleaseError as error:
            yield Check(f"{environment.name}: connection", str(error))
            continue
        yield from check_environment(connection, project)


def _tried(what: str, call: Callable[[], object]) -> Check:
    """Whether a call goes well, whose error says what to do."""
    try:
        call()
    except ReleaseError as error:
        return Check(what, str(error))
    return Check(what)


def line(check: Check) -> str:
    """How a check is told."""
    if not check.problem:
        return f"[OK] {check.what}"
    remedy = f"; {check.remedy}" if check.remedy else ""
    return f"[{'ERROR' if check.serious else 'WARNING'}] {check.what}: {check.problem}{remedy}"
