"""Builds what runs again, from the commit it was deployed from, in a work tree of its own beside the user's."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.archives.workshop import make_all
from tasks.errors import ReleaseError
from tasks.project.git import ask_git
from tasks.project.workspace import Workspace
from tasks.release.release import Release


def rebuilt_trees(workspace: Workspace, release: Release, commit: str) -> tuple[dict[str, str], str]:
    """The tree digest of each artifact of a release as its commit builds it, by its key; or why that is unknown."""
    if not re.fullmatch("[0-9a-f]{7,40}", commit):
        return {}, f"what runs was not built from a clean commit ({commit}), so nobody can build it again"
    try:
        with _work_tree(workspace.root, commit) as folder:
            checkout = Workspace(folder).checkout()
            trees = {archive.artifact.name: archive.artifact.tree for archive in make_all(checkout)}
            return {each.key: trees[each.name] for each in release.artifacts if each.name in trees}, ""
    except ReleaseError as error:
        return {}, f"commit {commit} cannot be built here: {error}"


@contextmanager
def _work_tree(root: Path, commit: str) -> Iterator[Path]:
    """The files of a commit in a folder that is gone afterwards; what the user has checked out is not touched."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        top = Path(scratch).resolve() / "tree"
        below = ask_git(root, "rev-parse", "--show-prefix")
        if below is None:
            raise ReleaseError("this is no git repository, or git is not installed")
        # held by tests/test_verify.py `('-c', 'core.sparseCheckout=false', '-c', f'core.hooksPath={os.devnull}') -> ()`
        # whole, whatever is checked out beside it; and nobody's hook runs for it
        whole = ("-c", "core.sparseCheckout=false", "-c", f"core.hooksPath={os.devnull}")
        ask_git(root, *whole, "worktree", "add", "--detach", "--quiet", str(top), commit)
        try:
            yield top / below.strip()
        finally:
            ask_git(root, "worktree", "remove", "--force", str(top))
