"""Which release an environment runs, and whether it can be promoted one environment further.

A promoted release is never named by guesswork. It is read off the functions of the source environment (their layer
versions say which version and contents they are), then its record is looked up, and what the source holds must be
exactly what the record pins.
"""

from collections.abc import Iterable, Mapping

from tasks.errors import PlanError
from tasks.project.model import Environment, Project
from tasks.project.versions import is_version
from tasks.release.deployed import Deployed
from tasks.release.functions import LayerVersion
from tasks.release.journal import ADOPTED, Entry, ways_out
from tasks.release.release import Release


def check_route(project: Project, source: str, target: str, version: str) -> tuple[Environment, Environment]:
    """The two environments of a promotion; PlanError unless it goes exactly one environment further."""
    if not is_version(version):
        raise PlanError(f"--version {version!r} is not MAJOR.MINOR.PATCH; name the release as in VERSION: 1.2.3")
    to = project.environment(target, "--to")
    origin = project.environment(source or to.previous or target, "--from")
    if origin == to and not to.previous:
        raise PlanError(f"Nothing is promoted into {target}, the first environment; run: inv deploy --env {target}")
    # held by tests/release tests/test_engine.py
    if origin.name != to.previous:
        raise PlanError(
            f"Cannot promote from {origin.name} to {to.name}: {to.name} takes what {to.previous} runs; "
            f"run: inv promote --to {to.name} --version {version}"
        )
    return origin, to


def running_release(environment: Environment, deployed: Deployed, version: str) -> dict[str, LayerVersion]:
    """The layer version of each layer that the environment runs; PlanError unless that is one release, `version`."""
    repair = repair_command(environment, version)
    never = [layer for layer in environment.layer_names if not deployed.layers.get(layer)]
    if never:
        raise PlanError(
            f"Could not get layer version: {environment.name} never published {' and '.join(never)}; {repair}"
        )
    running = deployed.running()
    if not running:
        raise PlanError(f"{environment.name} runs nothing: none of its functions exists; create them first")
    # a layer that no function carries is no part of what runs: it may have been added since. Its record decides.
    first_layer, *rest = environment.layer_names
    wanted = [first_layer, *(layer for layer in rest if any(layer in carried for carried in running.values()))]
    for function, carried in running.items():
        missing = [layer for layer in wanted if layer not in carried or not carried[layer].version]
        if missing:
            raise PlanError(
                f"{function} runs no released version of {' and '.join(missing)}, so {environment.name} "
                f"runs no release; {repair}"
            )
    first, carried = next(iter(running.items()))
    for function, others in running.items():
        if others != carried:
            raise PlanError(
                f"The functions of {environment.name} run different releases: {first} runs {_names(carried)}, "
                f"{function} runs {_names(others)}; {repair}"
            )
    layer = first_layer
    commit = "" if environment.previous else "check out its commit, "
    if carried[layer].version != version:
        raise PlanError(
            f"{environment.name} does not run {layer} {version}: it runs {_names(carried)}; promote that with "
            f"--version {carried[layer].version}, or first bring {layer} {version} there: {commit}{repair} (if it ran "
            f"there before, run: inv rollback --env {environment.name} --to {version})"
        )
    return {layer: carried[layer] for layer in wanted}


def repair_command(environment: Environment, version: str = "VERSION") -> str:
    """What brings an environment to a release: deploying, or promoting where it is not the first.

    A version becomes part of a command only where it is one: it may come out of a bucket.
    """
    if environment.previous:
        # held by tests/release/test_promotion.py `is_version(version)`
        return f"run: inv promote --to {environment.name} --version {version if is_version(version) else 'VERSION'}"
    return f"run: inv deploy --env {environment.name}"


def find_release(
    environment: Environment,
    deployed: Deployed,
    running: Mapping[str, LayerVersion],
    records: Iterable[Release],
    entry: Entry | None,
) -> Release:
    """The record of what the environment runs; PlanError unless the journal's newest entry confirms that one."""
    name, repair = environment.name, repair_command(environment)
    if entry and entry.unfinished:
        raise PlanError(
            f"The {entry.title(name)} is not over, or was cut off (entry {entry.number}, {entry.who}). "
            f"{ways_out(name, entry)}"
        )
    # held by tests/test_adopt.py
    if entry and entry.runs == ADOPTED:
        raise PlanError(f"{name} runs what was changed by hand and adopted, which is no release; {repair}")
    for record in records:
        if entry and record.key == entry.runs and runs(environment, deployed, running, record):
            return record
    said = f"journal (entry {entry.number})" if entry else "journal"
    raise PlanError(
        f"{name} runs {_names(running)}: that, or a function's package, is not what its {said} and its record say; "
        f"{repair}"
    )


def runs(environment: Environment, deployed: Deployed, running: Mapping[str, LayerVersion], record: Release) -> bool:
    """Whether functions run the layers and the packages of a record."""
    packages = {
        deployed.functions[function].state.package == record.packages[key].sha256
        for key, function in environment.function_names.items()
        if key in record.packages and function in deployed.functions
    }
    layers = {layer.name for layer in record.layers if layer.name in running and running[layer.name].holds(layer)}
    # held by tests/release tests/test_engine.py `packages <= {True}`
    return layers == set(running) == {layer.name for layer in record.layers} and packages <= {True}


def check_source(
    environment: Environment, deployed: Deployed, running: Mapping[str, LayerVersion], release: Release
) -> None:
    """PlanError unless the source holds exactly the bytes that the release's record pins."""
    name, repair = environment.name, repair_command(environment)
    for artifact in release.artifacts:
        where = f"s3://{environment.bucket}/{artifact.key}"
        if artifact.key not in deployed.objects:
            raise PlanError(f"{name} does not hold {artifact}: {where} is missing; {repair}")
        # held by tests/release tests/test_engine.py
        if deployed.objects[artifact.key] != artifact.sha256:
            raise PlanError(
                f"{name} does not hold {artifact}: {where} has other bytes than its release; "
                f"delete that object, then {repair}"
            )
    for layer in release.layers:
        arn = running[layer.name].arn
        # held by tests/release tests/test_engine.py
        if deployed.digests[arn] != layer.sha256:
            raise PlanError(
                f"{name} runs {arn}, whose bytes are not those of {layer}; delete that layer version, then {repair}"
            )


def _names(carried: Mapping[str, LayerVersion]) -> str:
    return ", ".join(f"{layer} {version.version}" for layer, version in carried.items())
