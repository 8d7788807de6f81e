"""What Windows asks of a repository, as far as it can be seen from elsewhere."""

import re
import subprocess
from pathlib import Path

import pytest

from tasks.project.workspace import Workspace
from tests.examples import RELEASE

ROOT = Path(__file__).parent.parent
LONGEST, A_ROOT = 260, 80
"""Characters of a path, and of a folder that a user may work in."""
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?$|.*[<>:\"|?*\\]|.*[ .]$", re.IGNORECASE)


def tracked() -> list[str]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a work tree")
    return listed.stdout.decode().split("\0")[:-1]


def test_no_path_is_too_long_for_windows() -> None:
    built = [f".build/{each.key}" for each in RELEASE.artifacts] + [
        f".build/{each.bill_key}" for each in RELEASE.artifacts
    ]
    aside = len(".new-") + 8
    assert [name for name in [*tracked(), *built] if A_ROOT + 1 + len(name) + aside >= LONGEST] == []


def test_no_name_is_one_that_windows_keeps_for_itself() -> None:
    assert [name for name in tracked() if any(RESERVED.match(part) for part in name.split("/"))] == []


def test_no_two_names_differ_in_case_alone() -> None:
    names = [name.lower() for name in tracked()]
    assert len(set(names)) == len(names)


def test_what_is_kept_between_builds_lies_outside_of_the_repository(tmp_path: Path) -> None:
    assert tmp_path not in Workspace(tmp_path).cache.parents
    assert tmp_path not in Workspace(tmp_path).sandbox.parents
