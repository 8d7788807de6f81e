"""What is removed from a cache, and above all what is not."""

import os
from pathlib import Path

import pytest

from tasks.project.cache import bound, empty, entries

DIGEST = "0123456789abcdef"
OURS = {
    f"archives/{DIGEST * 2}.zip": 100,
    f"archives/{DIGEST * 2}.json": 10,
    f"archives/{DIGEST * 2}.cdx.json": 10,
    f"built/{DIGEST}/a.whl": 20,
    f"files/{DIGEST}/b.whl": 30,
    f"index/pylock.{DIGEST}.toml": 1,
    f"modules/{DIGEST * 4}.json": 1,
    f"sources/{DIGEST}-11-01234567.json": 1,
    f"stages/{DIGEST}-python3.12/opt/python/c.py": 5,
    f"trials/{DIGEST}.json": 1,
    f"twins/{DIGEST}/d.py": 6,
}
OTHERS = ["files/thesis.docx", "archives/photos.zip", "stages/mine/a.py", "sandboxes/" + DIGEST, "a.txt", "built/x/y"]
NOW = 10_000_000.0


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache whose folder somebody else uses, too."""
    for name, size in {**OURS, **dict.fromkeys(OTHERS, 7)}.items():
        path = tmp_path / "cache" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    return tmp_path / "cache"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_all_that_is_kept_is_told_by_its_form_and_nothing_else_is_removed(cache: Path) -> None:
    assert empty(cache) == sum(OURS.values())
    assert files(cache) == sorted(OTHERS)


def test_nothing_is_removed_through_a_link(cache: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / DIGEST).mkdir(parents=True)
    (outside / DIGEST / "precious").write_text("")
    (cache / "twins" / DIGEST[::-1]).symlink_to(outside)
    (cache / f"stages/{DIGEST}-python3.12/link").symlink_to(outside)
    for path in (cache / "files" / DIGEST / "b.whl", cache / "files" / "thesis.docx"):
        path.unlink()
    (cache / "files" / DIGEST).rmdir()
    (cache / "files").rmdir()
    (cache / "files").symlink_to(outside)
    empty(cache)
    assert (outside / DIGEST / "precious").exists()
    assert (cache / "twins" / DIGEST[::-1]).is_symlink()
    assert (cache / "files").is_symlink()


def test_what_cannot_be_removed_is_no_entry_any_more(cache: Path) -> None:
    (kept,) = [each for each in entries(cache) if each.paths[0].parent.name == "twins"]
    kept.paths[0].rename(kept.paths[0].with_name(f".gone-{DIGEST}"))  # as a removal leaves it where a file is in use
    assert not (cache / "twins" / DIGEST).exists()
    empty(cache)
    assert list((cache / "twins").iterdir()) == []


def test_a_folder_is_no_archive_and_a_file_no_twin(cache: Path) -> None:
    (cache / "archives" / f"{DIGEST[::-1] * 2}.zip").mkdir()
    (cache / "archives" / f"{DIGEST[::-1] * 2}.zip" / "mine").touch()
    (cache / "twins" / DIGEST[::-1]).touch()
    empty(cache)
    assert (cache / "archives" / f"{DIGEST[::-1] * 2}.zip" / "mine").exists()
    assert (cache / "twins" / DIGEST[::-1]).exists()


def test_an_archive_goes_with_all_that_is_said_of_it(cache: Path) -> None:
    sizes = [each.size for each in entries(cache) if each.paths[0].parent.name == "archives"]
    assert sizes == [120]


def used(cache: Path, days: dict[str, float]) -> None:
    """Date everything that is kept to now, and some of it to so many days ago."""
    for each in entries(cache):
        for path in each.paths:
            ago = next((ago for name, ago in days.items() if name in path.as_posix()), 0)
            os.utime(path, (NOW, NOW - ago * 86_400))


def test_what_was_used_longest_ago_makes_room_once_there_is_too_much(cache: Path) -> None:
    used(cache, {"twins": 9, "files": 8, "built": 7})
    bound(cache, most=180, clock=lambda: NOW)
    left = {name for name in OURS if (cache / name).exists()}
    assert OURS.keys() - left == {f"twins/{DIGEST}/d.py", f"files/{DIGEST}/b.whl", f"built/{DIGEST}/a.whl"}


def test_what_fits_stays_however_old(cache: Path) -> None:
    used(cache, {"": 900})
    bound(cache, most=sum(OURS.values()), clock=lambda: NOW)
    assert set(OURS) <= set(files(cache))


def test_what_was_used_within_a_day_stays_however_much_it_is(cache: Path) -> None:
    used(cache, {"": 0.9})
    bound(cache, most=1, clock=lambda: NOW)
    assert set(OURS) <= set(files(cache))


def test_it_is_measured_once_a_day(cache: Path) -> None:
    used(cache, {"twins": 9})
    (cache / "bounded").touch()
    os.utime(cache / "bounded", (NOW, NOW - 86_000))
    bound(cache, most=1, clock=lambda: NOW)
    assert (cache / "twins" / DIGEST / "d.py").exists()
    bound(cache, most=1, clock=lambda: NOW + 1000)
    assert not (cache / "twins" / DIGEST).exists()


def test_without_a_cache_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert empty(tmp_path / "none") == 0
    bound(tmp_path / "none")
