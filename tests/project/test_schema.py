"""The JSON Schema of release.toml, for editors: `python -m tests.project.test_schema` writes it."""

import json
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from tasks.project import checks, release_toml
from tasks.project.model import EndToEnd, Function, Layer
from tasks.project.runtimes import ARCHITECTURES, RUNTIMES
from tests.examples import RELEASE_TOML

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "schemas" / "release.toml.json"
TEXT = {"type": "string", "minLength": 1}
KINDS: dict[type, dict[str, Any]] = {
    str: TEXT,
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 1},
    list: {"type": "array", "items": TEXT, "minItems": 1},
    dict: {"type": "object", "additionalProperties": TEXT},
}
NARROWER: dict[tuple[str, str], dict[str, Any]] = {
    ("project", "runtimes"): {"items": {"enum": list(RUNTIMES)}, "uniqueItems": True},
    ("project", "architecture"): {"enum": list(ARCHITECTURES)},
    ("functions", "runtime"): {"enum": list(RUNTIMES)},
    ("functions", "timeout"): {"maximum": 900},
    ("functions", "memory"): {"minimum": 128, "maximum": 10_240},
    ("environments", "account"): {"pattern": "^[0-9]{12}$"},
    ("environments", "region"): {"pattern": "^[a-z]{2}(-[a-z]+)+-[0-9]$"},
    ("layers", "name"): {"pattern": r"\{env\}"},
    ("functions", "name"): {"pattern": r"\{env\}"},
}
ABOUT = {
    ("project", "smoke"): "end deployments and promotions with a smoke test",
    ("layers", "name"): "its name on AWS; {env} becomes the environment's name",
    ("layers", "version_key"): "its line in VERSION",
    ("layers", "source"): "the folder of a package of yours",
    ("layers", "requirements"): "a requirements file, with its lock beside it",
    ("layers", "max_zipped_mb"): "its budget, in megabytes",
    ("layers", "max_unzipped_mb"): "its budget, in megabytes",
    ("functions", "source"): "the folder of its package, which is then built and released too",
    ("functions", "handler"): "module and function: handler.lambda_handler",
    ("functions", "smoke"): "an event, as JSON, that its handler answers at once",
    ("environments", "bucket"): "where archives and records of releases go",
    ("environments", "canonical_bucket"): "where [configuration] goes",
    ("environments", "confirm"): "ask before each change",
    ("environments", "profile"): "a profile of ~/.aws/config; the default credentials without it",
}


def table(where: str, shape: Any) -> dict[str, Any]:
    """The schema of one table."""
    properties = {}
    for each in fields(shape):
        kind = KINDS[release_toml.kind_of(each)]
        about = {"description": ABOUT[where, each.name]} if (where, each.name) in ABOUT else {}
        properties[each.name] = {**kind, **NARROWER.get((where, each.name), {}), **about}
    needed = [each.name for each in fields(shape) if each.default is MISSING and each.default_factory is MISSING]
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def schema() -> dict[str, Any]:
    """The whole schema."""
    named = {"type": "object", "minProperties": 1}
    keys = dict.fromkeys(("patterns", "references"), KINDS[list])
    one_of = {"oneOf": [{"required": ["source"]}, {"required": ["requirements"]}]}
    tables = {
        "project": table("project", checks.ProjectTable),
        "layers": {**named, "additionalProperties": {**table("layers", Layer), **one_of}},
        "functions": {**named, "additionalProperties": table("functions", Function)},
        "environments": {
            **named,
            "additionalProperties": table("environments", checks.EnvironmentTable),
        },
        "configuration": {"type": "object", "properties": keys, "additionalProperties": TEXT},
        "allowed": {**KINDS[dict], "description": "file -> why it may ship although it looks like a secret"},
        "sandbox": table("sandbox", release_toml._SandboxTable),  # noqa: SLF001
        "e2e": table("e2e", EndToEnd),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "release.toml",
        "type": "object",
        "properties": tables,
        "required": ["project", "layers", "environments"],
        "additionalProperties": False,
    }


def written() -> str:
    return json.dumps(schema(), indent=1) + "\n"


def test_the_schema_is_what_the_reader_goes_by() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == written(), "run: python -m tests.project.test_schema"
    assert set(schema()["properties"]) == set(release_toml._TABLES)  # noqa: SLF001


@pytest.mark.whole  # to import jsonschema takes longer than most tests
@pytest.mark.parametrize("text", [RELEASE_TOML, (ROOT / "release.toml").read_text(encoding="utf-8")])
def test_a_release_toml_that_can_be_read_is_valid(text: str) -> None:
    from jsonschema import validate

    validate(tomllib.loads(text), json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.mark.whole
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('source = "src/core"', 'sorce = "src/core"'),
        ('account = "111122223333"', "account = 111122223333"),
        ('runtimes = ["python3.11", "python3.12"]', 'runtimes = ["python2.7"]'),
        ("[project]", "[projet]"),
    ],
)
def test_what_cannot_be_read_is_not(old: str, new: str) -> None:
    from jsonschema import ValidationError, validate

    assert old in RELEASE_TOML
    with pytest.raises(ValidationError):
        validate(tomllib.loads(RELEASE_TOML.replace(old, new, 1)), schema())


if __name__ == "__main__":
    SCHEMA.write_text(written(), encoding="utf-8", newline="\n")
