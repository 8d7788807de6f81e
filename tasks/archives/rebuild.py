"""Builds what runs again, from the commit it was deployed from, in a work tree of its own beside the user's."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.archives.recipes import recipe_for
from tasks.archives.workshop import make
from tasks.errors import ReleaseError
from tasks.project.workspace import Workspace
from tasks.release.release import Release


def rebuilt_trees(workspace: Workspace, release: Release, commit: str) -> tuple[dict[str, str], str]:
    """The tree digest of each artifact of a release as its commit builds it, by its key; or why that is unknown."""
    if commit.endswith("-dirty") or commit == "none":
        return {}, f"what runs was not built from a clean commit ({commit}), so nobody can build it again"
    try:
        with _work_tree(workspace.root, commit) as folder:
            checkout = Workspace(folder).checkout()
            names = [each for each in release.artifacts if each.name in checkout.project.select("")]
            made = [make(checkout, each.name, recipe_for(checkout, each.name), lambda _event: None) for each in names]
            return {each.key: archive.artifact.tree for each, archive in zip(names, made, strict=True)}, ""
    except ReleaseError as error:
        return {}, f"commit {commit} cannot be built here: {error}"


@contextmanager
def _work_tree(root: Path, commit: str) -> Iterator[Path]:
    """The files of a commit in a folder that is gone afterwards; what the user has checked out is not touched."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        top = Path(scratch).resolve() / "tree"
        below = _git(root, "rev-parse", "--show-prefix").strip()
        _git(root, "worktree", "add", "--detach", "--quiet", str(top), commit)
        try:
            yield top / below
        finally:
            _git(root, "worktree", "remove", "--force", str(top))


def _git(root: Path, *command: str) -> str:
    """What a git command prints. ReleaseError if it fails: no such commit in this clone, no git."""
    try:
        result = subprocess.run(["git", *command], cwd=root, capture_output=True, check=True)  # noqa: S607
    except OSError as error:
        raise ReleaseError(f"git cannot be run ({error.strerror})") from error
    except subprocess.CalledProcessError as error:
        complaint = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise ReleaseError(f"{' '.join(complaint)}; fetch it, and run the same command again") from error
    return result.stdout.decode("utf-8", "replace")
