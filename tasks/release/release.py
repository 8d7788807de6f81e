"""A release: artifacts that belong together, how functions are set to use them, and its record.

The record is written once, under a key that follows from everything in the release, so that a record which was
exchanged or edited no longer fits its key.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tasks.errors import PlanError, has_control, one_line
from tasks.release.artifacts import Artifact, Kind
from tasks.release.codec import decode, encode

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){2}|[0-9a-f]{16}")
_COMMIT = re.compile(r"([0-9a-f]{7,40}|none)?(-dirty)?")


@dataclass(frozen=True)
class Setting:
    """How a release sets a function: `handler` is empty where the function keeps its own."""

    runtime: str
    handler: str = ""


@dataclass(frozen=True)
class Release:
    """Artifacts in the order of release.toml, layers first; the first of them gives the release its version.

    commit     7 hex digits, with `-dirty` behind them where files differed, or `none` outside git: a hint, no identity
    functions  function -> how it is set
    canonical  key in the configuration bucket -> SHA-256 (hex)
    archives   the format that the artifacts were packed in (`ARCHIVES`); records of the first do not say so
    """

    artifacts: tuple[Artifact, ...]
    commit: str
    functions: Mapping[str, Setting] = field(default_factory=dict)
    canonical: Mapping[str, str] = field(default_factory=dict)
    archives: int = 1

    @property
    def layers(self) -> tuple[Artifact, ...]:
        """The artifacts that are layers."""
        return tuple(artifact for artifact in self.artifacts if artifact.kind is Kind.LAYER)

    @property
    def packages(self) -> dict[str, Artifact]:
        """The artifacts that are functions' packages, by function."""
        return {artifact.name: artifact for artifact in self.artifacts if artifact.kind is Kind.PACKAGE}

    @property
    def version(self) -> str:
        """The first layer's version, which names the release."""
        return self.artifacts[0].version

    @property
    def identity(self) -> str:
        """16 hex digits that stand for everything in the release but its commit."""
        # held by tests/release tests/test_engine.py `artifact.tree -> ''`
        lines = [f"{artifact} {artifact.tree}" for artifact in self.artifacts]
        # held by tests/release tests/test_engine.py `setting.handler -> ''`
        lines += [f"{name} {setting.runtime} {setting.handler}" for name, setting in sorted(self.functions.items())]
        lines += [f"{key} {digest}" for key, digest in sorted(self.canonical.items())]
        return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()[:16]

    @property
    def key(self) -> str:
        """Where the release's record is stored."""
        return f"{record_prefix(str(self.artifacts[0]))}{self.identity}.json"

    def __str__(self) -> str:
        return ", ".join(str(artifact) for artifact in self.layers)


def record_prefix(first: str) -> str:
    """What the keys of all releases begin with whose first layer is `first`, such as `vectora-core 1.2.4`."""
    return f"releases/{first.replace(' ', '-')}/"


def write_record(release: Release) -> bytes:
    """The record: everything that promoting and rolling back need to know without building anything."""
    # held by tests/test_stored.py tests/release/test_release.py
    return encode(release, without=("archives",) if release.archives == 1 else ())


def _is_well_formed(release: Release) -> bool:
    """Whether names, versions and texts have the forms that they are written in: they are shown, and typed."""
    named = all(_NAME.fullmatch(each.name) and _VERSION.fullmatch(each.version) for each in release.artifacts)
    texts = [*release.functions, *release.canonical, *release.canonical.values()]
    texts += [text for each in release.artifacts for text in (each.tree, each.sha256, each.handler)]
    texts += [text for each in release.functions.values() for text in (each.runtime, each.handler)]
    return named and not any(map(has_control, texts)) and bool(_COMMIT.fullmatch(release.commit))


def read_record(contents: bytes, key: str) -> Release:
    """The release that the record under `key` describes. PlanError if it is damaged, or belongs under another key."""
    release, schema = decode(contents, Release, key)
    # held by tests/release tests/test_engine.py
    if schema == 1:  # kinds were not written then: a package was what had a handler
        kinds = {True: Kind.PACKAGE, False: Kind.LAYER}
        release = replace(release, artifacts=tuple(replace(a, kind=kinds[bool(a.handler)]) for a in release.artifacts))
    # held by tests/release/test_release.py
    if not _is_well_formed(release):
        raise PlanError(f"{one_line(key)} was not written by this tool: no name or version has such a form; delete it")
    # held by tests/release tests/test_engine.py `release.key != key`
    if not release.artifacts or release.key != key:
        raise PlanError(f"{key} is not the record that was written there: it describes another release")
    return release
