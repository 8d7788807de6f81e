"""A project as values: the layers, functions and environments of one release.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeVar

from tasks.errors import ConfigError, meant
from tasks.project.runtimes import Runtime

T = TypeVar("T")
CONFIGURATION = "configuration"
"""What `inv bump --layer` calls the version of [configuration]."""


@dataclass(frozen=True)
class Layer:
    """A layer to build, from our own `source` folder or from pinned `requirements`: one of the two, as paths.

    `max_zipped_mb` and `max_unzipped_mb` are its budget, in megabytes of 1,000,000 bytes; 0 means Lambda's limits.
    """

    name: str
    version_key: str
    source: str = ""
    requirements: str = ""
    max_zipped_mb: int = 0
    max_unzipped_mb: int = 0


@dataclass(frozen=True)
class Function:
    """A Lambda function that carries the layers; `runtime` is AWS's identifier.

    `smoke` is a payload (JSON) that makes it start and do no work.
    With a `source` folder its package is built and released too, and `handler` says where it begins. Its version is
    the one under `version_key`, or without that follows from its contents. `timeout` (seconds), `memory` (MB) and
    the names of environment `variables` are what it should have, 0 and none where nobody says: the sandbox gives the
    first two, `inv verify` compares all of them, and nothing here changes them.
    """

    name: str
    runtime: str
    source: str = ""
    handler: str = ""
    version_key: str = ""
    smoke: str = "{}"
    timeout: int = 0
    memory: int = 0
    variables: tuple[str, ...] = ()


@dataclass(frozen=True)
class EndToEnd:
    """The whole pipeline: which functions run one after the other, and the object that shows that it worked.

    "{env}" and "{client_id}" stand in `bucket` and `key` for what is run.
    """

    functions: tuple[str, ...] = ()
    bucket: str = ""
    key: str = ""


@dataclass(frozen=True)
class Environment:
    """One place a release can go to, with every AWS name in it spelled out.

    `layer_names` and `function_names` map the names in release.toml to those on AWS, layers in order of attachment.
    `previous` is the environment that is promoted into this one, empty for the first. `canonical` are the prefixes in
    `canonical_bucket` whose objects are part of a release. With `confirm` it is changed only once somebody agrees.
    """

    name: str
    account: str
    region: str
    profile: str
    bucket: str
    canonical_bucket: str
    previous: str
    layer_names: Mapping[str, str]
    function_names: Mapping[str, str]
    canonical: tuple[str, ...] = ()
    confirm: bool = False


@dataclass(frozen=True)
class Project:
    """A whole release.toml. The first of `layers` gives a release its version.

    `smoke` says whether a deployment ends with a smoke test. `configuration` maps prefixes of the configuration bucket
    to folders; `configuration_key` is that of its version. `sandbox_variables` is what functions find in their
    environment on the sandbox, "{env}" still in it. `allowed` are files that may ship although they look like secrets,
    each with the reason. `patterns` and `references` are keys in configuration files whose values are regular
    expressions, and names of other configuration files.
    """

    name: str
    runtimes: tuple[Runtime, ...]
    architecture: str
    layers: Mapping[str, Layer]
    functions: Mapping[str, Function]
    environments: Mapping[str, Environment]
    sandbox_variables: Mapping[str, str]
    e2e: EndToEnd
    smoke: bool
    configuration: Mapping[str, str]
    configuration_key: str = ""
    allowed: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    def environment(self, name: str, option: str = "--env") -> Environment:
        """The environment called `name`; ConfigError lists those that exist."""
        return _pick(self.environments, name, "environment", option)

    def function_name(self, function: str, environment: Environment) -> str:
        """A function's name on AWS; ConfigError lists those there are."""
        return _pick(environment.function_names, function, "function", "--function")

    @property
    def names(self) -> set[str]:
        """What the project calls its layers, functions and environments."""
        return {*self.layers, *self.functions, *self.environments}

    @property
    def packages(self) -> list[str]:
        """The functions whose packages are built here."""
        return [name for name, function in self.functions.items() if function.source]

    def allowed_in(self, name: str) -> set[str]:
        """The files in an artifact's archive that may ship although they look like secrets, as they are named there."""
        layer, function = self.layers.get(name), self.functions.get(name)
        source = ((layer.source if layer else function.source if function else "") or "").rstrip("/")
        if not source:
            return set(self.allowed)
        top = source.rpartition("/")[0] if layer else source
        return {each.removeprefix(f"{top}/") for each in self.allowed if each.startswith(f"{source}/")}

    @property
    def locks(self) -> list[str]:
        """The locks of the layers that are made of requirements, as paths."""
        requirements = [layer.requirements for layer in self.layers.values() if layer.requirements]
        return [PurePosixPath(each).with_suffix(".lock").as_posix() for each in requirements]

    @property
    def inputs(self) -> list[str]:
        """The files and folders that a build is made from, as paths."""
        requirements = [layer.requirements for layer in self.layers.values() if layer.requirements]
        folders = [
            *(layer.source for layer in self.layers.values()),
            *(each.source for each in self.functions.values()),
        ]
        named = ["release.toml", "VERSION", *requirements, *self.locks, *folders, *self.configuration.values()]
        return [each for each in named if each]

    @property
    def version_keys(self) -> dict[str, str]:
        """The key in VERSION of every layer, and of each function that has one."""
        keys = {name: layer.version_key for name, layer in self.layers.items()}
        return keys | {name: each.version_key for name, each in self.functions.items() if each.version_key}

    def version_key(self, name: str) -> str:
        """One of `version_keys`, or that of the configuration; ConfigError lists the names there are."""
        more = {CONFIGURATION: self.configuration_key} if self.configuration_key else {}
        return _pick({**self.version_keys, **more}, name, "layer", "--layer")

    def select(self, layer: str) -> list[str]:
        """The names of all artifacts, layers first, or only of one layer; ConfigError lists the layers there are."""
        if layer:
            _pick(self.layers, layer, "layer", "--layer")
        return [layer] if layer else [*self.layers, *self.packages]


def _pick(known: Mapping[str, T], name: str, kind: str, option: str) -> T:
    if name not in known:
        raise ConfigError(f"Unknown {kind} {name!r}{meant(name, known)}; use {option} with one of: {', '.join(known)}")
    return known[name]
