"""From a release and what is deployed to what must change.

Every planner has run before anything is performed, so whatever it refuses, it refuses before the first change. A plan's
order is the order: artifact by artifact, then function by function, then the configuration. Planning again after
performing gives an empty plan.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tasks.errors import PlanError, one_line
from tasks.project.model import Environment
from tasks.release import actions
from tasks.release.actions import Action, Note
from tasks.release.arns import layer_key, parse_layer
from tasks.release.artifacts import Artifact, description
from tasks.release.deployed import Deployed, DeployedFunction
from tasks.release.functions import LayerVersion, State
from tasks.release.limits import check_function, hidden_modules, refuse_hiding
from tasks.release.release import Release


@dataclass(frozen=True)
class Goal:
    """What an environment is to become.

    source  where the archives come from: another environment, or None for this machine
    smoke   AWS name of a function -> payload (JSON) that makes it start and do no work; empty for no smoke test
    delete  whether configuration that the release no longer has is removed
    what    the command, as the journal notes it
    emergency why the rules of the house are left aside; empty if they are not
    work    function -> what its smoke test asked of AWS on the sandbox, as far as that is known
    """

    environment: Environment
    release: Release
    source: Environment | None = None
    smoke: Mapping[str, str] = field(default_factory=dict)
    delete: bool = False
    what: str = "deploy"
    emergency: str = ""
    work: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What to do, in order.

    prepare    archives, layer versions, what is kept, the record: nothing that runs changes
    switch     one change a function
    configure  one change an object of the configuration
    notes      what is left out, and what its owner should know
    """

    prepare: tuple[Action, ...] = ()
    switch: tuple[actions.Switch, ...] = ()
    configure: tuple[actions.Configure, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Everything that would change something; empty means that there is nothing to do."""
        return (*self.prepare, *self.switch, *self.configure)


Step: TypeAlias = Callable[[Goal, Deployed, Artifact], Iterator[Action]]


@dataclass(frozen=True)
class Steps:
    """How far a command goes: what is done for each artifact, and whether functions and configuration follow."""

    artifact: tuple[Step, ...]
    functions: bool = False


def plan(goal: Goal, deployed: Deployed, steps: Steps) -> Plan:
    """Everything that the steps would change."""
    refuse_unknown_layers(goal)
    # held by tests/release tests/test_engine.py
    refuse_hiding(goal.release.packages.values(), goal.release.layers)
    refuse_changed_contents(goal, deployed)
    # held by tests/release tests/test_engine.py
    refuse_other_bytes(goal, deployed)
    artifacts = [
        action
        for artifact in goal.release.artifacts
        for step in steps.artifact
        for action in step(goal, deployed, artifact)
    ]
    if not steps.functions:
        return Plan(tuple(artifacts))
    running = plan_running(goal, deployed)
    kept = (*plan_kept(goal.environment, running.switch), *plan_contents(goal, deployed, running.configure))
    prepare = (*artifacts, *kept, *plan_record(goal, deployed))
    notes = (*plan_notes(goal, deployed), *plan_aliases(running.switch, deployed))
    return replace(running, prepare=prepare, notes=notes)


def plan_running(goal: Goal, deployed: Deployed) -> Plan:
    """What would change of what runs: functions and configuration."""
    return Plan(switch=tuple(plan_switches(goal, deployed)), configure=tuple(plan_canonical(goal, deployed)))


def plan_upload(goal: Goal, deployed: Deployed, artifact: Artifact) -> Iterator[Action]:
    """Store the archive if the bucket lacks it."""
    here, source = goal.environment, goal.source
    if artifact.key in deployed.objects:
        return
    if source == here:
        if deployed.find(artifact):
            return
        raise PlanError(
            f"s3://{here.bucket}/{artifact.key} was pruned or deleted, so {here.name} cannot go back to {artifact}; "
            f"name another entry with --to; run: inv history --env {here.name}"
        )
    if source is None:
        yield actions.Upload(artifact, here.bucket)
    else:
        yield actions.Copy(artifact, source.bucket, source.account, here.bucket)


def plan_publish(goal: Goal, deployed: Deployed, artifact: Artifact) -> Iterator[Action]:
    """Publish a layer whose contents no layer version has."""
    here = goal.environment
    if artifact in goal.release.layers and not deployed.find(artifact):
        name = here.layer_names[artifact.name]
        yield actions.Publish(artifact, here.bucket, name, description(artifact, goal.release.commit))


UPLOAD = Steps((plan_upload,))
PUBLISH = Steps((*UPLOAD.artifact, plan_publish))
UPDATE_LAMBDAS = Steps(PUBLISH.artifact, functions=True)


def replaced_layers(decided: Plan) -> dict[str, tuple[str, str]]:
    """The layers that a plan exchanges on any function: layer -> its version before and after."""
    found = {}
    for switch in decided.switch:
        before = {layer.layer: layer.version for layer in switch.before.layers if layer.version}
        for layer in switch.after.layers:
            if layer.layer in before and layer.version not in ("", before[layer.layer]):
                found[layer.layer] = (before[layer.layer], layer.version)
    return found


def plan_record(goal: Goal, deployed: Deployed) -> Iterator[Action]:
    """Write the release down, before any function runs it."""
    here, release = goal.environment, goal.release
    # held by tests/release tests/test_engine.py `-> True`
    if deployed.record is None:
        yield actions.Record(release, here.bucket)
    elif deployed.record.artifacts != release.artifacts:
        raise PlanError(
            f"s3://{here.bucket}/{release.key} records other contents for {release}; "
            f"run: {bump_command(release.artifacts[0].name, here)}"
        )


def plan_switches(goal: Goal, deployed: Deployed) -> Iterator[actions.Switch]:
    """Bring every function to exactly the release's layer versions, package, runtime and handler.

    Layers that are not ours stay, in their places.
    """
    release, here = goal.release, goal.environment
    for key, function in here.function_names.items():
        there, package = deployed.functions.get(function), release.packages.get(key)
        if there is None:
            continue
        after = wanted_state(goal, key, there, deployed)
        check_function(function, there, after, (*release.layers, *([package] if package else [])))
        if not after.same(there.state) or there.failed:
            stored = package.key if package and package.sha256 != there.state.package else ""
            # held by tests/release tests/test_engine.py `there.revision -> ''`
            yield actions.Switch(
                function, there.state, after, here.bucket, stored, there.revision, forced=bool(there.failed)
            )


def wanted_state(goal: Goal, key: str, there: DeployedFunction, deployed: Deployed) -> State:
    """What a function is to run, given what it runs now: what the release does not speak of stays."""
    release, now = goal.release, there.state
    package, setting = release.packages.get(key), release.functions.get(key)
    return State(
        runtime=setting.runtime if setting else now.runtime,
        architecture=now.architecture,
        handler=(package.handler if package else setting.handler if setting else "") or now.handler,
        layers=merge_layers(now.layers, goal, deployed),
        package=package.sha256 if package else now.package,
    )


def merge_layers(current: tuple[LayerVersion, ...], goal: Goal, deployed: Deployed) -> tuple[LayerVersion, ...]:
    """A function's layers with the release's in the places of ours, in its order; foreign ones stay, missing follow.

    UpdateFunctionConfiguration replaces the whole list, so what is left out here is taken off the function: only what
    we attached ourselves, and the release does not have.
    """
    here, commit = goal.environment, goal.release.commit
    ours = {}
    for artifact in goal.release.layers:
        pending = LayerVersion("", description(artifact, commit), artifact.name)
        ours[layer_key(here, artifact.name)] = deployed.find(artifact) or pending
    wanted, merged = iter(ours.values()), list[LayerVersion]()
    for name, layer in {parse_layer(layer.arn).layer: layer for layer in current}.items():
        if name in ours:
            merged.append(next(wanted))
        # held by tests/release tests/test_engine.py `-> True`
        elif name not in deployed.ours:
            merged.append(layer)
    return (*merged, *wanted)


def plan_notes(goal: Goal, deployed: Deployed) -> Iterator[Note]:
    """What is left out or stays as it is, and should be known."""
    release, here = goal.release, goal.environment
    for key, function in here.function_names.items():
        there = deployed.functions.get(function)
        if there is None:
            yield Note(f"Lambda not found: {function} (create it, then run the same command again)", skipped=True)
        elif key not in release.packages and (hidden := hidden_modules(there.modules, release.layers)):
            named = " and ".join(f"{module} (of {layer})" for module, layer in hidden.items())
            yield Note(f"{function} has its own {named} in its package, which hides the layer; take it out of there")
    extra = [key for key in deployed.canonical if key not in release.canonical]
    if release.canonical and extra and not goal.delete:
        listed = one_line(", ".join(extra[:3])) + (f" and {len(extra) - 3} more" if len(extra) > 3 else "")  # noqa: PLR2004
        yield Note(f"s3://{here.canonical_bucket} has {listed}, not in the release; removed only with --delete")


def plan_aliases(switches: Iterable[actions.Switch], deployed: Deployed) -> Iterator[Note]:
    """Who goes on running what was there before: published versions do not change, and aliases stay where they are."""
    for switch in switches:
        for alias, version in deployed.aliases.get(switch.function, {}).items():
            yield Note(
                f"Callers of {switch.function}:{alias} go on with version {version}, which stays as it is; publish a "
                f"version afterwards and point {alias} to it"
            )


def plan_kept(here: Environment, switches: Iterable[actions.Switch]) -> Iterator[Action]:
    """Keep every package that is going to be replaced, whoever made it."""
    for switch in switches:
        if switch.package_key:
            yield actions.KeepPackage(switch.function, switch.before.package, here.bucket)


def plan_canonical(goal: Goal, deployed: Deployed) -> Iterator[actions.Configure]:
    """Give every object of the configuration the contents that the release pins.

    What the release does not have is removed only if that was asked for, and never all of it: an empty folder is more
    likely a mistake than a wish.
    """
    here, wanted, there = goal.environment, goal.release.canonical, deployed.canonical
    for key, digest in wanted.items():
        found = there.get(key)
        if found is None or found.sha256 != digest:
            before, etag = (found.sha256, found.etag) if found else ("", "")
            yield actions.Configure(key, here.canonical_bucket, before, digest, actions.contents_key(digest), etag)
    # held by tests/release tests/test_engine.py `wanted`
    if wanted and goal.delete:
        for key, found in there.items():
            if key not in wanted:
                yield actions.Configure(key, here.canonical_bucket, found.sha256, "", "", found.etag)


def plan_contents(goal: Goal, deployed: Deployed, configure: Iterable[actions.Configure]) -> Iterator[Action]:
    """Store all configuration of a release that is new here, and keep what it replaces.

    Also what is in place already is stored: promoting and going back rest on it.
    """
    here, source, bucket, owner = goal.environment, goal.source, "", ""
    if source:
        bucket, owner = source.bucket, source.account
    changing = {change.key for change in configure if change.after}
    seen: set[str] = set()
    for key, digest in goal.release.canonical.items():
        if digest not in seen and (deployed.record is None or key in changing):
            seen.add(digest)
            yield actions.Store(key, digest, here.bucket, bucket, owner)
    for change in configure:
        if change.before:
            yield actions.KeepObject(change.key, here.canonical_bucket, change.before, here.bucket)


def taken_over(goal: Goal, deployed: Deployed) -> Goal:
    """The goal with archives that are stored already in the place of those that were built here from the same files.

    What is in an archive is its identity; whatever compressed it is not.
    """
    recorded = {each.key: each for each in deployed.record.artifacts} if deployed.record else {}

    def stored(artifact: Artifact) -> Artifact:
        there = recorded.get(artifact.key)
        # held by tests/release tests/test_engine.py
        if artifact.key in deployed.trees and deployed.trees[artifact.key] != artifact.tree:
            return artifact  # what is stored is something else, whatever a record says
        if there and artifact.key in deployed.objects:
            return replace(artifact, sha256=there.sha256, size=there.size, bill=there.bill)
        if artifact.key in deployed.trees:
            return replace(artifact, sha256=deployed.objects[artifact.key])
        return artifact

    artifacts = tuple(stored(each) for each in goal.release.artifacts)
    return replace(goal, release=replace(goal.release, artifacts=artifacts))


def refuse_unknown_layers(goal: Goal) -> None:
    """PlanError if a release of before has a layer that release.toml does not name any more."""
    for layer in goal.release.layers:
        # held by tests/release tests/test_engine.py
        if layer.name not in goal.environment.layer_names:
            raise PlanError(
                f"This release has the layer {layer}, and release.toml has no [layers.{layer.name}] any more; put that "
                "table back, then run the same command again"
            )


def refuse_changed_contents(goal: Goal, deployed: Deployed) -> None:
    """One version, one content: PlanError if this environment knows an artifact's version with other contents."""
    here, known = goal.environment, list[str]()
    for artifact in goal.release.artifacts:
        # held by tests/release tests/test_engine.py `-> deployed.objects.get(artifact.key) or artifact.sha256`
        stored = deployed.objects.get(artifact.key, artifact.sha256)
        published = [v for v in deployed.layers.get(artifact.name, ()) if v.version == artifact.version]
        other = next((v.arn for v in published if not v.holds(artifact)), None)
        if stored != artifact.sha256:
            other = f"s3://{here.bucket}/{artifact.key}"
        if other:
            bump = bump_command(artifact.name, here)
            known.append(f"{artifact} exists in {here.name} with other contents ({other}); run: {bump}")
    if known:
        raise PlanError("\n".join(known))


def refuse_other_bytes(goal: Goal, deployed: Deployed) -> None:
    """PlanError if a layer version that would be attached has other bytes than its description says."""
    for layer in goal.release.layers:
        found = deployed.find(layer)
        if found and deployed.digests.get(found.arn, layer.sha256) != layer.sha256:
            raise PlanError(
                f"{found.arn} says it holds {layer}, but its bytes are others; delete that layer version "
                "(aws lambda delete-layer-version) and run the same command again"
            )


def bump_command(name: str, environment: Environment) -> str:
    """The command that gives an artifact a version of its own."""
    option = "" if name == next(iter(environment.layer_names)) else f" --layer {name}"
    return f"inv bump --part patch{option}"
