from dataclasses import replace

import pytest

from tasks.errors import PlanError
from tasks.release.deployed import Deployed
from tasks.release.functions import LayerVersion
from tasks.release.journal import Entry, Status, Who
from tasks.release.plan import UPDATE_LAMBDAS, Goal, plan
from tasks.release.promotion import check_route, check_source, find_release, repair_command, running_release
from tasks.release.release import Release
from tests.examples import (
    CORE,
    DEPS,
    DEV,
    FOREIGN,
    PROJECT,
    RELEASE,
    STAGE,
    arn,
    artifact,
    function,
    functions,
    package,
    running,
)
from tests.examples import layer_version as published

NOT_CONFIRMED = "that, or a function's package, is not what its journal(?: .entry ..)? and its record say"
RUNNING = {"core": published(CORE), "deps": published(DEPS)}
SOURCE = replace(
    running(),
    objects={CORE.key: CORE.sha256, DEPS.key: DEPS.sha256},
    digests={RUNNING["core"].arn: CORE.sha256, RUNNING["deps"].arn: DEPS.sha256},
)


def confirmed(release: Release = RELEASE) -> Entry:
    return Entry(3, "deploy", release.key, str(release), "c", Who(), "", Status.CONFIRMED, runs=release.key)


def test_a_release_comes_from_the_environment_before() -> None:
    assert check_route(PROJECT, "", "stage", "1.2.4") == (DEV, STAGE)


@pytest.mark.parametrize(("source", "target"), [("dev", "prod"), ("stage", "stage"), ("prod", "stage")])
def test_no_environment_is_left_out_turned_round_or_promoted_into_itself(source: str, target: str) -> None:
    with pytest.raises(PlanError, match=f"Cannot promote from {source} to {target}"):
        check_route(PROJECT, source, target, "1.2.4")


def test_nothing_is_promoted_into_the_first_environment() -> None:
    with pytest.raises(PlanError, match="Nothing is promoted into dev.*run: inv deploy --env dev"):
        check_route(PROJECT, "", "dev", "1.2.4")


def test_the_version_names_the_release_that_the_source_runs_with_each_layer_at_its_own_version() -> None:
    carried = running_release(DEV, running(), "1.2.4")
    assert {layer: version.version for layer, version in carried.items()} == {"core": "1.2.4", "deps": "1.0.5"}


def test_a_version_that_the_source_does_not_run_is_refused_saying_which_it_runs() -> None:
    advice = "it runs core 1.2.4, deps 1.0.5; .*check out its commit, run: inv deploy .*inv rollback --env dev --to 9.9"
    with pytest.raises(PlanError, match=advice):
        running_release(DEV, running(), "9.9.9")


def test_a_layer_that_was_never_published_could_not_get_a_layer_version() -> None:
    with pytest.raises(
        PlanError, match="Could not get layer version: dev never published core and deps; run: inv deploy"
    ):
        running_release(DEV, Deployed(functions=functions([FOREIGN])), "1.2.4")


def test_a_published_layer_that_no_function_carries_is_not_running_because_it_once_passed_for_deployed() -> None:
    deployed = replace(running(), functions=functions([FOREIGN]))
    with pytest.raises(PlanError, match="news-ingest-dev runs no released version of core, so"):
        running_release(DEV, deployed, "1.2.4")


def test_a_layer_version_by_other_hands_is_no_release() -> None:
    by_hand = LayerVersion(arn(DEV, "core", 1), "by hand", "core")
    deployed = replace(running(), functions=functions([by_hand, published(DEPS)]))
    with pytest.raises(PlanError, match="runs no released version of core,"):
        running_release(DEV, deployed, "1.2.4")


def test_functions_that_disagree_run_no_release_because_one_was_once_forgotten() -> None:
    old = artifact("core", "1.2.3", "older")
    layers = {"core": (published(CORE, 2), published(old, 1)), "deps": (published(DEPS),)}
    states = functions([published(CORE, 2), published(DEPS)])
    states["news-letter-dev"] = function([published(old, 1), published(DEPS)])
    with pytest.raises(PlanError, match="different releases: .*core 1.2.4.*news-letter-dev runs core 1.2.3"):
        running_release(DEV, Deployed(layers=layers, functions=states), "1.2.4")


def test_an_environment_without_functions_runs_nothing() -> None:
    with pytest.raises(PlanError, match="none of its functions exists"):
        running_release(DEV, replace(running(), functions={}), "1.2.4")


def test_the_record_says_what_is_promoted() -> None:
    older = Release((artifact("core", "1.2.4", "older"), DEPS), "abc1234")
    assert find_release(DEV, running(), RUNNING, [older, RELEASE], confirmed()) == RELEASE


def test_an_environment_that_runs_no_recorded_release_is_refused() -> None:
    words = "dev runs core 1.2.4, deps 1.0.5: that, .* journal .entry 3. and its record say; run: inv deploy"
    with pytest.raises(PlanError, match=words):
        find_release(DEV, running(), RUNNING, [], confirmed())


def test_a_record_that_lacks_a_layer_which_runs_is_another_release() -> None:
    without_deps = Release((CORE,), "abc1234")
    with pytest.raises(PlanError, match=NOT_CONFIRMED):
        find_release(DEV, running(), RUNNING, [without_deps], confirmed(without_deps))


