"""What is released: artifacts, and the release that pins one of them per layer.

Two digests stand for an artifact, for two questions. The tree digest is what is *in* the archive and is its identity;
the SHA-256 of the archive's bytes is what S3 and Lambda must report back, a check of transport.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tasks.errors import PlanError

__all__ = ["Artifact", "Release", "description", "hex_digest", "parse_description", "parse_record", "record_key"]


@dataclass(frozen=True)
class Artifact:
    """One layer's archive at one version. Digests are lower-case hex; `size` and `unzipped` are bytes."""

    layer: str
    version: str
    tree: str
    sha256: str
    size: int
    unzipped: int
    runtimes: tuple[str, ...]
    architecture: str

    @property
    def key(self) -> str:
        """Where the archive is stored in an environment's bucket; written once, never overwritten."""
        return f"layers/{self.filename}"

    @property
    def filename(self) -> str:
        """The archive's file name: `vectora-core-1.2.4.zip`."""
        return f"{self.layer}-{self.version}.zip"

    @property
    def code_sha256(self) -> str:
        """The archive's SHA-256 as S3 (ChecksumSHA256) and Lambda (CodeSha256) write it: base64."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode("ascii")

    def __str__(self) -> str:
        return f"{self.layer} {self.version}"


@dataclass(frozen=True)
class Release:
    """The artifacts that belong together, in the order of release.toml, and the commit they were built from.

    The first artifact gives the release its version. `commit` is 7 hex digits, with `-dirty` behind it where files
    differed from that commit, or `none` outside git.
    """

    artifacts: tuple[Artifact, ...]
    commit: str

    @property
    def key(self) -> str:
        """Where the release's record is stored."""
        return record_key({artifact.layer: artifact.version for artifact in self.artifacts})

    def record(self) -> str:
        """The record, as JSON: everything promote needs to know without building anything."""
        artifacts = {artifact.layer: asdict(artifact) for artifact in self.artifacts}
        return json.dumps({"commit": self.commit, "artifacts": artifacts}, indent=2) + "\n"

    def only(self, layers: Mapping[str, object]) -> "Release":
        """The same release limited to some layers."""
        return Release(tuple(a for a in self.artifacts if a.layer in layers), self.commit)

    def __str__(self) -> str:
        return ", ".join(map(str, self.artifacts))


def record_key(versions: Mapping[str, str]) -> str:
    """Where a record is stored: its versions name it, since a version never changes contents."""
    return f"releases/{'_'.join(f'{layer}-{version}' for layer, version in versions.items())}.json"


def parse_record(text: str) -> Release:
    """The release that a record describes. PlanError if it is no record of ours."""
    try:
        document = json.loads(text)
        artifacts = tuple(
            Artifact(**{**artifact, "runtimes": tuple(artifact["runtimes"])})
            for artifact in document["artifacts"].values()
        )
        return Release(artifacts, document["commit"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PlanError(f"The release's record cannot be read ({error}); it was not written by this tool") from error


def hex_digest(base64_digest: str) -> str:
    """A SHA-256 as AWS writes it, in hex; empty for what digests no whole: nothing, or a multipart upload's `...-2`."""
    return base64.b64decode(base64_digest).hex() if base64_digest.endswith("=") else ""


def description(artifact: Artifact, commit: str) -> str:
    """What a layer version says of itself: its only free field, and at most 256 characters.

    Layers have no tags and ListLayerVersions returns no hash, so this is what answers "is this content published?".
    """
    return f"{artifact.version} tree:{artifact.tree[:16]} git:{commit}"


def parse_description(text: str) -> tuple[str, str]:
    """The version and the first 16 digits of the tree digest; two empty strings for a description that is not ours."""
    ours = re.fullmatch(r"(\d+\.\d+\.\d+) tree:([0-9a-f]{16}) git:\S+", text)
    return (ours[1], ours[2]) if ours else ("", "")
