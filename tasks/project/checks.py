"""Refuses what AWS would refuse later, or what could not be built, in a release.toml that was read."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.errors import ConfigError, one_line
from tasks.project.files import parse_json
from tasks.project.model import Function, Layer
from tasks.project.runtimes import ARCHITECTURES, RUNTIMES

_LONGEST, _LEAST_MEMORY, _MOST_MEMORY = 900, 128, 10_240
"""Seconds and MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_NO_BUCKET = re.compile(
    r"\.\.|\A\d+(\.\d+){3}\Z|\A(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)\Z"
)
"""What S3 keeps for itself: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""


@dataclass(frozen=True)
class ProjectTable:
    """[project], as it stands."""

    name: str
    runtimes: list[str]
    architecture: str = "x86_64"
    smoke: bool = False


@dataclass(frozen=True)
class EnvironmentTable:
    """An [environments.NAME], as it stands."""

    account: str
    region: str
    bucket: str
    canonical_bucket: str = ""
    profile: str = ""
    confirm: bool = False


class Unfit(Exception):  # noqa: N818  (a problem, told as a ConfigError once its line is found)
    """What is wrong with a key of a table, or, without a key, with the table."""

    def __init__(self, where: str, key: str, text: str) -> None:
        super().__init__(text)
        self.where, self.key = where, key


def check(head: ProjectTable, layers: Mapping[str, Layer], functions: Mapping[str, Function]) -> None:
    """Refuse what cannot be built or would be refused by Lambda."""
    # held by tests/project
    # held by tests/project/test_release_toml.py
    if not re.fullmatch(r"[^/]+(/[^/]+)*", head.name) or ".." in head.name or one_line(head.name) != head.name:
        raise unfit("project", "name", head.name, "a name without '..', and without '/' at an end: it is part of keys")
    if head.architecture not in ARCHITECTURES:
        raise unfit("project", "architecture", head.architecture, " or ".join(ARCHITECTURES))
    check_distinct("runtime", head.runtimes)
    for runtime in head.runtimes:
        if runtime not in RUNTIMES:
            raise unfit("project", "runtime", runtime, "one of " + ", ".join(RUNTIMES))
    for key, layer in layers.items():
        _check_name(f"layers.{key}", key, layer.name)
        check_path(f"layers.{key}", layer.source or layer.requirements)
        if bool(layer.source) == bool(layer.requirements):
            raise Unfit(f"layers.{key}", "", "needs either a source or requirements, and not both")
    for key, function in functions.items():
        _check_function(f"functions.{key}", key, function, head)
    check_distinct(
        "version_key", [*(x.version_key for x in layers.values()), *(x.version_key for x in functions.values())]
    )
    check_distinct("name", [layer.name for layer in layers.values()])
    check_distinct("name", [function.name for function in functions.values()])
    check_distinct("table", [*layers, *functions])


def _check_function(where: str, key: str, function: Function, head: ProjectTable) -> None:
    """A function that can carry the layers, and whose package can be built if it has a source."""
    _check_name(where, key, function.name)
    check_path(where, function.source)
    if function.runtime not in head.runtimes:
        raise unfit(where, "runtime", function.runtime, f"one of the project's runtimes: {', '.join(head.runtimes)}")
    if not 0 <= function.timeout <= _LONGEST:
        raise unfit(where, "timeout", str(function.timeout), f"1 to {_LONGEST} seconds")
    if function.memory and not _LEAST_MEMORY <= function.memory <= _MOST_MEMORY:
        raise unfit(where, "memory", str(function.memory), f"{_LEAST_MEMORY} to {_MOST_MEMORY} MB")
    try:
        parse_json(function.smoke)
    except ValueError:
        raise unfit(where, "smoke", function.smoke[:40], "a payload as JSON, such as '{}'") from None
    if function.handler and not re.fullmatch(r"[!-~]{1,128}", function.handler):
        raise unfit(where, "handler", function.handler, "what AWS takes: up to 128 ASCII characters, no space")
    if function.source and not re.fullmatch(r"[A-Za-z_]\w*([./][A-Za-z_]\w*)*\.[A-Za-z_]\w*", function.handler):
        raise unfit(where, "handler", function.handler, "a module and a function: handler.lambda_handler")


def check_path(where: str, path: str) -> None:
    """Refuse a path that leads out of the repository."""
    # held by tests/project/test_release_toml.py
    if path.startswith("/") or re.search(r"(^|/)\.\.(/|$)|\\|:|^\./*$", path):
        raise unfit(where, "path", path, "below the repository, with forward slashes")


def check_distinct(what: str, values: Iterable[str]) -> None:
    """Two artifacts must not share a version, an AWS name, or their name here."""
    given = [value for value in values if value]
    if twice := sorted({value for value in given if given.count(value) > 1}):
        raise ConfigError(
            f"release.toml: the {what} {twice[0]!r} stands there twice; give each layer and function its own"
        )


def _check_name(where: str, key: str, name: str) -> None:
    """Names that AWS takes: https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key):
        raise unfit(where, "name of the table", key, "lower-case words joined by hyphens")
    if "{env}" not in name or not re.fullmatch(r"[A-Za-z0-9_-]{1,52}", name.replace("{env}", "")):
        raise unfit(where, "name", name, 'up to 52 letters, digits, "-" and "_", and "{env}"')


def check_environment(name: str, table: EnvironmentTable) -> None:
    """An account, a region and buckets that can exist."""
    where = f"environments.{name}"
    if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
        raise unfit(where, "name of the table", name, "up to 12 lower-case letters and digits")
    if not re.fullmatch(r"[0-9]{12}", table.account):
        raise unfit(where, "account", table.account, "12 digits")
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]", table.region):
        raise unfit(where, "region", table.region, "a region such as eu-west-3")
    for key in ("bucket", "canonical_bucket") if table.canonical_bucket else ("bucket",):
        # held by tests/project/test_release_toml.py `_NO_BUCKET.search(getattr(table, key))`
        if not _BUCKET.fullmatch(getattr(table, key)) or _NO_BUCKET.search(getattr(table, key)):
            form = (
                "a name that S3 gives: 3 to 63 of a-z, 0-9, '.', '-', no '..', no IP address, and no beginning or end "
            )
            raise unfit(where, key, getattr(table, key), form + "that S3 keeps for itself, such as xn-- and -s3alias")


def unfit(where: str, key: str, value: str, expected: str) -> Unfit:
    """Return the problem of a key whose value is not what it must be."""
    return Unfit(where, key, f"{key} {value!r} must be {expected}")
