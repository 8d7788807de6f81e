"""release.toml as values: the layers, functions and environments of one project.

`parse_project` is the only way in; it refuses what AWS would refuse later, naming the table and the key.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from tasks.errors import ConfigError
from tasks.release.runtimes import ARCHITECTURES, RUNTIMES, Runtime

__all__ = ["Environment", "Function", "Layer", "Project", "parse_project"]

T = TypeVar("T")


@dataclass(frozen=True)
class Layer:
    """A layer to build, from our own `source` folder or from pinned `requirements`: one of the two, as paths."""

    name: str
    version_key: str
    source: str = ""
    requirements: str = ""


@dataclass(frozen=True)
class Function:
    """A Lambda function that carries the layers; `runtime` is AWS's identifier."""

    name: str
    runtime: str


@dataclass(frozen=True)
class Environment:
    """One place a release can go to, with every AWS name in it spelled out.

    `layer_names` maps a layer to its name on AWS, in the order of attachment; `functions` maps AWS names to runtimes.
    `previous` is the environment that is promoted into this one, empty for the first.
    """

    name: str
    account: str
    region: str
    profile: str
    bucket: str
    canonical_bucket: str
    previous: str
    layer_names: Mapping[str, str]
    functions: Mapping[str, str]


@dataclass(frozen=True)
class Project:
    """A whole release.toml. The first of `layers` gives a release its version.

    `sandbox_variables` is what functions find in their environment on the sandbox, "{env}" still in it.
    """

    name: str
    runtimes: tuple[Runtime, ...]
    architecture: str
    layers: Mapping[str, Layer]
    environments: Mapping[str, Environment]
    sandbox_variables: Mapping[str, str]

    def environment(self, name: str) -> Environment:
        """The environment called `name`; ConfigError lists those that exist."""
        return _pick(self.environments, name, "environment", "--env")

    def select(self, layer: str | None) -> dict[str, Layer]:
        """All layers, or only the one called `layer`; ConfigError lists those that exist."""
        return {layer: _pick(self.layers, layer, "layer", "--layer")} if layer else dict(self.layers)


@dataclass(frozen=True)
class _ProjectTable:
    name: str
    runtimes: list[str]
    architecture: str = "x86_64"


@dataclass(frozen=True)
class _EnvironmentTable:
    account: str
    region: str
    bucket: str
    canonical_bucket: str
    profile: str = ""


@dataclass(frozen=True)
class _SandboxTable:
    variables: dict[str, str] = field(default_factory=dict)