def test_a_function_that_runs_another_package_than_the_recorded_one_is_no_release() -> None:
    with_package = Release((CORE, DEPS, package("ingest")), "abc1234")
    with pytest.raises(PlanError, match=NOT_CONFIRMED):
        find_release(DEV, running(), RUNNING, [with_package], confirmed(with_package))
    states = dict.fromkeys(running().functions, function([], package=package("ingest").sha256))
    deployed = replace(running(), functions=states)
    assert find_release(DEV, deployed, RUNNING, [with_package], confirmed(with_package)) == with_package


def test_a_source_that_holds_the_bytes_of_its_release_is_fine() -> None:
    check_source(DEV, SOURCE, RUNNING, RELEASE)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (replace(SOURCE, objects={CORE.key: CORE.sha256}), "deps-1.0.5.zip is missing"),
        (replace(SOURCE, objects={**SOURCE.objects, DEPS.key: ""}), "has other bytes than its release"),
        (
            replace(SOURCE, digests={**SOURCE.digests, RUNNING["core"].arn: DEPS.sha256}),
            "whose bytes are not those of core 1.2.4",
        ),
    ],
)
def test_a_source_without_those_bytes_is_refused_because_stale_zips_were_once_promoted(
    source: Deployed, message: str
) -> None:
    with pytest.raises(PlanError, match=f"{message}.*run: inv deploy --env dev"):
        check_source(DEV, source, RUNNING, RELEASE)


def test_advice_about_a_later_environment_is_to_promote_never_to_deploy_into_it() -> None:
    with pytest.raises(PlanError, match="stage never published .*; run: inv promote --to stage --version 1.2.4"):
        running_release(STAGE, Deployed(functions=functions([FOREIGN], STAGE)), "1.2.4")


@pytest.mark.parametrize("version", ["abc", "v1.2.4", "1.2"])
def test_a_version_that_is_none_is_refused_as_such(version: str) -> None:
    with pytest.raises(PlanError, match=f"--version '{version}' is not MAJOR.MINOR.PATCH"):
        check_route(PROJECT, "", "stage", version)


def test_of_records_that_differ_in_configuration_alone_the_confirmed_one_is_meant() -> None:
    other = replace(RELEASE, canonical={"canonical/scopes.yaml": "f" * 64})
    assert find_release(DEV, running(), RUNNING, [other, RELEASE], confirmed()) == RELEASE
    assert find_release(DEV, running(), RUNNING, [other, RELEASE], confirmed(other)) == other


def test_promoting_again_finds_nothing_to_do() -> None:
    assert plan(Goal(STAGE, RELEASE, DEV), running(environment=STAGE), UPDATE_LAMBDAS).actions == ()


def test_a_target_that_knows_the_version_with_other_contents_is_refused() -> None:
    stale = replace(running(environment=STAGE), objects={CORE.key: DEPS.sha256})
    with pytest.raises(PlanError, match="core 1.2.4 exists in stage with other contents"):
        plan(Goal(STAGE, RELEASE, DEV), stale, UPDATE_LAMBDAS)


def test_a_source_whose_journal_confirms_another_release_is_refused_with_what_to_do() -> None:
    newest = Entry(
        4, "deploy", "releases/x.json", "core 9.9.9", "c", Who(), "", Status.CONFIRMED, runs="releases/x.json"
    )
    with pytest.raises(PlanError, match=r"journal \(entry 4\) and its record say; run: inv deploy --env dev$"):
        find_release(DEV, running(), RUNNING, [RELEASE], newest)


def test_a_source_whose_deployment_was_cut_off_is_refused_with_both_ways_out() -> None:
    newest = Entry(4, "deploy", RELEASE.key, "core 1.2.4", "c", Who(user="Anna"), "", Status.ABANDONED)
    with pytest.raises(
        PlanError, match="deployment of core 1.2.4 to dev is not over, or was cut off .entry 4, Anna.*rollback"
    ):
        find_release(DEV, running(), RUNNING, [RELEASE], newest)


@pytest.mark.parametrize("newest", [None, Entry(1, "publish", RELEASE.key, "x", "c", Who(), "", Status.CONFIRMED)])
def test_what_was_never_confirmed_is_not_promoted(newest: Entry | None) -> None:
    with pytest.raises(PlanError, match=NOT_CONFIRMED):
        find_release(DEV, running(), RUNNING, [RELEASE], newest)


def test_a_layer_that_was_taken_off_every_function_by_hand_leaves_no_release() -> None:
    deployed = replace(running(), functions=functions([published(CORE)]))
    carried = running_release(DEV, deployed, "1.2.4")
    assert list(carried) == ["core"]
    with pytest.raises(PlanError, match=NOT_CONFIRMED):
        find_release(DEV, deployed, carried, [RELEASE], confirmed())


def test_a_function_that_is_gone_does_not_hide_which_release_the_others_run() -> None:
    packaged = Release((CORE, DEPS, package("ingest"), package("letter")), "abc1234", RELEASE.functions)
    there = running(packaged)
    left = replace(there, functions={"news-ingest-dev": there.functions["news-ingest-dev"]})
    assert find_release(DEV, left, RUNNING, [packaged], confirmed(packaged)) == packaged
    other = replace(there.functions["news-ingest-dev"].state, package="f" * 64)
    changed = {"news-ingest-dev": replace(there.functions["news-ingest-dev"], state=other)}
    with pytest.raises(PlanError, match=NOT_CONFIRMED):
        find_release(DEV, replace(left, functions=changed), RUNNING, [packaged], confirmed(packaged))


@pytest.mark.parametrize("version", ["1.0.1;curl${IFS}x", "1.2", "$(x)", ""])
def test_what_is_no_version_becomes_no_part_of_a_command(version: str) -> None:
    assert repair_command(STAGE, version) == "run: inv promote --to stage --version VERSION"
