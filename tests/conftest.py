"""Fixtures: an emulated AWS with the example project's environments, and a record of the calls made to it."""

import os
from collections.abc import Iterator
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


@pytest.fixture
def sandbox(server: Server) -> str:
    """The address of an AWS that holds the example project's environments, and no release yet."""
    return refresh(server, PROJECT)


def refresh(server: Server, project: Project) -> str:
    """Empty the server and put a project's environments there."""
    from moto.core.base_backend import BackendDict  # moto's own reset, without a request

    BackendDict.reset()
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What long tests have counted, each in a line."""
    reports = [each for found in terminalreporter.stats.values() for each in found]
    for report in reports:
        for name, text in getattr(report, "user_properties", ()):
            if name == "counted" and report.when == "call":
                terminalreporter.write_line(str(text))
