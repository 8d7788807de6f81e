"""Promoting: which release an environment runs, and what carries the same bytes one environment further.

A promoted release is never named by guesswork. It is read off the functions of the source environment (their layer
versions say which version and contents they are), then its record is looked up, and what the source holds must be
exactly what the record pins.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from tasks.errors import PlanError
from tasks.release.actions import Action, Copy, CopyCanonical
from tasks.release.artifacts import Release
from tasks.release.deployed import Deployed, LayerVersion
from tasks.release.plan import Step, plan_attach, plan_publish, plan_record, refuse_changed_contents
from tasks.release.project import Environment, Project

__all__ = ["Source", "check_route", "check_source", "promotion", "running_release"]


@dataclass(frozen=True)
class Source:
    """Where a release comes from, and what it holds of it.

    record     the record of the release it runs, if its bucket has one
    objects    key -> SHA-256 (hex) of the archives that are there
    digests    layer -> SHA-256 (hex) that Lambda reports for the layer version in use
    canonical  key -> ETag of the configuration that travels along
    """

    environment: Environment
    record: Release | None
    objects: Mapping[str, str]
    digests: Mapping[str, str]
    canonical: Mapping[str, str]


def check_route(project: Project, source: str, target: str) -> tuple[Environment, Environment]:
    """The two environments of a promotion; PlanError unless it goes exactly one environment further."""
    there = project.environment(target)
    here = project.environment(source or there.previous or target)
    if here == there and not there.previous:
        raise PlanError(f"Nothing is promoted into {target}, the first environment; run: inv deploy --env {target}")
    if here.name != there.previous:
        raise PlanError(
            f"Cannot promote from {here.name} to {there.name}: {there.name} takes what {there.previous} runs; "
            f"run: inv promote --to {there.name} --from {there.previous} --version VERSION"
        )
    return here, there


def running_release(environment: Environment, deployed: Deployed, version: str) -> dict[str, LayerVersion]:
    """The layer version of each layer that the environment runs; PlanError unless that is one release, `version`."""
    never = [layer for layer in environment.layer_names if not deployed.layers.get(layer)]
    if never:
        raise PlanError(
            f"Could not get layer version: {' and '.join(never)} was never published in {environment.name}; "
            f"run: inv deploy --env {environment.name}"
        )
    running = deployed.running()
    if not running:
        raise PlanError(f"{environment.name} runs nothing: none of its functions exists; create them first")
    for function, carried in running.items():
        missing = [layer for layer in environment.layer_names if layer not in carried or not carried[layer].version]
        if missing:
            raise PlanError(
                f"{function} runs no released version of {' and '.join(missing)}, so {environment.name} "
                f"runs no release; run: inv deploy --env {environment.name}"
            )
    first, carried = next(iter(running.items()))
    for function, others in running.items():
        if others != carried:
            raise PlanError(
                f"The functions of {environment.name} run different releases: {first} runs {_names(carried)}, "
                f"{function} runs {_names(others)}; run: inv deploy --env {environment.name}"
            )
    layer = next(iter(environment.layer_names))
    if carried[layer].version != version:
        raise PlanError(
            f"{environment.name} does not run {layer} {version}: it runs {_names(carried)}; deploy {version} to "
            f"{environment.name} first, or promote what it runs with --version {carried[layer].version}"
        )
    return {layer: carried[layer] for layer in environment.layer_names}


def check_source(source: Source, running: Mapping[str, LayerVersion]) -> Release:
    """The release to promote, as its record pins it; PlanError if the source lacks the record or those very bytes."""
    name, release = source.environment.name, source.record
    repair = f"run: inv deploy --env {name}"
    if release is None:
        raise PlanError(f"{name} has no record of the release it runs ({_names(running)}); {repair}")
    for artifact in release.artifacts:
        where = f"s3://{source.environment.bucket}/{artifact.key}"
        if artifact.key not in source.objects:
            raise PlanError(f"{name} does not hold {artifact}: {where} is missing; {repair}")
        if source.objects[artifact.key] != artifact.sha256:
            raise PlanError(f"{name} does not hold {artifact}: {where} has other bytes than its release; {repair}")
        layer_version = running[artifact.layer]
        if not layer_version.holds(artifact) or source.digests[artifact.layer] != artifact.sha256:
            raise PlanError(f"{name} runs {layer_version.arn}, whose bytes are not those of {artifact}; {repair}")
    return release


def promotion(source: Source, canonical: Mapping[str, str]) -> tuple[Step, ...]:
    """The steps of a promotion; `canonical` is what the target has of the configuration, key -> ETag."""
    return (
        partial(plan_copy, source),
        plan_publish,
        plan_record,
        plan_attach,
        partial(plan_canonical, source, canonical),
    )


def plan_copy(source: Source, release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Copy each archive that the target lacks; a version that is there already must have the same bytes."""
    refuse_changed_contents(release, environment, deployed)
    for artifact in release.artifacts:
        if artifact.key not in deployed.objects:
            yield Copy(artifact, source.environment.bucket, environment.bucket)


def plan_canonical(
    source: Source,
    there: Mapping[str, str],
    _release: Release,
    environment: Environment,
    _deployed: Deployed,
) -> Iterator[Action]:
    """Copy the configuration that differs; what only the target has stays.

    Objects are compared by ETag, which is the MD5 of the contents except under KMS encryption and after a multipart
    upload: there an unchanged object may be copied again, and never is a changed one left out.
    """
    for key, etag in source.canonical.items():
        if there.get(key) != etag:
            yield CopyCanonical(key, source.environment.canonical_bucket, environment.canonical_bucket, etag)


def _names(carried: Mapping[str, LayerVersion]) -> str:
    return ", ".join(f"{layer} {version.version}" for layer, version in carried.items())
