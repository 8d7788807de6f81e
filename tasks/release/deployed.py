"""What an environment holds, as it was observed, and what follows from that alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.release.artifacts import Artifact, Release, parse_description

__all__ = ["Deployed", "DeployedFunction", "LayerVersion", "unversioned"]


@dataclass(frozen=True)
class LayerVersion:
    """One published layer version: its ARN (which ends in AWS's number) and its description."""

    arn: str
    description: str

    @property
    def version(self) -> str:
        """Our version of its contents, empty if we did not publish it."""
        return parse_description(self.description)[0]

    def holds(self, artifact: Artifact) -> bool:
        """Whether these are the artifact's contents at its version."""
        return parse_description(self.description) == (artifact.version, artifact.tree[:16])


@dataclass(frozen=True)
class DeployedFunction:
    """A function as it is.

    layers       ARN -> size (bytes, zipped), in order
    revision     AWS's id of this configuration, empty if unknown
    code_sha256  of its package, in hex; `code_size` in bytes, zipped
    failed       whether its last update failed
    modules      the top-level modules of its package, as far as they were looked at
    """

    layers: Mapping[str, int]
    runtime: str
    architecture: str
    handler: str
    revision: str
    code_sha256: str
    code_size: int
    failed: bool = False
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Deployed:
    """What an environment holds now.

    objects    key -> SHA-256 (hex) of each of the release's archives that the bucket has
    layers     layer -> its layer versions, newest first
    functions  AWS name -> state, of those that exist
    record     the record of the release in question, if the bucket has one
    """

    objects: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[str, tuple[LayerVersion, ...]] = field(default_factory=dict)
    functions: Mapping[str, DeployedFunction] = field(default_factory=dict)
    record: Release | None = None

    def find(self, artifact: Artifact) -> LayerVersion | None:
        """The newest layer version with the artifact's contents, found by what it holds and never by its rank."""
        return next((version for version in self.layers.get(artifact.name, ()) if version.holds(artifact)), None)

    def found(self, release: Release) -> dict[str, str]:
        """The ARN of each layer whose artifact is published already."""
        return {layer.name: version.arn for layer in release.layers if (version := self.find(layer))}

    def running(self) -> dict[str, dict[str, LayerVersion]]:
        """For each function, the layer version it carries of each layer; a layer it does not carry is left out."""
        known = {version.arn: (layer, version) for layer, versions in self.layers.items() for version in versions}
        return {
            name: dict(known[arn] for arn in state.layers if arn in known) for name, state in self.functions.items()
        }


def unversioned(arn: str) -> str:
    """A layer version's ARN without its number: the layer's own."""
    return arn.rpartition(":")[0]
