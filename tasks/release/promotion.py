"""Promoting: which release an environment runs, and what carries the same bytes one environment further.

A promoted release is never named by guesswork. It is read off the functions of the source environment (their layer
versions say which version and contents they are), then its record is looked up, and what the source holds must be
exactly what the record pins.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from tasks.errors import PlanError
from tasks.release.actions import Action, Copy, CopyCanonical
from tasks.release.artifacts import Release
from tasks.release.deployed import Deployed, LayerVersion
from tasks.release.plan import Step, plan_attach, plan_code, plan_publish, plan_record
from tasks.release.project import Environment, Project
from tasks.release.versions import is_version

__all__ = ["Source", "check_route", "check_source", "find_release", "promotion", "running_release"]


@dataclass(frozen=True)
class Source:
    """Where a release comes from, and what it holds of it.

    release    what it runs
    objects    key -> SHA-256 (hex) of the archives that are there
    digests    layer -> SHA-256 (hex) that Lambda reports for the layer version in use
    canonical  key -> ETag of the configuration that travels along
    """

    environment: Environment
    release: Release
    objects: Mapping[str, str]
    digests: Mapping[str, str]
    canonical: Mapping[str, str]


def check_route(project: Project, source: str, target: str, version: str) -> tuple[Environment, Environment]:
    """The two environments of a promotion; PlanError unless it goes exactly one environment further."""
    if not is_version(version):
        raise PlanError(f"--version {version!r} is not MAJOR.MINOR.PATCH; name the release as in VERSION: 1.2.3")
    there = project.environment(target, "--to")
    here = project.environment(source or there.previous or target, "--from")
    if here == there and not there.previous:
        raise PlanError(f"Nothing is promoted into {target}, the first environment; run: inv deploy --env {target}")
    if here.name != there.previous:
        raise PlanError(
            f"Cannot promote from {here.name} to {there.name}: {there.name} takes what {there.previous} runs; "
            f"run: inv promote --to {there.name} --version {version}"
        )
    return here, there


def running_release(environment: Environment, deployed: Deployed, version: str) -> dict[str, LayerVersion]:
    """The layer version of each layer that the environment runs; PlanError unless that is one release, `version`."""
    never = [layer for layer in environment.layer_names if not deployed.layers.get(layer)]
    if never:
        raise PlanError(
            f"Could not get layer version: {environment.name} never published {' and '.join(never)}; "
            f"{repair_command(environment, version)}"
        )
    running = deployed.running()
    if not running:
        raise PlanError(f"{environment.name} runs nothing: none of its functions exists; create them first")
    for function, carried in running.items():
        missing = [layer for layer in environment.layer_names if layer not in carried or not carried[layer].version]
        if missing:
            raise PlanError(
                f"{function} runs no released version of {' and '.join(missing)}, so {environment.name} "
                f"runs no release; {repair_command(environment, version)}"
            )
    first, carried = next(iter(running.items()))
    for function, others in running.items():
        if others != carried:
            raise PlanError(
                f"The functions of {environment.name} run different releases: {first} runs {_names(carried)}, "
                f"{function} runs {_names(others)}; {repair_command(environment, version)}"
            )
    layer = next(iter(environment.layer_names))
    if carried[layer].version != version:
        raise PlanError(
            f"{environment.name} does not run {layer} {version}: it runs {_names(carried)}; promote that with "
            f"--version {carried[layer].version}, or first {repair_command(environment, version)}"
        )
    return {layer: carried[layer] for layer in environment.layer_names}


def repair_command(environment: Environment, version: str = "VERSION") -> str:
    """What brings an environment to a release: deploying, or promoting where it is not the first."""
    if environment.previous:
        return f"run: inv promote --to {environment.name} --version {version}"
    return f"run: inv deploy --env {environment.name}"


def find_release(
    environment: Environment, deployed: Deployed, running: Mapping[str, LayerVersion], records: Iterable[Release]
) -> Release:
    """The release that the environment runs, among its records (newest first); PlanError if it is none of them."""
    for record in records:
        codes = {
            deployed.functions[function].code_sha256 == record.packages[key].sha256
            for key, function in environment.function_names.items()
            if key in record.packages and function in deployed.functions
        }
        layers = {layer.name for layer in record.layers if running[layer.name].holds(layer)}
        if layers == set(running) and codes <= {True}:
            return record
    raise PlanError(
        f"{environment.name} has no record of the release it runs ({_names(running)}, or a function runs another "
        f"package than the one released with them); {repair_command(environment)}"
    )


def check_source(source: Source, running: Mapping[str, LayerVersion]) -> None:
    """PlanError unless the source holds exactly the bytes that the release's record pins."""
    name = source.environment.name
    repair = repair_command(source.environment)
    for artifact in source.release.artifacts:
        where = f"s3://{source.environment.bucket}/{artifact.key}"
        if artifact.key not in source.objects:
            raise PlanError(f"{name} does not hold {artifact}: {where} is missing; {repair}")
        if source.objects[artifact.key] != artifact.sha256:
            raise PlanError(
                f"{name} does not hold {artifact}: {where} has other bytes than its release; "
                f"delete that object, then {repair}"
            )
    for layer in source.release.layers:
        if source.digests[layer.name] != layer.sha256:
            raise PlanError(
                f"{name} runs {running[layer.name].arn}, whose bytes are not those of {layer}; "
                f"delete that layer version, then {repair}"
            )


def promotion(source: Source, canonical: Mapping[str, str]) -> tuple[Step, ...]:
    """The steps of a promotion; `canonical` is what the target has of the configuration, key -> ETag."""
    copy, configure = partial(plan_copy, source), partial(plan_canonical, source, canonical)
    return (copy, plan_publish, plan_record, plan_code, plan_attach, configure)


def plan_copy(source: Source, release: Release, environment: Environment, deployed: Deployed) -> Iterator[Action]:
    """Copy each archive that the target lacks."""
    for artifact in release.artifacts:
        if artifact.key not in deployed.objects:
            yield Copy(artifact, source.environment.bucket, source.environment.account, environment.bucket)


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
            here = source.environment
            yield CopyCanonical(key, here.canonical_bucket, here.account, environment.canonical_bucket, etag)


def _names(carried: Mapping[str, LayerVersion]) -> str:
    return ", ".join(f"{layer} {version.version}" for layer, version in carried.items())
