"""Plain values that tests build on: a small project, artifacts, releases, and what an environment may hold of them."""

import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tasks.project.model import Environment
from tasks.project.release_toml import parse_project
from tasks.release.artifacts import Artifact, Kind, description
from tasks.release.deployed import CanonicalObject, Deployed, DeployedFunction
from tasks.release.functions import LayerVersion, State
from tasks.release.plan import Goal
from tasks.release.release import Release, Setting

RELEASE_TOML = """
[project]
name = "news"
runtimes = ["python3.11", "python3.12"]

[layers.core]
name = "news-core-{env}"
version_key = "CORE_VERSION"
source = "src/core"

[layers.deps]
name = "news-deps-{env}"
version_key = "DEPS_VERSION"
source = "src/deps"

[functions.ingest]
name = "news-ingest-{env}"
runtime = "python3.12"

[functions.letter]
name = "news-letter-{env}"
runtime = "python3.11"

[configuration]
canonical = "canonical"

[environments.dev]
account = "111122223333"
region = "eu-west-3"
bucket = "news-code-dev"
canonical_bucket = "news-config-dev"

[environments.stage]
account = "111122223333"
region = "eu-west-3"
bucket = "news-code-stage"
canonical_bucket = "news-config-stage"

[environments.prod]
account = "444455556666"
region = "eu-west-1"
bucket = "news-code-prod"
canonical_bucket = "news-config-prod"
"""
VERSION = "CORE_VERSION=1.2.4\nDEPS_VERSION=1.0.5\n"

PROJECT = parse_project(RELEASE_TOML)
DEV: Environment = PROJECT.environments["dev"]
STAGE: Environment = PROJECT.environments["stage"]
FOREIGN = "arn:aws:lambda:eu-west-3:999999999999:layer:tracing:7"


def artifact(layer: str = "core", version: str = "1.2.4", contents: str = "first") -> Artifact:
    """An artifact whose digests follow from its contents."""
    digest = hashlib.sha256(f"{layer} {contents}".encode()).hexdigest()
    runtimes = ("python3.11", "python3.12")
    return Artifact(layer, version, digest, digest[::-1], 100, 300, runtimes, "x86_64", (layer,))


def package(function: str = "ingest", contents: str = "first", modules: tuple[str, ...] = ("handler",)) -> Artifact:
    """A function's package."""
    made = artifact(function, "0" * 16, contents)
    return replace(made, modules=modules, handler="handler.run", kind=Kind.PACKAGE)


CORE = artifact("core")
DEPS = artifact("deps", "1.0.5")
SETTINGS = {"ingest": Setting("python3.12"), "letter": Setting("python3.11")}
MANIFEST = {"canonical/scopes.yaml": hashlib.sha256(b"a: 1\n").hexdigest()}
RELEASE = Release((CORE, DEPS), "abc1234", SETTINGS, MANIFEST)
GOAL = Goal(DEV, RELEASE)


def zipped(**files: str) -> bytes:
    """A ZIP archive in memory: `a__b=""` is the file a/b.py."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name.replace("__", "/") + ".py")
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, text)
    return buffer.getvalue()


ZIP = zipped(python__core="NAME = 'core'")


def arn(environment: Environment, layer: str, number: int) -> str:
    """The ARN of a layer version."""
    return f"arn:aws:lambda:{environment.region}:{environment.account}:layer:{environment.layer_names[layer]}:{number}"


def layer_version(of: Artifact, number: int = 1, environment: Environment = DEV) -> LayerVersion:
    """A published artifact."""
    return LayerVersion(arn(environment, of.name, number), description(of, "abc1234"), of.name)


def function(layers: Iterable[str | LayerVersion] = (), **facts: Any) -> DeployedFunction:
    """A function with some layers; facts are of its state, or of itself."""
    carried = tuple(each if isinstance(each, LayerVersion) else LayerVersion(each) for each in layers)
    state = State("python3.12", "x86_64", "handler.run", carried, "0" * 64)
    own = {name: facts.pop(name) for name in list(facts) if name in State.__dataclass_fields__}
    sizes = {each.arn: 50 for each in carried}
    known = {"revision": "r1", "layer_sizes": sizes, "code_size": 10}
    return DeployedFunction(replace(state, **own), **{**known, **facts})


def functions(
    layers: Iterable[str | LayerVersion], environment: Environment = DEV, release: Release = RELEASE
) -> dict[str, DeployedFunction]:
    """All functions of an environment with the same layers, each on the runtime and package that a release gives it."""
    carried = list(layers)
    found = {}
    for key, name in environment.function_names.items():
        facts = {"runtime": release.functions[key].runtime} if key in release.functions else {}
        if key in release.packages:
            facts["package"] = release.packages[key].sha256
        found[name] = function(carried, **facts)
    return found


def running(release: Release = RELEASE, environment: Environment = DEV) -> Deployed:
    """An environment in which everything is as the release says."""
    versions = {each.name: (layer_version(each, 1, environment),) for each in release.layers}
    carried: list[str | LayerVersion] = [FOREIGN, *(found[0] for found in versions.values())]
    return Deployed(
        objects={each.key: each.sha256 for each in release.artifacts},
        layers=versions,
        functions=functions(carried, environment, release),
        canonical={key: CanonicalObject(digest, "e1") for key, digest in release.canonical.items()},
        record=release,
    )
