"""Invoke's own `--dry` and `-R`: every task under it shows and changes nothing, or refuses."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from invoke import Collection, Config, Context

from tasks import namespace
from tasks.errors import DiffersError, ReleaseError
from tests.conftest import Calls
from tests.front import Site

pytestmark = pytest.mark.whole

ARGUMENTS = {
    "env": "dev",
    "to": "stage",
    "version": "1.2.4",
    "part": "patch",
    "what": "core",
    "before": "core",
    "after": "core",
    "function": "ingest",
    "client_id": "a",
    "note": "it is right so",
    "into": "another",
}


def all_tasks(collection: Collection, prefix: str = "") -> dict[str, Any]:
    """Every task of a namespace by the name that a user types."""
    found = {f"{prefix}{name}": task for name, task in collection.tasks.items()}
    for name, below in collection.collections.items():
        found |= all_tasks(below, f"{name}.")
    return found


TASKS = {name: task for name, task in all_tasks(namespace).items() if name != "sandbox.sandbox"}
"""`inv --dry sandbox` starts an emulated AWS that is gone with the command, and changes nothing."""


def files(root: Path) -> dict[str, bytes]:
    cache = root / ".build" / "cache"
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and cache not in path.parents}


@pytest.fixture
def released(site: Site) -> Site:
    """A repository that was deployed, and then changed, so that every task has something to do."""
    site.deploy()
    site.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    return site


def test_no_task_changes_anything_under_invokes_own_dry_run(released: Site, calls: Calls) -> None:
    before = files(released.root)
    settings = {"sandbox_endpoint": released.endpoint, "root": str(released.root), "run": {"dry": True}}
    for name, task in TASKS.items():
        wanted = [each for each in inspect.signature(task.body).parameters.values() if each.default is each.empty]
        arguments = {each.name: ARGUMENTS[each.name] for each in wanted[1:]}
        try:
            task(Context(Config(overrides=settings)), **arguments)
        except DiffersError:
            pass  # it only reads
        except ReleaseError as error:
            assert "run dry" in str(error) or "run: inv" in str(error), name  # noqa: PT017
        assert files(released.root) == before, name
        assert calls.writes == [], name
