"""What an environment holds, as it was observed, and what follows from that alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from tasks.errors import one_line
from tasks.project.model import Environment
from tasks.release import actions
from tasks.release.actions import Outcome
from tasks.release.artifacts import Artifact, parse_description
from tasks.release.functions import LayerVersion, State
from tasks.release.release import Release


@dataclass(frozen=True)
class Facts:
    """What a function is besides what a switch changes: seconds, MB, names of its environment variables, tags.

    `modified` is when anything about it was last changed, as `2026-11-21 18:00:00 UTC`; `variables` is None where it
    may not be read.
    """

    timeout: int = 0
    memory: int = 0
    variables: tuple[str, ...] | None = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    modified: str = ""


@dataclass(frozen=True)
class DeployedFunction:
    """A function as it is.

    revision     AWS's id of this state, empty if unknown
    layer_sizes  ARN -> bytes, zipped; `code_size` in bytes, zipped
    failed       why its last update failed; empty if it did not
    modules      the top-level modules of its package, as far as they were looked at
    facts        what releases leave alone
    """

    state: State
    revision: str
    layer_sizes: Mapping[str, int] = field(default_factory=dict)
    code_size: int = 0
    failed: str = ""
    modules: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class CanonicalObject:
    """One object of the configuration: the SHA-256 (hex) of its contents, and its ETag."""

    sha256: str
    etag: str = ""


@dataclass(frozen=True)
class Deployed:
    """What an environment holds now.

    objects    key -> SHA-256 (hex) of each of the release's archives that the bucket has
    layers     layer -> its layer versions, newest first
    functions  AWS name -> what it runs, of those that exist
    digests    ARN -> SHA-256 (hex) of layer versions that were found, and that no function carries yet
    canonical  key -> contents of the configuration, below the prefixes of release.toml
    record     the record of the release in question, if the bucket has one
    trees      key -> tree digest of archives that the bucket has with other bytes than were built
    ours       every layer that a deployment of ours ever attached here, as `parse_layer` names them
    aliases    AWS name of a function -> its aliases that lead to a published version, with that version
    """

    objects: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[str, tuple[LayerVersion, ...]] = field(default_factory=dict)
    functions: Mapping[str, DeployedFunction] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    canonical: Mapping[str, CanonicalObject] = field(default_factory=dict)
    record: Release | None = None
    trees: Mapping[str, str] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def find(self, artifact: Artifact) -> LayerVersion | None:
        """The newest layer version with the artifact's contents, found by what it holds and never by its rank."""
        return next((version for version in self.layers.get(artifact.name, ()) if version.holds(artifact)), None)

    def found(self, release: Release) -> dict[str, str]:
        """The ARN of each layer whose artifact is published."""
        return {layer.name: version.arn for layer in release.layers if (version := self.find(layer))}

    def resolve(self, state: State) -> State:
        """The same state with the ARN of every layer that has been published since."""
        return replace(state, layers=tuple(self._published(layer) for layer in state.layers))

    def _published(self, layer: LayerVersion) -> LayerVersion:
        """A layer version with its ARN, if it has one by now."""
        if layer.arn:
            return layer
        wanted = parse_description(layer.description)
        published = self.layers.get(layer.layer, ())
        return next((each for each in published if parse_description(each.description) == wanted), layer)

    def running(self) -> dict[str, dict[str, LayerVersion]]:
        """For each function, the layer version it carries of each layer of ours; what it does not carry is left out."""
        return {
            name: {layer.layer: layer for layer in function.state.layers if layer.layer}
            for name, function in self.functions.items()
        }

    def after(self, outcome: Outcome) -> "Deployed":
        """The environment once an action was performed."""
        match outcome.action:
            case actions.Upload(artifact=artifact) | actions.Copy(artifact=artifact):
                return replace(self, objects={**self.objects, artifact.key: artifact.sha256})
            case actions.Publish(artifact=artifact, description=text):
                made = LayerVersion(outcome.arn, text, artifact.name)
                versions = (made, *self.layers.get(artifact.name, ()))
                return replace(self, layers={**self.layers, artifact.name: versions})
            case actions.Record(release=release):
                return replace(self, record=release)
            case actions.Switch():
                there = self.functions[outcome.action.function]
                state = self.resolve(outcome.action.after)
                switched = replace(there, state=state, revision=outcome.revision, failed="")
                return replace(self, functions={**self.functions, outcome.action.function: switched})
            case actions.Configure(key=key, after=digest):
                others = {name: each for name, each in self.canonical.items() if name != key}
                now = {key: CanonicalObject(digest, outcome.etag)} if digest else {}
                return replace(self, canonical={**others, **now})
            case actions.Store() | actions.KeepPackage() | actions.KeepObject():
                return self
            case _:
                assert_never(outcome.action)


def _fact_changes(was: Facts, now: Facts) -> list[str]:
    """How settings differ that releases leave alone; of environment variables the names."""
    lines = [f"timeout {was.timeout} s -> {now.timeout} s"] if was.timeout != now.timeout else []
    lines += [f"memory {was.memory} MB -> {now.memory} MB"] if was.memory != now.memory else []
    names, others = set(was.variables or ()), set(now.variables or ())
    lines += [f"- environment variable {each}" for each in sorted(names - others)]
    return lines + [f"+ environment variable {each}" for each in sorted(others - names)]


def environment_changes(before: tuple[Environment, Deployed], after: tuple[Environment, Deployed]) -> list[str]:
    """How two environments differ in their functions (by their names in release.toml) and in their configuration."""
    (old_names, old), (new_names, new) = ((each.function_names, deployed) for each, deployed in (before, after))
    lines = []
    for key, name in old_names.items():
        there, other = old.functions.get(name), new.functions.get(new_names.get(key, ""))
        if (there is None) != (other is None):
            lines.append(f"{key}: exists in {(after if there is None else before)[0].name} alone")
        elif there and other:
            for what in ("runtime", "architecture", "handler", "package"):
                was, now = (str(getattr(each.state, what)) for each in (there, other))
                lines += [f"{key}: {what} {was[:20]} -> {now[:20]}"] if was != now else []
            lines += [f"{key}: {text}" for text in _fact_changes(there.facts, other.facts)]
    for name in sorted(old.canonical.keys() | new.canonical.keys()):
        had, has = ((each.canonical[name].sha256 if name in each.canonical else "") for each in (old, new))
        if had != has:
            lines.append(one_line(f"{'+' if not had else '-' if not has else '~'} {name}"))
    return lines
