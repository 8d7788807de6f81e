"""The user's own trap on his own project: PyYAML missing from the layer, found by the smoke test and undone."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.archives.archive import stored, tree_digest, write_archive
from tasks.archives.workshop import Built
from tasks.aws.connection import connect
from tasks.building import build_artifacts
from tasks.errors import ReleaseError
from tasks.project.command import Site
from tasks.project.workspace import Workspace
from tasks.releasing import DEPLOY, release_archives
from tasks.sandbox.invocation import stop_all
from tasks.sandbox.server import Server
from tests.conftest import refresh

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(os.name == "nt", reason="awslambdaric is for Linux")


@pytest.fixture
def project(server: Server, tmp_path: Path) -> Iterator[Site]:
    """This repository's own project, on a sandbox that holds its environments."""
    for name in ("release.toml", "VERSION"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("src_v2", "canonical"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    workspace = Workspace(tmp_path)
    yield Site(workspace, refresh(server, workspace.project(), tmp_path / "canonical"))
    stop_all()


def without_yaml(built: Built) -> Built:
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
        "tree": tree_digest(members),
        "sha256": sha256,
        "size": path.stat().st_size,
    }
    return Built(replace(built.artifact, modules=modules, **changed), path, cached=False)


def test_a_layer_without_pyyaml_is_found_by_the_smoke_test_and_the_functions_get_their_former_layers_back(
    project: Site,
) -> None:
    settings = project.workspace.project()
    environment = settings.environment("dev")
    core, deps, *packages = build_artifacts(project.workspace, settings, settings.select(""))
    release_archives(project, environment, DEPLOY, [core, deps, *packages])
    functions = connect(environment, project.endpoint).functions

    def layers() -> list[list[str]]:
        found = [functions.get_function(FunctionName=name) for name in environment.function_names.values()]
        return [[layer["Arn"] for layer in each["Configuration"]["Layers"]] for each in found]

    before = layers()
    with pytest.raises(ReleaseError, match="Runtime.ImportModuleError: .*No module named 'yaml'"):
        release_archives(project, environment, DEPLOY, [core, without_yaml(deps), *packages])
    assert layers() == before
