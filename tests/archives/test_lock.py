from pathlib import Path

import pytest

from tasks.archives.lock import read_lock, write_lock
from tasks.errors import BuildError
from tasks.project.runtimes import RUNTIMES
from tests.archives.wheelhouse import list_wheels, make_wheel

RUNTIME = RUNTIMES["python3.11"]


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Requirements that are locked against a folder of wheels, no index asked."""
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "alpha", "1.0", requires="beta; sys_platform == 'linux'")
    make_wheel(wheels, "beta", "2.0")
    monkeypatch.setenv("UV_DEFAULT_INDEX", list_wheels(wheels))
    monkeypatch.setenv("UV_NO_CACHE", "1")
    path = tmp_path / "requirements.txt"
    path.write_text("alpha>=1.0  # ours\n")
    write_lock(path, RUNTIME)
    return path


def test_the_lock_pins_the_full_closure_with_hashes(requirements: Path) -> None:
    pins = read_lock(requirements, RUNTIME)
    assert [str(pin) for pin in pins] == ["alpha 1.0", "beta 2.0"]
    assert all(pin.hashes for pin in pins)


def test_a_marker_says_which_runtimes_need_a_package(requirements: Path) -> None:
    beta = read_lock(requirements, RUNTIME)[1]
    assert beta.marker
    assert beta.applies(RUNTIME, "x86_64")


def test_locking_again_changes_nothing(requirements: Path) -> None:
    lock = requirements.with_suffix(".lock")
    before = lock.read_bytes()
    write_lock(requirements, RUNTIME)
    assert lock.read_bytes() == before


def test_a_lock_keeps_its_pins_when_newer_versions_appear(requirements: Path) -> None:
    make_wheel(requirements.parent / "wheels", "beta", "3.0")
    list_wheels(requirements.parent / "wheels")
    write_lock(requirements, RUNTIME)
    assert [str(pin) for pin in read_lock(requirements, RUNTIME)] == ["alpha 1.0", "beta 2.0"]
    write_lock(requirements, RUNTIME, ("--upgrade",))
    assert [str(pin) for pin in read_lock(requirements, RUNTIME)] == ["alpha 1.0", "beta 3.0"]


def test_comments_order_and_line_endings_do_not_make_a_lock_outdated(requirements: Path) -> None:
    requirements.write_bytes(b"# why\r\n\r\nalpha>=1.0\r\n")
    lock = requirements.with_suffix(".lock")
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    assert len(read_lock(requirements, RUNTIME)) == 2


def test_requirements_that_were_never_locked_are_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("alpha\n")
    with pytest.raises(BuildError, match=r"not locked: .*requirements\.lock not found; run: inv lock"):
        read_lock(tmp_path / "requirements.txt", RUNTIME)


@pytest.mark.parametrize("text", ["alpha>=1.0\nbeta\n", "alpha>=1.1\n", ""])
def test_a_lock_older_than_its_requirements_is_refused(requirements: Path, text: str) -> None:
    requirements.write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match="out of date.*run: inv lock"):
        read_lock(requirements, RUNTIME)


def test_a_lock_for_a_later_runtime_is_refused(requirements: Path) -> None:
    with pytest.raises(BuildError, match="the runtimes have changed"):
        read_lock(requirements, RUNTIMES["python3.10"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("alpha==1.0", "alpha==0.9", "pins alpha 0.9, but alpha>=1.0 is required"),
        ("alpha==1.0", "alpha>=1.0", "is not pinned with sha256 hashes"),
        ("alpha==1.0", "gamma==1.0", "has no alpha"),
        ("--hash=sha256:", "--hash=sha256:zz", "is not pinned with sha256 hashes"),
    ],
)
def test_a_lock_edited_by_hand_is_refused(requirements: Path, old: str, new: str, message: str) -> None:
    lock = requirements.with_suffix(".lock")
    lock.write_text(lock.read_text().replace(old, new))
    with pytest.raises(BuildError, match=message):
        read_lock(requirements, RUNTIME)


def test_a_requirement_that_cannot_be_resolved_leaves_the_lock_as_it_was(requirements: Path) -> None:
    lock = requirements.with_suffix(".lock")
    before = lock.read_bytes()
    requirements.write_text("nowhere-to-be-found\n", encoding="utf-8")
    with pytest.raises(BuildError, match="nowhere-to-be-found"):
        write_lock(requirements, RUNTIME)
    assert lock.read_bytes() == before
    assert sorted(path.name for path in requirements.parent.iterdir()) == [
        "requirements.lock",
        "requirements.txt",
        "wheels",
    ]


def test_a_line_that_is_no_requirement_is_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r other.txt\n")
    with pytest.raises(BuildError, match="'-r other.txt' is not a requirement"):
        write_lock(tmp_path / "requirements.txt", RUNTIME)


def test_a_missing_requirements_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="Requirements file not found"):
        read_lock(tmp_path / "requirements.txt", RUNTIME)


def test_locking_says_what_has_changed(requirements: Path) -> None:
    make_wheel(requirements.parent / "wheels", "beta", "3.0")
    list_wheels(requirements.parent / "wheels")
    assert write_lock(requirements, RUNTIME)[1] == []
    assert write_lock(requirements, RUNTIME, ("--upgrade-package", "Beta"))[1] == ["beta 2.0 -> 3.0"]


def test_a_package_to_upgrade_must_be_in_the_lock(requirements: Path) -> None:
    with pytest.raises(BuildError, match="requirements.lock has no gamma; name one of: alpha, beta"):
        write_lock(requirements, RUNTIME, ("--upgrade-package", "gamma"))


def test_a_line_that_was_lost_from_the_lock_is_noticed_because_a_dependency_once_was_missing(
    requirements: Path,
) -> None:
    lock = requirements.with_suffix(".lock")
    text = lock.read_text()
    lock.write_text(text[: text.index("beta==")])
    with pytest.raises(BuildError, match="was edited by hand"):
        read_lock(requirements, RUNTIME)
