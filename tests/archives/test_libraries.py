"""Libraries of the system that Lambda does not have, whatever this machine has."""

from pathlib import Path

import pytest

from tasks.archives.libraries import library_notes
from tests.archives.test_checks import archive, library

NEEDS = {"python/db.so": library(other="libodbc.so.2")}


def test_a_library_that_neither_lambda_nor_a_layer_has_is_named_with_who_needs_it(tmp_path: Path) -> None:
    more = {**NEEDS, "python/two.so": library(other="libodbc.so.2")}
    (said,) = library_notes([archive(tmp_path / "a.zip", more)], ())
    assert said.startswith(
        "python/db.so (and 1 more) needs libodbc.so.2, which no layer brings and Lambda does not have"
    )
    assert said.endswith('"python/db.so" = "..."')


@pytest.mark.parametrize("name", ["libstdc++.so.6", "libz.so.1", "ld-linux-aarch64.so.1", "libpython3.12.so.1.0"])
def test_what_lambda_has_may_be_needed(tmp_path: Path, name: str) -> None:
    assert list(library_notes([archive(tmp_path / "a.zip", {"python/a.so": library(other=name)})], ())) == []


def test_what_another_layer_brings_may_be_needed(tmp_path: Path) -> None:
    other = archive(tmp_path / "b.zip", {"lib/libodbc.so.2": library()})
    assert list(library_notes([archive(tmp_path / "a.zip", NEEDS), other], ())) == []


@pytest.mark.parametrize("allowed", ["db.so", "python/db.so"])
def test_release_toml_can_say_why_a_library_is_not_needed(tmp_path: Path, allowed: str) -> None:
    assert list(library_notes([archive(tmp_path / "a.zip", NEEDS)], [allowed])) == []


def test_what_is_no_library_needs_none(tmp_path: Path) -> None:
    assert list(library_notes([archive(tmp_path / "a.zip", {"python/a.so": b"x"})], ())) == []
