"""Which way a release goes, and what is asked first, on values alone."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.errors import PlanError
from tasks.release.actions import Configure
from tasks.release.deployed import CanonicalObject, Deployed
from tasks.release.journal import snapshot
from tasks.release.plan import UPDATE_LAMBDAS, Plan, plan
from tasks.release.rules import committed, enforce, first_only, questions, working
from tests.examples import DEPS, DEV, FOREIGN, GOAL, RELEASE, STAGE, artifact, functions, layer_version, running
from tests.release.test_findings import INGEST, PACKAGED, entry

PLAN = Plan()
REMOVED = [Configure(f"canonical/{name}.yaml", "b", "a" * 64, "", "", "e") for name in "vwxyz"]


def test_only_the_first_environment_is_deployed_to() -> None:
    assert first_only(DEV) == ""
    assert (
        first_only(STAGE) == "stage gets what dev runs, and nothing else; run: inv promote --to stage --version VERSION"
    )


@pytest.mark.parametrize(
    ("commit", "said"), [("abc1234", ""), ("", "no commit yet"), ("none", "no commit yet"), ("abc-dirty", "abc-dirty")]
)
def test_only_what_was_committed_is_promoted(commit: str, said: str) -> None:
    problem = committed(DEV, commit, "1.2.4")
    assert bool(problem) == bool(said)
    assert f"({said})" in problem or not said


def test_a_broken_rule_is_refused_on_aws_a_warning_on_the_sandbox_and_left_aside_in_an_emergency() -> None:
    with pytest.raises(PlanError, match="^not so$"):
        enforce("not so", rehearsal=False, emergency="")
    assert enforce("not so", rehearsal=True, emergency="") == (
        "On AWS this would be refused, and the sandbox goes on: not so"
    )
    for rehearsal in (True, False):
        assert enforce("not so", rehearsal=rehearsal, emergency="fire") == "Rules are left aside (fire): not so"
        assert enforce("", rehearsal=rehearsal, emergency="fire") == ""
        assert enforce("", rehearsal=rehearsal, emergency="") == ""


def asked(now: Deployed | None = None, decided: Plan = PLAN, **changed: Any) -> list[str]:
    newest = entry(**changed)
    return list(questions(replace(DEV, confirm=False), decided, now or running(PACKAGED), newest))


def test_nothing_is_asked_for_most_plans() -> None:
    assert asked() == []


def test_an_environment_that_wants_to_be_asked_for_is() -> None:
    confirm = replace(DEV, confirm=True)
    assert questions(confirm, PLAN, running(PACKAGED), entry()) == ("dev is changed only once somebody agrees",)


def test_what_would_be_removed_is_asked_for_three_by_name() -> None:
    (question,) = asked(decided=replace(PLAN, configure=tuple(REMOVED)))
    assert question == (
        "--delete removes canonical/v.yaml, canonical/w.yaml, canonical/x.yaml and 2 more from s3://news-config-dev"
    )


def test_a_promotion_that_goes_back_is_asked_for() -> None:
    newer = layer_version(artifact("core", "1.10.0", "x"), 2)
    there = replace(running(RELEASE), functions=functions([FOREIGN, newer, layer_version(DEPS)]))
    decided = plan(GOAL, there, UPDATE_LAMBDAS)
    left = entry(after=snapshot(there))
    assert questions(DEV, decided, there, left, "promote") == ("core goes back from 1.10.0 to 1.2.4 in dev",)
    assert questions(DEV, decided, there, left, "rollback") == ()
    forth = plan(
        GOAL, replace(there, functions=functions([layer_version(artifact("core", "1.2.3", "x"), 2)])), UPDATE_LAMBDAS
    )
    assert forth.switch
    assert questions(DEV, forth, there, left, "promote") == ()


def test_what_was_changed_by_hand_since_is_asked_for() -> None:
    deployed = running(PACKAGED)
    there = deployed.functions[INGEST]
    other = {INGEST: replace(there, state=replace(there.state, runtime="python3.13"))}
    assert asked(replace(deployed, functions=other)) == [
        f"{INGEST} was changed by hand since entry 1: runtime python3.12 -> python3.13",
        "news-letter-dev was deleted by hand since entry 1",
    ]
    more = {**deployed.canonical, "canonical/new.yaml": CanonicalObject("f" * 64, "e")}
    assert asked(replace(deployed, canonical=more)) == [
        "s3://news-config-dev was changed by hand since entry 1: canonical/new.yaml"
    ]
    assert asked(replace(deployed, canonical={})) == [
        "s3://news-config-dev was changed by hand since entry 1: canonical/scopes.yaml"
    ]


def test_where_no_end_of_a_deployment_is_known_nothing_counts_as_changed_by_hand() -> None:
    assert asked(Deployed(), after=None) == []
    assert questions(DEV, PLAN, Deployed(), None) == ()


def test_a_smoke_test_that_did_work_on_the_sandbox_is_asked_about_by_its_name_here() -> None:
    work = {"ingest": ("read s3://a/b", "called dynamodb GetItem"), "letter": (), "gone": ("read s3://a/c",)}
    smoke = dict.fromkeys(STAGE.function_names.values(), "{}")
    assert list(working(STAGE, smoke, work)) == [
        "the smoke test of news-ingest-stage does work: on the sandbox it read s3://a/b, called dynamodb GetItem"
    ]
    assert list(working(STAGE, {}, work)) == []
