"""From what was built and what is deployed to what must change.

A step is a planner `(release, environment, deployed) -> actions`; a verb is a tuple of steps that contains the verb
before it. Every planner of a verb has run before anything is performed, so whatever it refuses, it refuses before the
first change; and planning again after performing gives an empty plan.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from tasks.errors import PlanError
from tasks.release.actions import Action, Attach, CopyCanonical, Plan, Publish, Record, Skip, UpdateCode, Upload, Warn
from tasks.release.artifacts import Artifact, Release, description
from tasks.release.deployed import Deployed, unversioned
from tasks.release.limits import check_function, hidden_modules, hiding
from tasks.release.project import Environment

__all__ = ["PUBLISH", "UPDATE_LAMBDAS", "UPLOAD", "Step", "merge_layers", "plan", "put_back"]

Step: TypeAlias = Callable[[Release, Environment, Deployed], Iterator[Action]]


def plan(steps: tuple[Step, ...], release: Release, environment: Environment, deployed: Deployed) -> Plan:
    """Everything the steps would change: artifact by artifact, then function by function, then configuration."""
    refuse_hidden(release)
    refuse_changed_contents(release, environment, deployed)
    actions = [action for step in steps for action in step(release, environment, deployed)]
    functions = list(environment.function_names.values())

    def place(action: Action) -> tuple[int, int]:
        match action:
            case Record():
                return 1, 0
            case UpdateCode() | Attach() | Skip() | Warn():
                return 2, functions.index(action.function)
            case CopyCanonical():
                return 3, 0
            case _:
                return 0, release.artifacts.index(action.artifact)

    return tuple(sorted(actions, key=place))


def plan_upload(release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Store each archive that the bucket lacks."""
    for artifact in release.artifacts:
        if artifact.key not in deployed.objects:
            yield Upload(artifact, environment.bucket)


def plan_publish(release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Publish each layer whose contents no layer version has."""
    for layer in release.layers:
        if not deployed.find(layer):
            name = environment.layer_names[layer.name]
            yield Publish(layer, environment.bucket, name, description(layer, release.commit))


def plan_record(release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Write the release down, before any function runs it."""
    if deployed.record is None:
        yield Record(release, environment.bucket)
    elif deployed.record.artifacts != release.artifacts:
        raise PlanError(
            f"s3://{environment.bucket}/{release.key} records other contents for {release}; "
            f"run: {bump_command(release.artifacts[0].name, environment)}"
        )


def plan_code(release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Give each function its package, if it has one and runs another; else warn if its own package hides a layer."""
    for key, function in environment.function_names.items():
        there, package = deployed.functions.get(function), release.packages.get(key)
        if there is None:
            yield Skip(function)
        elif package and there.code_sha256 != package.sha256:
            yield UpdateCode(function, package, environment.bucket, there.revision)
        elif not package and (hidden := hidden_modules(there.modules, release.layers)):
            named = " and ".join(f"{module} (of {layer})" for module, layer in hidden.items())
            yield Warn(function, f"has its own {named} in its package, which hides the layer; take it out of there")


def plan_attach(release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Give every function exactly the release's layer versions beside the layers that are not ours."""
    found = deployed.found(release)
    for key, function in environment.function_names.items():
        there, package = deployed.functions.get(function), release.packages.get(key)
        if there is None:
            continue
        layers = merge_layers(tuple(there.layers), release, environment)
        check_function(function, there, layers, release.layers + ((package,) if package else ()))
        handler = package.handler if package and package.handler != there.handler else ""
        wanted = Attach(function, layers, handler, there.revision)
        complete = len(found) == len(release.layers) and wanted.arns(found) == tuple(there.layers)
        if not complete or handler or there.failed:
            yield wanted


UPLOAD: tuple[Step, ...] = (plan_upload,)
PUBLISH: tuple[Step, ...] = (*UPLOAD, plan_publish)
UPDATE_LAMBDAS: tuple[Step, ...] = (*PUBLISH, plan_record, plan_code, plan_attach)


def merge_layers(current: tuple[str, ...], release: Release, environment: Environment) -> tuple[str | Artifact, ...]:
    """A function's layers with ours exchanged in place, by name; foreign ones and the order stay, missing ones follow.

    UpdateFunctionConfiguration replaces the whole list, so what is left out here would be taken off the function.
    """
    ours = {_layer_arn(environment, layer.name): layer for layer in release.layers}
    merged: dict[str, str | Artifact] = {}
    for arn in current:
        name = unversioned(arn).split(":", 2)[-1]
        merged[name] = ours.get(name, arn)
    return tuple({**merged, **{name: layer for name, layer in ours.items() if name not in merged}}.values())


def put_back(decided: Plan, deployed: Deployed) -> tuple[Attach, ...]:
    """What undoes the attachments of a plan: each function's layers and handler as they were before it."""
    before = {action: deployed.functions[action.function] for action in decided if isinstance(action, Attach)}
    return tuple(
        Attach(action.function, tuple(there.layers), there.handler if action.handler else "", "")
        for action, there in before.items()
    )


def refuse_hidden(release: Release) -> None:
    """PlanError if a function's package would hide a layer: for weeks "deployed" layers would never run."""
    if reason := hiding(release.packages.values(), release.layers):
        raise PlanError(reason)


def refuse_changed_contents(release: Release, environment: Environment, deployed: Deployed) -> None:
    """One version, one content: PlanError if this environment knows an artifact's version with other contents."""
    for artifact in release.artifacts:
        stored = deployed.objects.get(artifact.key, artifact.sha256)
        published = [v for v in deployed.layers.get(artifact.name, ()) if v.version == artifact.version]
        other = next((v.arn for v in published if not v.holds(artifact)), None)
        if stored != artifact.sha256:
            other = f"s3://{environment.bucket}/{artifact.key}"
        if other:
            raise PlanError(
                f"{artifact} exists in {environment.name} with other contents ({other}); "
                f"run: {bump_command(artifact.name, environment)}"
            )


def bump_command(name: str, environment: Environment) -> str:
    """The command that gives an artifact a version of its own."""
    option = "" if name == next(iter(environment.layer_names)) else f" --layer {name}"
    return f"inv bump --part patch{option}"


def _layer_arn(environment: Environment, layer: str) -> str:
    """A layer's ARN without number and without `arn:<partition>:`, which differs in China and GovCloud."""
    return f"lambda:{environment.region}:{environment.account}:layer:{environment.layer_names[layer]}"
