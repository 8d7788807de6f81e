import json
from dataclasses import replace
from typing import Any

import pytest

from tasks.errors import PlanError
from tasks.release.artifacts import Kind
from tasks.release.codec import SCHEMA
from tasks.release.release import Release, Setting, read_record, write_record
from tests.examples import CORE, DEPS, RELEASE, package

WHOLE = Release((CORE, DEPS, package("ingest")), "abc1234", RELEASE.functions, RELEASE.canonical)


def test_the_format_of_archives_is_recorded_and_the_first_goes_without_saying() -> None:
    assert json.loads(write_record(replace(WHOLE, archives=2)))["archives"] == 2
    assert read_record(write_record(replace(WHOLE, archives=2)), WHOLE.key).archives == 2
    assert "archives" not in json.loads(write_record(WHOLE))


def test_a_record_reads_back_as_the_same_release() -> None:
    assert read_record(write_record(WHOLE), WHOLE.key) == WHOLE


def test_a_record_as_the_first_version_wrote_it_stays_readable() -> None:
    release = Release((CORE, package("ingest")), "abc1234")
    document = json.loads(write_record(release))
    for name in ("schema", "functions", "canonical"):
        del document[name]
    for artifact in document["artifacts"]:
        del artifact["kind"]
    found = read_record(json.dumps(document).encode(), release.key)
    assert [artifact.kind for artifact in found.artifacts] == [Kind.LAYER, Kind.PACKAGE]
    assert found == release


@pytest.mark.parametrize(
    "other",
    [
        replace(WHOLE, artifacts=(CORE, replace(DEPS, version="1.0.6"))),
        replace(WHOLE, artifacts=(CORE, replace(DEPS, tree="0" * 64), package("ingest"))),
        replace(WHOLE, functions={"ingest": Setting("python3.11")}),
        replace(WHOLE, functions={**RELEASE.functions, "ingest": Setting("python3.12", "other.main")}),
        replace(WHOLE, canonical={}),
        replace(WHOLE, canonical={"canonical/scopes.yaml": "0" * 64}),
    ],
)
def test_whatever_differs_makes_another_release_with_a_key_of_its_own(other: Release) -> None:
    assert other.key != WHOLE.key
    assert other.key.startswith("releases/core-1.2.4/")


def test_the_commit_changes_no_bytes_and_so_no_key() -> None:
    assert replace(WHOLE, commit="fffffff").key == WHOLE.key


@pytest.mark.parametrize(
    "contents", [b"", b"\xff", b"[]", b"{}", b'{"commit": "x", "artifacts": [{"name": "core"}]}', b"[" * 9999]
)
def test_a_record_that_is_not_ours_is_refused(contents: bytes) -> None:
    with pytest.raises(PlanError, match="releases/x.json is damaged or was not written by this tool"):
        read_record(contents, "releases/x.json")


def test_what_is_wrong_with_a_record_is_named_with_its_place() -> None:
    document = json.loads(write_record(WHOLE))
    document["artifacts"][1]["size"] = "large"
    with pytest.raises(PlanError, match=r"artifacts\[1\].size"):
        read_record(json.dumps(document).encode(), WHOLE.key)


def test_a_record_of_a_newer_version_is_refused_as_such() -> None:
    document = {**json.loads(write_record(WHOLE)), "schema": SCHEMA + 1}
    with pytest.raises(PlanError, match="written by a newer version of this tool"):
        read_record(json.dumps(document).encode(), WHOLE.key)


def test_a_field_that_is_not_known_yet_is_passed_over() -> None:
    document: dict[str, Any] = {**json.loads(write_record(WHOLE)), "later": 1}
    assert read_record(json.dumps(document).encode(), WHOLE.key) == WHOLE


def test_a_record_that_was_edited_or_lies_under_another_key_is_not_believed() -> None:
    for key, release in [("releases/core-1.2.4/0000.json", WHOLE), (WHOLE.key, replace(WHOLE, canonical={}))]:
        with pytest.raises(PlanError, match="is not the record that was written there"):
            read_record(write_record(release), key)


def test_layers_and_packages_are_told_apart_by_their_kind() -> None:
    assert (WHOLE.layers, list(WHOLE.packages)) == ((CORE, DEPS), ["ingest"])


def test_a_release_reads_as_its_layers() -> None:
    assert str(WHOLE) == "core 1.2.4, deps 1.0.5"


@pytest.mark.parametrize(
    "odd",
    [
        replace(WHOLE, artifacts=(replace(CORE, version="1.0.1;curl${IFS}x"), DEPS)),
        replace(WHOLE, artifacts=(replace(CORE, name="core\n[SUCCESS]"), DEPS)),
        replace(WHOLE, functions={"ingest": Setting("python3.12", "a.b\x1b[2J")}),
        replace(WHOLE, canonical={"canonical/\x85a.yaml": "0" * 64}),
        replace(WHOLE, commit="abc1234; rm -rf ."),
        replace(WHOLE, artifacts=(replace(CORE, tree="\ud800"), DEPS)),
    ],
)
def test_a_record_whose_names_or_versions_have_another_form_is_none_of_ours(odd: Release) -> None:
    with pytest.raises(PlanError, match="was not written by this tool"):
        read_record(write_record(odd), "releases/x.json")
