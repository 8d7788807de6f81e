"""From what was built and what is deployed to what must change.

A step is a planner `(release, environment, deployed) -> actions`; a verb is a tuple of steps that contains the verb
before it. Every planner of a verb has run before anything is performed, so whatever it refuses, it refuses before the
first change; and planning again after performing gives an empty plan.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from tasks.errors import PlanError
from tasks.release.actions import Action, Attach, Plan, Publish, Record, Skip, Upload, layer_of
from tasks.release.artifacts import Artifact, Release, description
from tasks.release.deployed import Deployed, unversioned
from tasks.release.project import Environment

__all__ = ["PUBLISH", "UPDATE_LAMBDAS", "UPLOAD", "Step", "merge_layers", "plan"]

Step: TypeAlias = Callable[[Release, Environment, Deployed], Iterator[Action]]

MAX_LAYERS = 5
"""Layers per function, not raisable: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""


def plan(steps: tuple[Step, ...], release: Release, environment: Environment, deployed: Deployed) -> Plan:
    """Everything the steps would change, layer by layer and then function by function."""
    order = {artifact.layer: place for place, artifact in enumerate(release.artifacts)}
    actions = [action for step in steps for action in step(release, environment, deployed)]
    return tuple(sorted(actions, key=lambda action: order.get(layer_of(action), len(order))))


def plan_upload(release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Store each archive that the bucket lacks; a version that is there already must have the same bytes."""
    refuse_changed_contents(release, environment, deployed)
    for artifact in release.artifacts:
        if artifact.key not in deployed.objects:
            yield Upload(artifact, environment.bucket)


def plan_publish(release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Publish each layer whose contents no layer version has."""
    for artifact in release.artifacts:
        if not deployed.find(artifact):
            name = environment.layer_names[artifact.layer]
            yield Publish(artifact, environment.bucket, name, description(artifact, release.commit))


def plan_record(release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Write the release down, before any function runs it."""
    if deployed.record is None:
        yield Record(release, environment.bucket)
    elif deployed.record.artifacts != release.artifacts:
        raise PlanError(
            f"s3://{environment.bucket}/{release.key} records other contents for {release}; "
            f"run: {bump_command(release.artifacts[0].layer, environment)}"
        )


def plan_attach(release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Give every function exactly the release's layer versions beside the layers that are not ours."""
    found = deployed.found(release)
    for function in environment.functions:
        state = deployed.functions.get(function)
        if state is None:
            yield Skip(function)
            continue
        wanted = Attach(function, merge_layers(state.layers, release, environment), state.revision)
        if len(wanted.layers) > MAX_LAYERS:
            raise PlanError(
                f"{function} would have {len(wanted.layers)} layers and Lambda allows {MAX_LAYERS}; "
                f"take one of these off it first: {', '.join(state.layers)}"
            )
        if len(found) < len(release.artifacts) or wanted.arns(found) != state.layers:
            yield wanted


UPLOAD: tuple[Step, ...] = (plan_upload,)
PUBLISH: tuple[Step, ...] = (*UPLOAD, plan_publish)
UPDATE_LAMBDAS: tuple[Step, ...] = (*PUBLISH, plan_record, plan_attach)


def merge_layers(current: tuple[str, ...], release: Release, environment: Environment) -> tuple[str | Artifact, ...]:
    """A function's layers with ours exchanged in place, by name; foreign ones and the order stay, missing ones follow.

    UpdateFunctionConfiguration replaces the whole list, so what is left out here would be taken off the function.
    """
    ours = {_layer_arn(environment, artifact.layer): artifact for artifact in release.artifacts}
    merged: dict[str, str | Artifact] = {}
    for arn in current:
        name = unversioned(arn).split(":", 2)[-1]
        merged[name] = ours.get(name, arn)
    return tuple({**merged, **{name: artifact for name, artifact in ours.items() if name not in merged}}.values())


def refuse_changed_contents(release: Release, environment: Environment, deployed: Deployed) -> None:
    """One version, one content: PlanError if this environment knows an artifact's version with other contents."""
    for artifact in release.artifacts:
        stored = deployed.objects.get(artifact.key, artifact.sha256)
        published = [v for v in deployed.layers.get(artifact.layer, ()) if v.version == artifact.version]
        other = next((v.arn for v in published if not v.holds(artifact)), None)
        if stored != artifact.sha256:
            other = f"s3://{environment.bucket}/{artifact.key}"
        if other:
            raise PlanError(
                f"{artifact} exists in {environment.name} with other contents ({other}); "
                f"run: {bump_command(artifact.layer, environment)}"
            )


def bump_command(layer: str, environment: Environment) -> str:
    """The command that gives a layer a version of its own."""
    option = "" if layer == next(iter(environment.layer_names)) else f" --layer {layer}"
    return f"inv bump --part patch{option}"


def _layer_arn(environment: Environment, layer: str) -> str:
    """A layer's ARN without number and without `arn:<partition>:`, which differs in China and GovCloud."""
    return f"lambda:{environment.region}:{environment.account}:layer:{environment.layer_names[layer]}"
