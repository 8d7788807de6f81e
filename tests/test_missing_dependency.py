"""The user's own trap on his own project: PyYAML missing from the layer, found by the smoke test and undone."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.archives import workshop
from tasks.archives.archive import members_digest, stored, write_archive
from tasks.archives.manifest import Archive
from tasks.aws.connection import connect
from tasks.aws.perform import Sources
from tasks.aws.reach import reach
from tasks.errors import ReleaseError
from tasks.project.workspace import Workspace
from tasks.release.plan import UPDATE_LAMBDAS, Goal
from tasks.release.release import Release
from tasks.sandbox.server import Server
from tests.conftest import refresh
from tests.fakes import carry_out, silent
from tests.front import Site

ROOT = Path(__file__).parent.parent

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.name == "nt", reason="awslambdaric is for Linux")]


@pytest.fixture
def project(server: Server, tmp_path: Path) -> Iterator[Site]:
    """This repository's own project, on a sandbox that holds its environments."""
    for name in ("release.toml", "VERSION"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("src_v2", "canonical"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    yield Site(tmp_path, refresh(server, Workspace(tmp_path).project()))
    server.aws.functions.instances.stop()


def without_yaml(built: Archive) -> Archive:
    """The same archive as it comes out if PyYAML is missing from the lock's output."""
    path = built.path.with_name("common-deps-1.0.6.zip")
    with zipfile.ZipFile(built.path) as archive:
        kept = [name for name in archive.namelist() if "/yaml/" not in name and "/_yaml/" not in name]
        members = [stored(name, archive.read(name)) for name in kept]
    sha256 = write_archive(path, members)
    shutil.copyfile(built.bill, path.with_suffix(".cdx.json"))
    modules = tuple(module for module in built.artifact.modules if "yaml" not in module)
    changed: dict[str, Any] = {
        "version": "1.0.6",
        "tree": members_digest(members),
        "sha256": sha256,
        "size": path.stat().st_size,
    }
    return replace(built, artifact=replace(built.artifact, modules=modules, **changed), path=path)


def test_a_layer_without_pyyaml_is_found_by_the_smoke_test_and_everything_is_put_back(project: Site) -> None:
    checkout = project.workspace.checkout()
    environment = checkout.project.environment("dev")
    core, deps, *packages = workshop.build(checkout, checkout.project.select(""), silent)
    project.deploy()
    functions = connect(environment, project.endpoint).functions

    def running() -> list[tuple[list[str], str]]:
        found = [functions.get_function(FunctionName=name) for name in environment.function_names.values()]
        each = [answer["Configuration"] for answer in found]
        return [([layer["Arn"] for layer in one["Layers"]], one["CodeSha256"]) for one in each]

    before, broken = running(), without_yaml(deps)
    archives = [core, broken, *packages]
    release = Release(tuple(each.artifact for each in archives), "abc1234")
    smoke = {name: checkout.project.functions[key].smoke for key, name in environment.function_names.items()}
    sources = Sources({each.artifact.name: each.path for each in archives})
    with pytest.raises(ReleaseError, match="Runtime.ImportModuleError: .*No module named 'yaml'"):
        carry_out(
            Goal(environment, release, smoke=smoke),
            UPDATE_LAMBDAS,
            reach(project.command, environment, sources),
            silent,
        )
    assert running() == before
