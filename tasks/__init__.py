"""Build AWS Lambda layers once, and release the same bytes to one environment after the other.

This module is the namespace that `inv --list` shows: the tasks, and for each environment of release.toml a collection
of those that take one (`inv dev.deploy` is `inv deploy --env dev`).
"""

import inspect
from functools import wraps
from typing import Any

from invoke import Collection, Task

from tasks import (
    adopt,
    build,
    commands,
    deploy,
    doctor,
    history,
    init,
    promote,
    prune,
    report,
    rollback,
    show,
    status,
    verify,
    version,
    watch,
)
from tasks import invoke as run
from tasks.errors import ConfigError, ReleaseError
from tasks.output.terminal import framed
from tasks.project.command import ROOT
from tasks.project.model import Environment
from tasks.project.workspace import Workspace
from tasks.sandbox import verbs as sandbox


def _bound(task: Any, parameter: str, environment: Environment) -> "Task[Any]":
    """The same task with one parameter filled in with the environment's name, so that it cannot be given another.

    The task gets a name of its own: unless invoke.yaml says otherwise, Invoke drops a call that equals an earlier one
    in name, body and arguments, and would run only the first of `inv dev.upload stage.upload`.
    """
    body = task.body

    @wraps(body)
    def bound(*args: Any, **kwargs: Any) -> Any:
        return body(*args, **kwargs, **{parameter: environment.name})

    signature = inspect.signature(body)
    rest = [item for name, item in signature.parameters.items() if name != parameter]
    bound.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]  # what Invoke inspects
    shown = {name: text for name, text in (task.help or {}).items() if name != parameter}
    # no short options: without the parameter the same letters would mean others, and -e would delete
    return Task(bound, name=f"{task.name}-{environment.name}", help=shown, auto_shortflags=False)


def _environment(environment: Environment) -> Collection:
    """The tasks that take an environment, for this one."""
    tasks = Collection(environment.name)
    verbs = [deploy.upload, deploy.publish, deploy.update_lambdas, deploy.deploy]
    verbs += [rollback.rollback, adopt.adopt, history.history, status.status, verify.verify, prune.prune]
    verbs += [run.invoke, run.smoke, run.e2e]
    for verb in verbs:
        tasks.add_task(_bound(verb, "env", environment), name=verb.name)
    if environment.previous:
        tasks.add_task(_bound(promote.promote, "to", environment), name="promote")
    return tasks


def _namespace() -> tuple[Collection, ConfigError | None]:
    """Every task of this package; and why there are none for environments, if release.toml cannot be read."""
    root = Collection(
        build.clean, build.build_core, build.build_deps, build.build_functions, build.build, build.check, build.lock,
        deploy.upload, deploy.publish, deploy.update_lambdas, deploy.deploy,
        promote.promote, rollback.rollback, adopt.adopt, history.history, status.status, verify.verify,
        prune.prune,
        version.bump, show.show, show.compare,
        run.invoke, run.smoke, run.e2e, watch.watch, doctor.doctor, init.init, report.report, commands.commands,
    )  # fmt: skip
    root.add_collection(Collection("sandbox", sandbox.sandbox, sandbox.up, sandbox.down, sandbox.env))
    try:
        environments = Workspace(ROOT).project().environments
    except ConfigError as error:
        return root, error
    if taken := environments.keys() & {*root.tasks, "sandbox"}:
        return root, ConfigError(f"release.toml: environment {min(taken)!r} has the name of a task; rename it")
    for environment in environments.values():
        root.add_collection(_environment(environment))
    return root, None


ReleaseError.show = framed
namespace, unfit = _namespace()
