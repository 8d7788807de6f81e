"""`inv bump` and the VERSION file of this repository itself."""

from tasks.project.command import WORKSPACE


def test_this_repositorys_own_files_fit_together() -> None:
    versions = WORKSPACE.versions(WORKSPACE.project())
    assert list(versions) == ["vectora-core", "common-deps"]
