"""Fixtures: an emulated AWS with the example project's environments, and a record of the calls made to it."""

import copy
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.aws.connection import PATIENCE, Connection, client, connect
from tasks.project.cache import CACHE_VARIABLE
from tasks.project.model import Project
from tasks.sandbox.seed import seed
from tasks.sandbox.server import Server
from tests.examples import DEV, PROJECT, RELEASE_TOML, STAGE, VERSION
from tests.front import Site

_WRITES = ("Put", "Copy", "Create", "Delete", "Publish", "Update")


class Calls(list[str]):
    """The names of the AWS calls that were made, in order."""

    @property
    def writes(self) -> list[str]:
        return [name for name in self if name.startswith(_WRITES)]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests."""
    server = Server(tmp_path_factory.mktemp("root"))
    server.start(PROJECT)
    yield server
    server.stop()


class Snapshot:
    """All that the server holds now, to go back to: a hundred times as fast as making it anew by requests."""

    def __init__(self, server: Server) -> None:
        self._server, self._live = server, list(_backends())
        self._held = self._copy((server.aws.functions.updates, [each.__dict__ for each in self._live]))

    def restore(self) -> None:
        """Make the server hold what it held."""
        for each in _backends():
            if each not in self._live:
                each.reset()
        self._server.aws.functions.updates, held = self._copy(self._held)
        for each, attributes in zip(self._live, held, strict=True):
            each.__dict__ = attributes

    def _copy(self, held: Any) -> Any:
        """A copy of everything but the backends themselves, which point to each other."""
        return copy.deepcopy(held, {id(each): each for each in self._live})


def _backends() -> Iterator[Any]:
    """Where moto holds what it holds, one for each service, account and region."""
    from moto.core.base_backend import BackendDict

    for service in BackendDict._instances:  # type: ignore[misc]  # noqa: SLF001  (what its own reset goes through)
        for account in service.values():
            yield from account.values()


@pytest.fixture(scope="session")
def _seeded(server: Server) -> Snapshot:
    refresh(server, PROJECT)
    return Snapshot(server)


@pytest.fixture
def sandbox(server: Server, _seeded: Snapshot) -> str:
    """The address of an AWS that holds the example project's environments, and no release yet."""
    _seeded.restore()
    return server.url


def refresh(server: Server, project: Project) -> str:
    """Empty the server and put a project's environments there."""
    for each in _backends():
        each.reset()
    seed(project, server.url)
    return server.url


@pytest.fixture
def dev(sandbox: str) -> Connection:
    """The connection to dev."""
    return connect(DEV, sandbox)


@pytest.fixture
def stage(sandbox: str) -> Connection:
    """The connection to stage."""
    return connect(STAGE, sandbox)


@pytest.fixture
def calls(sandbox: str) -> Iterator[Calls]:
    """What is called from here on, by anyone."""
    made = Calls()

    def note(model: Any, **_: Any) -> None:
        made.append(model.name)

    clients = [client(service, environment, sandbox) for service in ("s3", "lambda") for environment in (DEV, STAGE)]
    clients += [client("lambda", environment, sandbox, patience=PATIENCE) for environment in (DEV, STAGE)]
    for each in clients:
        each.meta.events.register("before-call", note, unique_id="calls")
    yield made
    for each in clients:
        each.meta.events.unregister("before-call", unique_id="calls")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What has been built and imported once is known by its contents, so that tests may share it."""
    os.environ[CACHE_VARIABLE] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def site(sandbox: str, tmp_path: Path) -> Site:
    """The example project's repository, whose commands talk to the sandbox."""
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    for layer in ("core", "deps"):
        (tmp_path / "src" / layer).mkdir(parents=True)
        (tmp_path / "src" / layer / "__init__.py").write_text(f"NAME = {layer!r}\n")
    (tmp_path / "canonical").mkdir()
    (tmp_path / "canonical" / "scopes.yaml").write_text("a: 1\n")
    return Site(tmp_path, sandbox)


After = Callable[[Callable[[Site], object]], Site]


@pytest.fixture(scope="session")
def _taken() -> dict[Any, tuple[Snapshot, Path]]:
    """Steps that were taken, and what they have left on the server and on disk."""
    return {}


@pytest.fixture
def after(
    site: Site, server: Server, tmp_path_factory: pytest.TempPathFactory, _taken: dict[Any, tuple[Snapshot, Path]]
) -> After:
    """The site after some steps: taken for the first test that asks, and put back as they left it for the others."""

    def put_back(steps: Callable[[Site], object]) -> Site:
        if steps not in _taken:
            steps(site)
            left = tmp_path_factory.mktemp("left") / "site"
            shutil.copytree(site.root, left, symlinks=True)
            _taken[steps] = Snapshot(server), left
        snapshot, left = _taken[steps]
        snapshot.restore()
        shutil.copytree(left, site.root, symlinks=True, dirs_exist_ok=True)
        return site

    return put_back


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What long tests have counted, each in a line."""
    reports = [each for found in terminalreporter.stats.values() for each in found]
    for report in reports:
        for name, text in getattr(report, "user_properties", ()):
            if name == "counted" and report.when == "call":
                terminalreporter.write_line(str(text))
