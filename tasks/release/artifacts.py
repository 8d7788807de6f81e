"""What is released: artifacts, and the release that pins one of them per layer and per function package.

Two digests stand for an artifact, for two questions. The tree digest is what is *in* the archive and is its identity;
the SHA-256 of the archive's bytes is what S3 and Lambda must report back, a check of transport.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tasks.errors import PlanError

__all__ = [
    "Artifact",
    "Release",
    "artifact_from_json",
    "description",
    "hex_digest",
    "parse_description",
    "parse_record",
    "record_prefix",
    "top_modules",
]

_SITE = re.compile(r"python/(lib/python3\.\d+/site-packages/)?")


@dataclass(frozen=True)
class Artifact:
    """One layer's archive, or one function's package, at one version.

    Digests are lower-case hex; `size` and `unzipped` are bytes; `modules` are the top-level modules it brings.
    `handler` is set for a function's package alone, and tells the two apart.
    """

    name: str
    version: str
    tree: str
    sha256: str
    size: int
    unzipped: int
    runtimes: tuple[str, ...]
    architecture: str
    modules: tuple[str, ...]
    handler: str = ""

    @property
    def key(self) -> str:
        """Where the archive is stored in an environment's bucket; written once, never overwritten."""
        return f"{'functions' if self.handler else 'layers'}/{self.filename}"

    @property
    def bill_key(self) -> str:
        """Where its bill of materials is stored, beside it."""
        return self.key.removesuffix(".zip") + ".cdx.json"

    @property
    def filename(self) -> str:
        """The archive's file name: `vectora-core-1.2.4.zip`."""
        return f"{self.name}-{self.version}.zip"

    @property
    def code_sha256(self) -> str:
        """The archive's SHA-256 as S3 (ChecksumSHA256) and Lambda (CodeSha256) write it: base64."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode("ascii")

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Release:
    """The artifacts that belong together, in the order of release.toml, and the commit they were built from.

    Layers come first, and the first of them gives the release its version. `commit` is 7 hex digits, with `-dirty`
    behind it where files differed from that commit, or `none` outside git.
    """

    artifacts: tuple[Artifact, ...]
    commit: str

    @property
    def layers(self) -> tuple[Artifact, ...]:
        """The artifacts that are layers."""
        return tuple(artifact for artifact in self.artifacts if not artifact.handler)

    @property
    def packages(self) -> dict[str, Artifact]:
        """The artifacts that are functions' packages, by function."""
        return {artifact.name: artifact for artifact in self.artifacts if artifact.handler}

    @property
    def key(self) -> str:
        """Where the release's record is stored: by its version, and by what every artifact is."""
        identity = "".join(f"{artifact} {artifact.tree}\n" for artifact in self.artifacts)
        digest = hashlib.sha256(identity.encode()).hexdigest()
        return f"{record_prefix(str(self.artifacts[0]))}{digest[:16]}.json"

    def record(self) -> str:
        """The record, as JSON: everything promote needs to know without building anything."""
        return json.dumps({"commit": self.commit, "artifacts": list(map(asdict, self.artifacts))}, indent=2) + "\n"

    def __str__(self) -> str:
        return ", ".join(map(str, self.artifacts))


def record_prefix(first: str) -> str:
    """What the keys of all releases begin with whose first layer is `first`, such as `vectora-core 1.2.4`."""
    return f"releases/{first.replace(' ', '-')}/"


def artifact_from_json(entry: Mapping[str, Any]) -> Artifact:
    """An artifact as `dataclasses.asdict` wrote it; what stands beside its fields is ignored."""
    facts = {name: entry[name] for name in Artifact.__dataclass_fields__}
    return Artifact(**{**facts, "runtimes": tuple(facts["runtimes"]), "modules": tuple(facts["modules"])})


def parse_record(contents: bytes) -> Release:
    """The release that a record describes. PlanError if it is no record of ours."""
    try:
        document = json.loads(contents.decode("utf-8"))
        return Release(tuple(map(artifact_from_json, document["artifacts"])), document["commit"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PlanError(f"The release's record cannot be read ({error}); it was not written by this tool") from error


def hex_digest(base64_digest: str) -> str:
    """A SHA-256 as AWS writes it, in hex; empty for what digests no whole: nothing, or a multipart upload's `...-2`."""
    return base64.b64decode(base64_digest).hex() if base64_digest.endswith("=") else ""


def top_modules(names: Iterable[str]) -> tuple[str, ...]:
    """The top-level modules among the files of a layer (below python/) or of a function's package, sorted."""
    found = set()
    for name in names:
        first, *rest = _SITE.sub("", name, count=1).split("/")
        module = first if rest else re.sub(r"\.(py|so|(cpython-\w+[\w-]*|abi3)\.so)$", "", first)
        if module.isidentifier() and (rest or module != first):
            found.add(module)
    return tuple(sorted(found))


def description(artifact: Artifact, commit: str) -> str:
    """What a layer version says of itself: its only free field, and at most 256 characters.

    Layers have no tags and ListLayerVersions returns no hash, so this is what answers "is this content published?".
    """
    return f"{artifact.version} tree:{artifact.tree[:16]} git:{commit}"


def parse_description(text: str) -> tuple[str, str]:
    """The version and the first 16 digits of the tree digest; two empty strings for a description that is not ours."""
    ours = re.fullmatch(r"(\d+\.\d+\.\d+) tree:([0-9a-f]{16}) git:\S+", text)
    return (ours[1], ours[2]) if ours else ("", "")
