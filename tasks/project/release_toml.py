"""Reads release.toml into values, and refuses what AWS would refuse later, naming the table and the key."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import lru_cache
from typing import Any, TypeVar, get_origin

from tasks.errors import ConfigError, meant
from tasks.project import checks
from tasks.project.checks import Unfit, unfit
from tasks.project.files import parse_toml
from tasks.project.model import CONFIGURATION, EndToEnd, Environment, Function, Layer, Project
from tasks.project.runtimes import RUNTIMES

T = TypeVar("T")
_TABLES = ("project", "layers", "functions", "configuration", "environments", "allowed", "sandbox", "e2e")


@dataclass(frozen=True)
class _SandboxTable:
    variables: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=1)
def parse_project(text: str) -> Project:
    """The project that a release.toml describes.

    Raises ConfigError, with the line, for anything missing, unknown or contradictory.
    """
    try:
        return _project(parse_toml(text, "release.toml"))
    except Unfit as problem:
        line = _line(text, problem.where, problem.key)
        place = f"release.toml, line {line}" if line else "release.toml"
        raise ConfigError(f"{place}: [{problem.where}] {problem}") from None


def _line(text: str, where: str, key: str) -> int:
    """The line on which a key of a table stands, else that of the table; 0 if neither is found."""
    found, inside = 0, False
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            inside = re.sub(r"[\s\"']", "", header[1]) == where
            found = number if inside and not found else found
        elif inside and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return found


def _project(document: dict[str, Any]) -> Project:
    """The project in a document."""
    for name in document:
        if name not in _TABLES:
            raise Unfit(name, "", f"is no table of release.toml{meant(name, _TABLES)}; known: {', '.join(_TABLES)}")
    head = _read(checks.ProjectTable, document.get("project", {}), "project")
    layers = _tables(document, "layers", Layer)
    functions = _tables(document, "functions", Function) if "functions" in document else {}
    checks.check(head, layers, functions)
    table = _table(document, CONFIGURATION)
    patterns, references = (_keys(table.pop(key, []), key) for key in ("patterns", "references"))
    configuration_key, configuration = str(table.pop("version_key", "")), _configuration(table)
    return Project(
        name=head.name,
        runtimes=tuple(sorted(RUNTIMES[name] for name in head.runtimes)),
        architecture=head.architecture,
        layers=layers,
        functions=functions,
        environments=_environments(document, layers, functions, configuration),
        configuration=configuration,
        configuration_key=configuration_key,
        patterns=patterns,
        references=references,
        e2e=_end_to_end(document, functions),
        smoke=head.smoke,
        allowed=_allowed(_table(document, "allowed")),
        sandbox_variables=_read(_SandboxTable, document.get("sandbox", {}), "sandbox").variables,
    )


def _end_to_end(document: dict[str, Any], functions: dict[str, Function]) -> EndToEnd:
    """[e2e], with functions that exist."""
    read = _read(EndToEnd, document.get("e2e", {}), "e2e")
    for function in read.functions:
        if function not in functions:
            raise unfit("e2e", "functions", function, f"among {', '.join(functions)}")
    return EndToEnd(tuple(read.functions), read.bucket, read.key)


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A table as it stands; empty if there is none."""
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise Unfit(name, "", "must be a table")
    return dict(table)


def _keys(value: object, key: str) -> tuple[str, ...]:
    """Keys of configuration files, as [configuration] lists them."""
    if value != [] and not _fits(value, list):
        raise unfit("configuration", key, str(value), "a list of keys in brackets")
    return tuple(value) if isinstance(value, list) else ()


def _allowed(table: dict[str, Any]) -> dict[str, str]:
    """[allowed]: file -> why it may ship although it looks like a secret."""
    for path, reason in table.items():
        if not isinstance(reason, str) or not reason.strip():
            raise unfit("allowed", path, str(reason), "the reason why this file may ship, as text")
        checks.check_path("allowed", path)
    return table


def _configuration(table: dict[str, Any]) -> dict[str, str]:
    """[configuration]: prefix of the bucket -> folder of the repository."""
    for prefix, folder in table.items():
        if not isinstance(folder, str) or not folder:
            raise unfit("configuration", prefix, str(folder), 'a folder in "quotes"')
        if not re.fullmatch(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", prefix):
            raise unfit("configuration", "prefix", prefix, "a prefix of the bucket, such as canonical")
        checks.check_path("configuration", folder)
    return table


def _environments(
    document: dict[str, Any], layers: dict[str, Layer], functions: dict[str, Function], configuration: dict[str, str]
) -> dict[str, Environment]:
    """Each [environments.*] with its AWS names filled in, knowing the one before it."""
    found: dict[str, Environment] = {}
    for name, table in _tables(document, "environments", checks.EnvironmentTable).items():
        checks.check_environment(name, table)
        if configuration and not table.canonical_bucket:
            raise Unfit(f"environments.{name}", "", "needs a canonical_bucket for [configuration]")
        found[name] = Environment(
            name=name,
            previous=next(reversed(found), ""),
            layer_names={key: layer.name.replace("{env}", name) for key, layer in layers.items()},
            function_names={key: function.name.replace("{env}", name) for key, function in functions.items()},
            canonical=tuple(configuration),
            **vars(table),
        )
    if configuration:
        checks.check_distinct("canonical_bucket", [each.canonical_bucket for each in found.values()])
    return found


_TEXT = 'text in "quotes", and not empty'
_WORDS = {
    list: "a list of texts in brackets, and not empty",
    dict: "a table of texts, and not empty",
    int: "a whole number above 0",
    bool: "true or false",
}


def _tables(document: dict[str, Any], kind: str, shape: Callable[..., T]) -> dict[str, T]:
    """Every [kind.name] of the document, in its order, each read as a `shape`."""
    tables = document.get(kind)
    if not isinstance(tables, dict) or not tables:
        raise ConfigError(f"release.toml needs at least one [{kind}.NAME] table")
    return {name: _read(shape, table, f"{kind}.{name}") for name, table in tables.items()}


def _read(shape: Callable[..., T], table: object, where: str) -> T:
    """A table as a value of `shape`: no key missing, none unknown, each of the right type."""
    if not isinstance(table, Mapping):
        raise Unfit(where, "", "must be a table")
    known = {each.name: each for each in fields(shape)}  # type: ignore[arg-type]  # every shape is a dataclass
    for key, value in table.items():
        if key not in known:
            raise Unfit(where, key, f"has an unknown key {key!r}{meant(key, known)}; known: {', '.join(known)}")
        kind = kind_of(known[key])
        if not _fits(value, kind):
            raise Unfit(where, key, f"{key} must be {_WORDS.get(kind, _TEXT)}")
    for key, each in known.items():
        if each.default is MISSING and each.default_factory is MISSING and key not in table:
            raise Unfit(where, "", f"needs a {key}")
    return shape(**table)


def kind_of(key: Field[Any]) -> type:
    """What a key holds: text, or what its type says; TOML has lists in place of tuples."""
    kind: type = get_origin(key.type) or key.type  # type: ignore[assignment]  # a type: nothing here is a string
    return list if kind is tuple else kind


def _fits(value: object, kind: type) -> bool:
    """Whether a value is of a kind, and what is in it is text."""
    if kind is bool or type(value) is not kind:
        return type(value) is kind
    inside = value if isinstance(value, list) else value.values() if isinstance(value, dict) else []
    positive = not isinstance(value, int) or value > 0
    return bool(value) and positive and all(isinstance(each, str) and each for each in inside)
