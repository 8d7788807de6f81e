"""Observe, plan, apply: the one way in which anything changes an environment.

A verb says which steps it takes. Everything is read and planned before the first change, a dry run is the same plan
shown and not performed, and a second run finds nothing to do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks import console
from tasks.layers.workshop import Built, build_layer, find_built
from tasks.layers.workspace import Workspace
from tasks.release.actions import CopyCanonical, Plan, Publish, changes, layer_of
from tasks.release.artifacts import Artifact, Release
from tasks.release.plan import PUBLISH, UPDATE_LAMBDAS, UPLOAD, Step, plan
from tasks.release.project import Environment, Project
from tasks.release.promotion import Source, check_route, check_source, promotion, running_release
from tasks.site import Site

if TYPE_CHECKING:  # tasks.aws imports boto3, which a command that needs no AWS must not wait for
    from tasks.aws.perform import Hands

__all__ = ["DEPLOY", "PUBLICATION", "UPDATE", "UPLOADING", "Verb", "build_layers", "release_built", "release_promoted"]


@dataclass(frozen=True)
class Verb:
    """What a command does to an environment, in words and in steps."""

    doing: str
    done: str
    steps: tuple[Step, ...]


UPLOADING = Verb("Uploading", "Upload", UPLOAD)
PUBLICATION = Verb("Publishing", "Publication", PUBLISH)
UPDATE = Verb("Updating Lambdas and deploying", "Update", UPDATE_LAMBDAS)
DEPLOY = Verb("Deploying", "Deployment", UPDATE_LAMBDAS)


def build_layers(workspace: Workspace, project: Project, names: Iterable[str]) -> list[Built]:
    """Build layers, saying what comes out."""
    done = []
    for name in names:
        console.say(f"[INFO] Building layer {name}")
        built = build_layer(workspace, project, name)
        console.say_built(built.artifact, built.path.relative_to(workspace.root), cached=built.cached)
        done.append(built)
    return done


def release_built(site: Site, env: str, verb: Verb, *, layer: str = "", dry_run: bool) -> None:
    """Bring an environment to what the sources give now, as far as the verb goes. A dry run builds nothing either."""
    project = site.workspace.project()
    environment, names = project.environment(env), project.select(layer)
    bring = find_built if dry_run else build_layers
    built = bring(site.workspace, project, names)
    release = Release(tuple(each.artifact for each in built), site.workspace.commit())
    console.say_start(f"{verb.doing} to {env} environment", release)
    archives = {each.artifact.layer: each.path for each in built}
    hands, decided = _plan(site, environment, release, verb.steps, archives)
    if _apply(decided, release, hands, dry_run=dry_run):
        console.say_end(f"{verb.done} to {env} completed successfully!")


def release_promoted(site: Site, source: str, target: str, version: str, *, dry_run: bool) -> None:
    """Bring the release that `source` runs, which must be `version`, to `target`: the same bytes, nothing built."""
    here, there = check_route(site.workspace.project(), source, target)
    origin, release = _observe_source(site, here, version)
    console.say_start(f"Promoting from {here.name} to {there.name}", release)
    steps = promotion(origin, _observe_canonical(site, there))
    hands, decided = _plan(site, there, release, steps, {})
    if _apply(decided, release, hands, dry_run=dry_run):
        console.say_end(
            "Promotion completed successfully!", f"   {here.name} -> {there.name}", f"   Version: {version}"
        )


def _plan(
    site: Site, environment: Environment, release: Release, steps: tuple[Step, ...], archives: dict[str, Path]
) -> tuple["Hands", Plan]:
    """Observe an environment and decide; with the plan come the hands to perform it."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import observe
    from tasks.aws.perform import Hands

    connection = connect(environment, site.endpoint)
    deployed = observe(connection, release)
    return Hands(connection, deployed.found(release), archives), plan(steps, release, environment, deployed)


def _observe_source(site: Site, environment: Environment, version: str) -> tuple[Source, Release]:
    """What an environment runs, once all that could be wrong with it has been ruled out."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import observe_digests, observe_functions, observe_record

    connection = connect(environment, site.endpoint)
    deployed = observe_functions(connection)
    running = running_release(environment, deployed, version)
    record, objects = observe_record(connection, {layer: item.version for layer, item in running.items()})
    source = Source(
        environment=environment,
        record=record,
        objects=objects,
        digests=observe_digests(connection, running),
        canonical=_observe_canonical(site, environment),
    )
    return source, check_source(source, running)


def _observe_canonical(site: Site, environment: Environment) -> dict[str, str]:
    from tasks.aws.connection import connect
    from tasks.aws.observe import observe_canonical

    return observe_canonical(connect(environment, site.endpoint))


def _apply(decided: Plan, release: Release, hands: "Hands", *, dry_run: bool) -> bool:
    """Perform a plan, or only show it. False if there was nothing to do, or it was a dry run."""
    environment = hands.connection.environment.name
    if not changes(decided):
        for action in decided:
            console.announce(action)
        console.say("", f"[SUCCESS] {environment} is up to date")
        return False
    if dry_run:
        console.say_plan(decided, environment)
        return False
    for artifact in release.artifacts:
        _apply_layer(tuple(a for a in decided if layer_of(a) == artifact.layer), artifact, hands)
    _apply_rest(tuple(a for a in decided if not layer_of(a)), hands)
    return True


def _apply_layer(actions: Plan, artifact: Artifact, hands: "Hands") -> None:
    """One layer's section: its archive and its layer version."""
    console.heading(f"Deploying {artifact.layer} layer...")
    for action in actions:
        console.announce(action)
        hands.perform(action)
    if arn := hands.published.get(artifact.layer):
        console.say_layer(arn, published=any(isinstance(action, Publish) for action in actions))


def _apply_rest(actions: Plan, hands: "Hands") -> None:
    """What concerns the release as a whole: its record, the functions, the configuration."""
    section = ""
    for action in actions:
        if (title := console.section(action)) != section:
            section = title
            console.heading(title)
            if not isinstance(action, CopyCanonical):
                console.say_arns(hands.published)
        console.announce(action)
        hands.perform(action)
        console.say_done(action)