def parse_project(text: str) -> Project:
    """The project that a release.toml describes. Raises ConfigError for anything missing, unknown or contradictory."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"release.toml is not valid TOML: {error}") from error
    unknown = sorted(document.keys() - {"project", "layers", "functions", "environments", "sandbox"})
    if unknown:
        raise ConfigError(f"release.toml has an unknown table [{unknown[0]}]; see the README's configuration")
    head = _read(_ProjectTable, document.get("project", {}), "project")
    layers = _tables(document, "layers", Layer)
    functions = _tables(document, "functions", Function)
    _check(head, layers, functions)
    return Project(
        name=head.name,
        runtimes=tuple(sorted(RUNTIMES[name] for name in head.runtimes)),
        architecture=head.architecture,
        layers=layers,
        environments=_environments(document, layers, functions),
        sandbox_variables=_read(_SandboxTable, document.get("sandbox", {}), "sandbox").variables,
    )


def _environments(
    document: dict[str, Any], layers: dict[str, Layer], functions: dict[str, Function]
) -> dict[str, Environment]:
    """Each [environments.*] with its AWS names filled in, knowing the one before it."""
    found: dict[str, Environment] = {}
    for name, table in _tables(document, "environments", _EnvironmentTable).items():
        _check_environment(name, table)
        found[name] = Environment(
            name=name,
            previous=next(reversed(found), ""),
            layer_names={key: layer.name.replace("{env}", name) for key, layer in layers.items()},
            functions={function.name.replace("{env}", name): function.runtime for function in functions.values()},
            **vars(table),
        )
    return found


_KINDS: Mapping[str, type] = {"runtimes": list, "variables": dict}
"""What a key holds, where it is not text."""


def _tables(document: dict[str, Any], kind: str, shape: Callable[..., T]) -> dict[str, T]:
    """Every [kind.name] of the document, in its order, each read as a `shape`."""
    tables = document.get(kind)
    if not isinstance(tables, dict) or not tables:
        raise ConfigError(f"release.toml needs at least one [{kind}.NAME] table")
    return {name: _read(shape, table, f"{kind}.{name}") for name, table in tables.items()}


def _read(shape: Callable[..., T], table: object, where: str) -> T:
    """A table as a value of `shape`: no key missing, none unknown, each of the right type."""
    if not isinstance(table, Mapping):
        raise ConfigError(f"release.toml: [{where}] must be a table")
    known = {each.name: each for each in fields(shape)}  # type: ignore[arg-type]  # every shape is a dataclass
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"release.toml: [{where}] has an unknown key {key!r}; known: {', '.join(known)}")
        kind = _KINDS.get(key, str)
        if not isinstance(value, kind) or not value:
            raise ConfigError(f"release.toml: [{where}] {key} must be a {kind.__name__} with something in it")
    for key, each in known.items():
        if each.default is MISSING and each.default_factory is MISSING and key not in table:
            raise ConfigError(f"release.toml: [{where}] needs a {key}")
    return shape(**table)


def _check(head: _ProjectTable, layers: dict[str, Layer], functions: dict[str, Function]) -> None:
    """Refuse what cannot be built or would be refused by Lambda."""
    if head.architecture not in ARCHITECTURES:
        raise _unfit("project", "architecture", head.architecture, " or ".join(ARCHITECTURES))
    for where, runtime in [
        *(("project", name) for name in head.runtimes),
        *((f"functions.{key}", function.runtime) for key, function in functions.items()),
    ]:
        if runtime not in RUNTIMES:
            raise _unfit(where, "runtime", runtime, "one of " + ", ".join(RUNTIMES))
    for key, function in functions.items():
        _check_name(f"functions.{key}", key, function.name)
    for key, layer in layers.items():
        _check_name(f"layers.{key}", key, layer.name)
        if bool(layer.source) == bool(layer.requirements):
            raise ConfigError(f"release.toml: [layers.{key}] needs either a source or requirements, and not both")


def _check_name(where: str, key: str, name: str) -> None:
    """Names that AWS takes: https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key):
        raise _unfit(where, "name of the table", key, "lower-case words joined by hyphens")
    if "{env}" not in name or not re.fullmatch(r"[A-Za-z0-9_-]{1,52}", name.replace("{env}", "")):
        raise _unfit(where, "name", name, 'up to 52 letters, digits, "-" and "_", and "{env}"')


def _check_environment(name: str, table: _EnvironmentTable) -> None:
    """An account, a region and buckets that can exist."""
    where = f"environments.{name}"
    if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
        raise _unfit(where, "name of the table", name, "up to 12 lower-case letters and digits")
    if not re.fullmatch(r"[0-9]{12}", table.account):
        raise _unfit(where, "account", table.account, "12 digits")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", table.region):
        raise _unfit(where, "region", table.region, "a region such as eu-west-3")
    for key in ("bucket", "canonical_bucket"):
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", getattr(table, key)):
            raise _unfit(where, key, getattr(table, key), "a bucket name (3 to 63 of a-z, 0-9, '.', '-')")


def _unfit(where: str, key: str, value: str, expected: str) -> ConfigError:
    return ConfigError(f"release.toml: [{where}] {key} {value!r} must be {expected}")


def _pick(known: Mapping[str, T], name: str, kind: str, option: str) -> T:
    if name not in known:
        raise ConfigError(f"Unknown {kind} {name!r}; use {option} with one of: {', '.join(known)}")
    return known[name]
