"""What --json prints is one document, and is what docs/schemas/ says; those are written by this module."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks import prune, show, status, verify
from tasks.errors import ConfigError, DiffersError
from tasks.output.documents import DOCUMENTS, plan_document, print_plan
from tasks.release.deployed import Deployed
from tasks.release.events import Planned, Smoking
from tasks.release.plan import UPDATE_LAMBDAS, plan
from tests.conftest import After, Calls
from tests.examples import GOAL, functions
from tests.front import Site

pytestmark = pytest.mark.whole

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


def schema(name: str) -> str:
    """The JSON Schema of a document, as it is committed."""
    described = msgspec.json.schema(DOCUMENTS[name])
    for part in described["$defs"].values():
        part["required"] = list(part.get("properties", ()))  # every field is always there, whatever it is by default
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"inv {name} --json"}
    text = json.dumps({**head, **described}, indent=2) + "\n"
    return re.sub(r"(\\n *)+", " ", text)


@pytest.fixture
def released(after: After) -> Site:
    return after(release_twice)


def release_twice(site: Site) -> None:
    """1.2.4 in dev and stage, and 1.2.5 in dev."""
    site.deploy()
    site.promote()
    site.write("src/core/__init__.py", "NAME = 'new'\n")
    site.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    site.deploy()


COMMANDS: dict[str, tuple[str, Any]] = {
    "verify": ("verify", lambda site: verify.verify(site.context, env="dev", json=True)),
    "verify before": ("verify", lambda site: verify.verify(site.context, env="prod", json=True)),
    "status": ("status", lambda site: status.status(site.context, json=True)),
    "history": ("history", lambda site: site.history(json=True)),
    "one entry": ("history", lambda site: site.history(entry="2", json=True)),
    "show": ("show", lambda site: show.show(site.context, "dev", json=True)),
    "compare": ("compare", lambda site: show.compare(site.context, "dev", "stage", json=True)),
    "prune": ("prune", lambda site: prune.prune(site.context, env="dev", keep="1", json=True)),
    "upload": ("plan", lambda site: site.upload(dry_run=True, json=True)),
    "publish": ("plan", lambda site: site.publish(dry_run=True, json=True)),
    "deploy": ("plan", lambda site: site.deploy(dry_run=True, json=True)),
    "deploy to a later one": ("plan", lambda site: site.deploy("stage", dry_run=True, json=True)),
    "promote": ("plan", lambda site: site.promote(version="1.2.5", dry_run=True, json=True)),
    "rollback": ("plan", lambda site: site.rollback(dry_run=True, json=True)),
}


def test_each_document_is_the_only_thing_on_stdout_and_what_its_schema_says(
    released: Site, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    from jsonschema import validate  # importing it takes longer than most tests

    seen = set()
    calls.clear()
    for what, (name, command) in COMMANDS.items():
        capsys.readouterr()
        with contextlib.suppress(DiffersError):
            command(released)
        document = json.loads(capsys.readouterr().out)
        validate(document, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))
        assert document == json.loads(msgspec.json.encode(msgspec.convert(document, DOCUMENTS[name]))), what
        assert document["schema"] == 1
        seen.add(name)
    assert seen == set(DOCUMENTS)
    assert calls.writes == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_committed_schema_is_generated_from_the_values(name: str) -> None:
    written = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert written == schema(name), "run: python -m tests.output.test_documents"


def test_a_warning_goes_to_stderr_beside_a_document(released: Site, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    released.deploy("stage", dry_run=True, json=True)
    assert "goes on: stage gets what dev runs" in capsys.readouterr().err
    released.history()
    assert "Journal of dev" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["upload", "publish", "deploy", "rollback"])
def test_only_a_plan_can_be_told_to_a_machine(site: Site, command: str) -> None:
    with pytest.raises(ConfigError, match="--json prints a plan; add --dry-run"):
        getattr(site, command)(json=True)


def test_a_plan_tells_every_action_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    before = Deployed(functions=functions([]))
    decided = plan(GOAL, before, UPDATE_LAMBDAS)
    event = Planned(GOAL, decided, dry_run=True, confirmed=False, asked=("really?",))
    told = plan_document(event)
    assert [each.kind for each in told.changes][:2] == ["upload", "publish"]
    assert len(told.changes) == len(decided.actions)
    assert (told.pending, told.questions) == (True, ("really?",))
    print_plan(Smoking("dev"))
    assert capsys.readouterr().out == ""


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in DOCUMENTS:
        (FOLDER / f"{each}.json").write_text(schema(each), encoding="utf-8")
