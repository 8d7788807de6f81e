"""The changes this tool can make, as values. `str(action)` is its line in the plan, in the log and in the error.

Actions name artifacts, not ARNs: an ARN does not exist before its layer is published, and the whole plan must exist
before the first change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tasks.release.artifacts import Artifact, Release

__all__ = [
    "Action",
    "Attach",
    "Copy",
    "CopyCanonical",
    "Plan",
    "Publish",
    "Record",
    "Skip",
    "UpdateCode",
    "Upload",
    "Warn",
    "changes",
]


@dataclass(frozen=True)
class Upload:
    """Put a built archive into the environment's bucket."""

    artifact: Artifact
    bucket: str

    def __str__(self) -> str:
        return f"Uploading to s3://{self.bucket}/{self.artifact.key}"


@dataclass(frozen=True)
class Copy:
    """Copy an archive, byte for byte, from the bucket `source`, which the account `owner` owns."""

    artifact: Artifact
    source: str
    owner: str
    bucket: str

    def __str__(self) -> str:
        return f"Copying s3://{self.source}/{self.artifact.key} to s3://{self.bucket}/{self.artifact.key}"


@dataclass(frozen=True)
class Publish:
    """Make a layer version of an archive that the bucket holds."""

    artifact: Artifact
    bucket: str
    layer_name: str
    description: str

    def __str__(self) -> str:
        return f"Publishing layer {self.layer_name}"


@dataclass(frozen=True)
class Record:
    """Write down which artifacts belong to the release."""

    release: Release
    bucket: str

    def __str__(self) -> str:
        return f"Recording release s3://{self.bucket}/{self.release.key}"


@dataclass(frozen=True)
class UpdateCode:
    """Give a function a package that the bucket holds. `revision` as in `Attach`."""

    function: str
    artifact: Artifact
    bucket: str
    revision: str

    def __str__(self) -> str:
        return f"Updating code of {self.function}..."


@dataclass(frozen=True)
class Attach:
    """Give a function its layers: ARNs as they are, and artifacts for the ARN that each gets or has.

    `handler` is set with them, unless it is empty. `revision` is AWS's id of the configuration this was decided on,
    empty if unknown.
    """

    function: str
    layers: tuple[str | Artifact, ...]
    handler: str
    revision: str

    def arns(self, published: Mapping[str, str]) -> tuple[str, ...]:
        """The ARNs, once every layer has one: `published` maps a layer to its ARN."""
        return tuple(layer if isinstance(layer, str) else published[layer.name] for layer in self.layers)

    def __str__(self) -> str:
        return f"Updating {self.function}..."


@dataclass(frozen=True)
class CopyCanonical:
    """Copy one object of the configuration that travels with a release; `etag` is what it must still be."""

    key: str
    source: str
    owner: str
    bucket: str
    etag: str

    def __str__(self) -> str:
        return f"Copying {self.key} to s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Skip:
    """Not a change: a function that does not exist (yet), left out with a warning."""

    function: str

    def __str__(self) -> str:
        return f"Lambda not found: {self.function}"


@dataclass(frozen=True)
class Warn:
    """Not a change: something about a function that its owner should know."""

    function: str
    text: str

    def __str__(self) -> str:
        return f"{self.function} {self.text}"


Action: TypeAlias = Upload | Copy | Publish | Record | UpdateCode | Attach | CopyCanonical | Skip | Warn
Plan: TypeAlias = tuple[Action, ...]


def changes(plan: Plan) -> Plan:
    """The part of a plan that would change something; empty means up to date."""
    return tuple(action for action in plan if not isinstance(action, Skip | Warn))
