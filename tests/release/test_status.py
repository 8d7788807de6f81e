"""What stands of an environment, from values alone."""

from dataclasses import replace

import pytest

from tasks.release.deployed import Facts
from tasks.release.evidence import Evidence
from tasks.release.journal import Status as Ended
from tasks.release.journal import snapshot
from tasks.release.status import Mark, Status, status_of
from tests.examples import DEV, STAGE, function, running
from tests.release.test_findings import INGEST, LETTER, NEWER, PACKAGED, entry, evidence, state, with_function


def test_what_is_as_it_was_deployed_is_ok_with_layers_and_package_of_each_function() -> None:
    found = status_of(evidence(), None)
    assert (found.mark, found.entry, found.why) == (Mark.OK, entry(), ())
    package = PACKAGED.packages["ingest"].sha256[:8]
    assert [(row.name, row.mark, row.runtime, row.layers, row.package) for row in found.rows] == [
        (INGEST, Mark.OK, "python3.12", "core 1.2.4, deps 1.0.5", package),
        (LETTER, Mark.OK, "python3.11", "core 1.2.4, deps 1.0.5", "00000000"),
    ]


def with_layers(*names: str) -> Evidence:
    """Dev, some of whose functions have lost their layers."""
    deployed, bare = running(PACKAGED), function()
    left = {name: bare if name in names else each for name, each in deployed.functions.items()}
    return evidence(deployed=replace(deployed, functions=left))


@pytest.mark.parametrize(
    ("found", "mark"),
    [
        (state(runtime="python3.13"), Mark.DRIFTED),
        (with_function(lambda there: replace(there, failed="no role")), Mark.DRIFTED),
        (evidence(objects={next(iter(evidence().objects)): None}), Mark.DRIFTED),
        (state(layers=(NEWER,)), Mark.MIXED),
        (with_layers(INGEST), Mark.MIXED),
        (with_layers(INGEST, LETTER), Mark.DRIFTED),
        (evidence(unread={("function", INGEST): "lambda:GetFunction is missing"}), Mark.UNKNOWN),
        (evidence(deployed=replace(running(PACKAGED), functions={})), Mark.MISSING),
        (replace(with_layers(INGEST, LETTER), entries={}), Mark.MISSING),
        (evidence(entries={}), Mark.MISSING),
    ],
)
def test_the_mark_of_an_environment(found: Evidence, mark: Mark) -> None:
    assert status_of(found, None).mark is mark


def test_what_may_not_be_read_is_said_where_nothing_is_deployed_too() -> None:
    dark = evidence(deployed=replace(running(PACKAGED), functions={}), unread={("entries", ""): "s3:ListBucket"})
    assert status_of(dark, None).why[1:] == ("s3:ListBucket",)


def test_a_function_without_layers_of_ours_says_so() -> None:
    assert status_of(with_layers(INGEST), None).rows[0].layers == "none of ours"
    nothing = replace(with_layers(INGEST), entries={})
    assert [(row.mark, row.layers) for row in status_of(nothing, None).rows[:1]] == [(Mark.MISSING, "none of ours")]


def with_newest(source: str, here: str) -> Status:
    """Stage at one version, while dev is at another."""
    left = entry(version=f"core {here}, deps 1.0.5", after=snapshot(running(PACKAGED, STAGE)), runs=PACKAGED.key)
    there = evidence(environment=STAGE, deployed=running(PACKAGED, STAGE), entries={1: left})
    return status_of(there, entry(7, version=f"core {source}, deps 1.0.5", runs="releases/other.json"))


@pytest.mark.parametrize(
    ("source", "mark", "why"),
    [
        ("1.3.0", Mark.BEHIND, "dev is at core 1.3.0, deps 1.0.5; run: inv promote --to stage --version 1.3.0"),
        ("1.10.0", Mark.BEHIND, "dev is at core 1.10.0, deps 1.0.5; run: inv promote --to stage --version 1.10.0"),
        ("1.2.3", Mark.OK, "dev is at core 1.2.3, deps 1.0.5, which is older than what runs here"),
        ("none", Mark.BEHIND, "dev is at core none, deps 1.0.5; run: inv promote --to stage --version VERSION"),
    ],
)
def test_an_environment_is_behind_what_comes_next_unless_that_is_older(source: str, mark: Mark, why: str) -> None:
    found = with_newest(source, "1.2.4")
    assert (found.mark, found.why) == (mark, (why,))


def test_an_entry_that_is_open_comes_with_the_ways_out_once() -> None:
    cut_off = replace(entry(2), status=Ended.OPEN, runs="", after=None)
    why = status_of(evidence(entries={2: cut_off, 1: entry()}), None).why
    assert [each for each in why if "cut off" in each] == list(why)
    assert len(why) == 1


def test_a_first_deployment_that_was_cut_off_is_told_where_nothing_runs() -> None:
    first = replace(entry(), status=Ended.OPEN, runs="", after=None)
    found = status_of(evidence(entries={1: first}, deployed=replace(running(PACKAGED), functions={})), None)
    assert found.mark is Mark.MISSING
    assert [each.split(";")[0].split(",")[0] for each in found.why] == [
        "Nothing was deployed to dev yet",
        "The deployment of core 1.2.4",
    ]


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"managed-by": "Terraform"}, "is tagged as Terraform's, whose next apply takes these layers off"),
        ({"terraform": "yes"}, "is tagged as Terraform's, whose next apply takes these layers off"),
        (
            {"aws:cloudformation:stack-name": "news"},
            "belongs to the CloudFormation stack news, whose next update takes these layers off",
        ),
        ({"team": "news"}, ""),
    ],
)
def test_what_others_would_take_off_again_is_told(tags: dict[str, str], text: str) -> None:
    found = status_of(with_function(lambda there: replace(there, facts=Facts(tags=tags))), None)
    assert [each.startswith(f"{INGEST} {text}") for each in found.why] == ([True] if text else [])
    assert found.mark is Mark.OK


def test_dev_itself_is_behind_nothing() -> None:
    assert status_of(evidence(environment=DEV), None).mark is Mark.OK
