"""Observe, plan, apply: the one way in which anything changes an environment.

A verb says which steps it takes. Everything is read and planned before the first change, a dry run is the same plan
shown and not performed, and a second run finds nothing to do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from tasks import console
from tasks.building import build_artifacts
from tasks.errors import PlanError, ReleaseError
from tasks.layers.workshop import Built, find_built
from tasks.release.actions import Action, Attach, Copy, Plan, Publish, UpdateCode, Upload, changes
from tasks.release.artifacts import Release, record_prefix
from tasks.release.deployed import Deployed
from tasks.release.plan import PUBLISH, UPDATE_LAMBDAS, UPLOAD, Step, plan, put_back
from tasks.release.project import Environment, Project
from tasks.release.promotion import Source, check_route, check_source, find_release, promotion, running_release
from tasks.site import Site, advising
from tasks.trying import smoke_test

if TYPE_CHECKING:  # tasks.aws imports boto3, which a command that needs no AWS must not wait for
    from tasks.aws.connection import Connection
    from tasks.aws.perform import Hands

__all__ = [
    "DEPLOY",
    "PUBLICATION",
    "UPDATE",
    "UPLOADING",
    "Verb",
    "release_archives",
    "release_built",
    "release_promoted",
]


@dataclass(frozen=True)
class Verb:
    """What a command does to an environment, in words and in steps."""

    doing: str
    done: str
    steps: tuple[Step, ...]


UPLOADING = Verb("Uploading to", "Upload to", UPLOAD)
PUBLICATION = Verb("Publishing to", "Publication to", PUBLISH)
UPDATE = Verb("Updating Lambdas in", "Update of", UPDATE_LAMBDAS)
DEPLOY = Verb("Deploying to", "Deployment to", UPDATE_LAMBDAS)


def release_built(site: Site, env: str, verb: Verb, *, layer: str = "", dry_run: bool) -> None:
    """Bring an environment to what the sources give now, as far as the verb goes. A dry run builds nothing either."""
    with advising(site):
        project = site.workspace.project()
        environment, names = project.environment(env), project.select(layer)
        bring = find_built if dry_run else build_artifacts
        built = bring(site.workspace, project, names)
        release_archives(site, environment, verb, built, dry_run=dry_run)


def release_archives(
    site: Site, environment: Environment, verb: Verb, built: Sequence[Built], *, dry_run: bool = False
) -> None:
    """Bring archives that were built and checked to an environment, as far as the verb goes."""
    release = Release(tuple(each.artifact for each in built), site.workspace.commit())
    console.say_start(f"{verb.doing} {environment.name} environment", release)
    archives = {each.artifact.name: each.path for each in built}
    prepared = _plan(site, environment, release, verb.steps, archives)
    if _apply(prepared, release, dry_run=dry_run):
        _smoke(site, site.workspace.project(), prepared)
        console.say_end(f"{verb.done} {environment.name} completed successfully!")


def release_promoted(site: Site, source: str, target: str, version: str, *, dry_run: bool) -> None:
    """Bring the release that `source` runs, which must be `version`, to `target`: the same bytes, nothing built."""
    from tasks.aws.observe import observe_canonical

    with advising(site):
        project = site.workspace.project()
        here, there = check_route(project, source, target, version)
        origin = _observe_source(site, here, version)
        console.say_start(f"Promoting from {here.name} to {there.name}", origin.release)
        steps = promotion(origin, observe_canonical(_connect(site, there)))
        prepared = _plan(site, there, origin.release, steps, {})
        if _apply(prepared, origin.release, dry_run=dry_run):
            _smoke(site, project, prepared)
            route = f"   {here.name} -> {there.name}"
            console.say_end("Promotion completed successfully!", route, f"   Version: {version}")


def _connect(site: Site, environment: Environment) -> "Connection":
    from tasks.aws.connection import connect

    return connect(environment, site.endpoint)


@dataclass(frozen=True)
class Prepared:
    """A plan, what it was made for, and the hands to perform it."""

    hands: "Hands"
    decided: Plan
    deployed: Deployed


def _plan(
    site: Site, environment: Environment, release: Release, steps: tuple[Step, ...], archives: Mapping[str, Path]
) -> Prepared:
    """Observe an environment and decide."""
    from tasks.aws.observe import observe
    from tasks.aws.perform import Hands

    connection = _connect(site, environment)
    deployed = observe(connection, release)
    decided = plan(steps, release, environment, deployed)
    if any(isinstance(action, Attach) for action in decided):
        _check_found(connection, release, deployed)
    return Prepared(Hands(connection, deployed.found(release), archives), decided, deployed)


def _check_found(connection: "Connection", release: Release, deployed: Deployed) -> None:
    """PlanError if a layer version that would be attached has other bytes than its description says."""
    from tasks.aws.observe import observe_digests

    found = {layer.name: version for layer in release.layers if (version := deployed.find(layer))}
    digests = observe_digests(connection, found)
    for layer in release.layers:
        if layer.name in found and digests[layer.name] != layer.sha256:
            raise PlanError(
                f"{found[layer.name].arn} says it holds {layer}, but its bytes are others; delete that layer version "
                "(aws lambda delete-layer-version) and run the same command again"
            )


def _observe_source(site: Site, environment: Environment, version: str) -> Source:
    """What an environment runs, once all that could be wrong with it has been ruled out."""
    from tasks.aws.observe import (
        observe_canonical,
        observe_digests,
        observe_functions,
        observe_objects,
        observe_records,
    )

    connection = _connect(site, environment)
    deployed = observe_functions(connection)
    running = running_release(environment, deployed, version)
    first = next(iter(running))
    records = observe_records(connection, record_prefix(f"{first} {version}"))
    release = find_release(environment, deployed, running, records)
    source = Source(
        environment=environment,
        release=release,
        objects=observe_objects(connection, release.artifacts),
        digests=observe_digests(connection, running),
        canonical=observe_canonical(connection),
    )
    check_source(source, running)
    return source


def _apply(prepared: Prepared, release: Release, *, dry_run: bool) -> bool:
    """Perform a plan, or only show it. False if there was nothing to do, or it was a dry run."""
    decided, hands = prepared.decided, prepared.hands
    environment = hands.connection.environment.name
    if not changes(decided):
        console.say_plan(decided)
        console.say("", f"[SUCCESS] {environment} is up to date", "")
        return False
    if dry_run:
        count = len(changes(decided))
        console.say("", f"[INFO] Dry run: {count} change{'s' * (count > 1)} to {environment}, none of them made:")
        console.say_plan(decided)
        return False
    for layer in release.layers:
        own = [each for each in decided if isinstance(each, Upload | Copy | Publish) and each.artifact == layer]
        console.heading(f"Deploying {layer.name} layer...")
        _perform(own, hands)
        if arn := hands.published.get(layer.name):
            console.say_layer(arn, published=any(isinstance(action, Publish) for action in own))
    rest = [each for each in decided if not (hasattr(each, "artifact") and each.artifact in release.layers)]
    for title, actions in groupby(rest, console.section):
        console.heading(title)
        if title == console.FUNCTIONS:
            console.say_arns({layer.name: hands.published[layer.name] for layer in release.layers})
        _perform(actions, hands)
    return True


def _perform(actions: Iterable[Action], hands: "Hands") -> None:
    """Do one after the other, stopping at the first that fails."""
    for action in actions:
        console.announce(action)
        hands.perform(action)
        console.say_done(action)


def _smoke(site: Site, project: Project, prepared: Prepared) -> None:
    """Where release.toml asks for it, see whether the functions start; if not, they get their former layers back."""
    changed = [action for action in prepared.decided if isinstance(action, Attach | UpdateCode)]
    if not project.smoke or not changed:
        return
    if site.endpoint and not find_spec("awslambdaric"):
        console.say("", "[SKIP] No smoke test: the sandbox runs functions with awslambdaric, which is for Linux alone")
        return
    try:
        smoke_test(site, prepared.hands.connection.environment.name)
    except (ReleaseError, KeyboardInterrupt) as error:
        lost = _put_back(prepared)
        kept = " Their packages stay the new ones." if any(isinstance(each, UpdateCode) for each in changed) else ""
        state = "The functions have their former layers again." if not lost else "Not all have their former layers:"
        lines = [
            str(error) or "Interrupted during the smoke test",
            f"   {state}{kept}",
            *(f"   {each}" for each in lost),
        ]
        raise ReleaseError("\n".join(lines)) from error


def _put_back(prepared: Prepared) -> list[str]:
    """Give every function its former layers, one failing or not; returns what failed."""
    console.heading("Putting the functions' layers back...")
    lost = []
    for action in put_back(prepared.decided, prepared.deployed):
        try:
            _perform([action], prepared.hands)
        except ReleaseError as error:
            lost.append(str(error))
    return lost
