"""`inv bump` and the VERSION file of this repository itself."""

from tasks.project.command import ROOT
from tasks.project.workspace import Workspace


def test_this_repositorys_own_files_fit_together() -> None:
    assert list(Workspace(ROOT).checkout().versions) == ["vectora-core", "common-deps"]
