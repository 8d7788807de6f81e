from dataclasses import replace

import pytest

from tasks.errors import PlanError
from tasks.release.actions import Attach, Publish, Record, Skip, UpdateCode, Upload, Warn, changes
from tasks.release.artifacts import Release
from tasks.release.deployed import Deployed, LayerVersion
from tasks.release.plan import PUBLISH, UPDATE_LAMBDAS, UPLOAD, merge_layers, plan
from tests.examples import (
    CORE,
    DEPS,
    DEV,
    FOREIGN,
    RELEASE,
    arn,
    artifact,
    function,
    functions,
    layer_version,
    package,
    running,
)

EMPTY = Deployed(functions=functions([FOREIGN]))


def test_the_chain_is_literal_each_verb_contains_the_one_before() -> None:
    assert PUBLISH[: len(UPLOAD)] == UPLOAD
    assert UPDATE_LAMBDAS[: len(PUBLISH)] == PUBLISH


def test_an_empty_environment_gets_everything_layer_by_layer_then_functions() -> None:
    kinds = [type(action) for action in plan(UPDATE_LAMBDAS, RELEASE, DEV, EMPTY)]
    assert kinds == [Upload, Publish, Upload, Publish, Record, Attach, Attach]


def test_planning_again_after_applying_gives_an_empty_plan() -> None:
    assert plan(UPDATE_LAMBDAS, RELEASE, DEV, running()) == ()


def test_a_published_layer_is_attached_even_where_nothing_is_published_because_functions_were_once_forgotten() -> None:
    deployed = replace(running(), functions=functions([FOREIGN]))
    actions = plan(UPDATE_LAMBDAS, RELEASE, DEV, deployed)
    assert [type(action) for action in actions] == [Attach, Attach]


def test_the_layer_version_found_by_content_is_attached_never_the_latest() -> None:
    newer = artifact("core", "1.3.0", "second")
    deployed = replace(
        running(), layers={"core": (layer_version(newer, 9), layer_version(CORE, 4)), "deps": (layer_version(DEPS, 2),)}
    )
    attach = next(a for a in plan(UPDATE_LAMBDAS, RELEASE, DEV, deployed) if isinstance(a, Attach))
    assert attach.arns(deployed.found(RELEASE)) == (FOREIGN, arn(DEV, "core", 4), arn(DEV, "deps", 2))


def test_a_version_cannot_change_contents_once_published() -> None:
    deployed = replace(running(), objects={}, layers={"core": (layer_version(artifact("core", "1.2.4", "other")),)})
    with pytest.raises(PlanError, match="core 1.2.4 exists in dev with other contents.*run: inv bump --part patch$"):
        plan(UPLOAD, RELEASE, DEV, deployed)


def test_a_version_cannot_change_contents_once_uploaded() -> None:
    deployed = Deployed(objects={DEPS.key: CORE.sha256})
    with pytest.raises(PlanError, match="deps 1.0.5 exists .*; run: inv bump --part patch --layer deps$"):
        plan(UPLOAD, RELEASE, DEV, deployed)


def test_the_command_to_bump_names_the_layer_even_where_only_that_layer_is_released() -> None:
    deployed = Deployed(objects={DEPS.key: CORE.sha256})
    with pytest.raises(PlanError, match="--layer deps"):
        plan(PUBLISH, Release((DEPS,), "abc1234"), DEV, deployed)


def test_the_same_contents_at_another_version_are_another_artifact() -> None:
    raised = Release((replace(CORE, version="1.2.5"), DEPS), "abc1234")
    actions = plan(PUBLISH, raised, DEV, running())
    assert [str(action) for action in actions] == [
        "Uploading to s3://news-code-dev/layers/core-1.2.5.zip",
        "Publishing layer news-core-dev",
    ]


def test_a_layer_version_by_other_hands_is_not_ours_whatever_its_number() -> None:
    deployed = replace(running(), layers={"core": (LayerVersion(arn(DEV, "core", 3), "by hand"),), "deps": ()})
    assert [type(action) for action in plan(PUBLISH, RELEASE, DEV, deployed)] == [Publish, Publish]


def test_a_missing_function_is_skipped_and_the_others_go_on() -> None:
    deployed = replace(EMPTY, functions={"news-letter-dev": EMPTY.functions["news-letter-dev"]})
    skipped, attached = plan(UPDATE_LAMBDAS, RELEASE, DEV, deployed)[-2:]
    assert (skipped, type(attached)) == (Skip("news-ingest-dev"), Attach)


def test_a_skip_is_no_change() -> None:
    assert changes(plan(UPDATE_LAMBDAS, RELEASE, DEV, replace(running(), functions={}))) == ()


def test_more_than_five_layers_are_refused_before_anything_is_done() -> None:
    many = [f"arn:aws:lambda:eu-west-3:999999999999:layer:other-{number}:1" for number in range(4)]
    with pytest.raises(PlanError, match="news-ingest-dev would have 6 layers and Lambda allows 5"):
        plan(UPDATE_LAMBDAS, RELEASE, DEV, replace(EMPTY, functions=functions(many)))


def test_a_record_of_other_contents_is_refused() -> None:
    other = Release((artifact("core", "1.2.4", "other"), DEPS), "abc1234")
    with pytest.raises(PlanError, match="records other contents"):
        plan(UPDATE_LAMBDAS, RELEASE, DEV, replace(EMPTY, record=other))


def test_the_commit_in_a_record_may_differ_since_it_changes_no_bytes() -> None:
    assert plan(UPDATE_LAMBDAS, RELEASE, DEV, replace(running(), record=Release((CORE, DEPS), "fffffff"))) == ()


def test_an_update_is_based_on_the_revision_that_was_read() -> None:
    attach = plan(UPDATE_LAMBDAS, RELEASE, DEV, EMPTY)[-1]
    assert isinstance(attach, Attach)
    assert attach.revision == "r1"


def test_our_layers_are_exchanged_in_place_and_foreign_ones_stay_because_one_was_once_dropped() -> None:
    current = (arn(DEV, "deps", 3), FOREIGN, arn(DEV, "core", 8))
    assert merge_layers(current, RELEASE, DEV) == (DEPS, FOREIGN, CORE)


def test_missing_layers_follow_in_the_order_of_release_toml() -> None:
    assert merge_layers((FOREIGN,), RELEASE, DEV) == (FOREIGN, CORE, DEPS)


def test_a_layer_of_our_name_in_another_account_is_foreign() -> None:
    theirs = arn(DEV, "core", 1).replace(DEV.account, "999999999999")
    assert merge_layers((theirs,), RELEASE, DEV) == (theirs, CORE, DEPS)


def test_our_layers_are_known_in_every_partition() -> None:
    assert merge_layers((arn(DEV, "core", 1).replace("arn:aws:", "arn:aws-cn:"),), RELEASE, DEV) == (CORE, DEPS)


def test_a_function_that_has_the_layers_in_its_own_order_is_left_alone() -> None:
    turned = function([arn(DEV, "deps", 1), FOREIGN, arn(DEV, "core", 1)])
    deployed = replace(running(), functions=dict.fromkeys(DEV.function_names.values(), turned))
    assert plan(UPDATE_LAMBDAS, RELEASE, DEV, deployed) == ()


WITH_PACKAGE = Release((CORE, DEPS, package("ingest")), "abc1234")


def test_a_package_is_uploaded_and_its_function_updated_code_before_layers() -> None:
    actions = plan(UPDATE_LAMBDAS, WITH_PACKAGE, DEV, EMPTY)
    kinds = [type(action) for action in actions]
    assert kinds == [Upload, Publish, Upload, Publish, Upload, Record, UpdateCode, Attach, Attach]
    assert [str(action) for action in actions if isinstance(action, UpdateCode)] == [
        "Updating code of news-ingest-dev..."
    ]


def test_a_function_that_runs_the_package_already_keeps_it() -> None:
    deployed = running(WITH_PACKAGE)
    states = {**deployed.functions}
    states["news-ingest-dev"] = replace(states["news-ingest-dev"], code_sha256=package("ingest").sha256)
    assert plan(UPDATE_LAMBDAS, WITH_PACKAGE, DEV, replace(deployed, functions=states)) == ()


def test_a_package_that_holds_a_layers_module_is_refused_because_for_weeks_the_layer_never_ran() -> None:
    hiding = Release((CORE, DEPS, package("ingest", modules=("core", "handler"))), "abc1234")
    with pytest.raises(PlanError, match="package of function ingest holds core, which would hide the layer core"):
        plan(UPDATE_LAMBDAS, hiding, DEV, EMPTY)


def test_a_function_whose_own_package_hides_a_layer_is_warned_about() -> None:
    states = {name: replace(there, modules=("core", "x")) for name, there in running().functions.items()}
    actions = plan(UPDATE_LAMBDAS, RELEASE, DEV, replace(running(), functions=states))
    assert [type(action) for action in actions] == [Warn, Warn]
    assert "news-ingest-dev has its own core (of core) in its package, which hides the layer" in str(actions[0])
    assert changes(actions) == ()


def test_a_handler_other_than_declared_is_set_with_the_layers() -> None:
    deployed = running(WITH_PACKAGE)
    there = replace(deployed.functions["news-ingest-dev"], code_sha256=package("ingest").sha256, handler="old.main")
    states = {**deployed.functions, "news-ingest-dev": there}
    (attach,) = plan(UPDATE_LAMBDAS, WITH_PACKAGE, DEV, replace(deployed, functions=states))
    assert isinstance(attach, Attach)
    assert attach.handler == "handler.run"


def test_a_function_whose_last_update_failed_is_updated_again() -> None:
    states = {name: replace(there, failed=True) for name, there in running().functions.items()}
    actions = plan(UPDATE_LAMBDAS, RELEASE, DEV, replace(running(), functions=states))
    assert [type(action) for action in actions] == [Attach, Attach]


@pytest.mark.parametrize("facts", [{"runtime": "python3.14"}, {"architecture": "arm64"}])
def test_a_function_on_a_runtime_or_machine_the_layers_are_not_made_for_is_refused(facts: dict[str, str]) -> None:
    deployed = replace(EMPTY, functions=dict.fromkeys(EMPTY.functions, function([FOREIGN], **facts)))
    with pytest.raises(PlanError, match="but core 1.2.4 is made for python3.11, python3.12 on x86_64"):
        plan(UPDATE_LAMBDAS, RELEASE, DEV, deployed)


def test_layers_and_code_that_unpack_to_more_than_250_mib_are_refused_before_anything_is_done() -> None:
    large = Release((replace(CORE, unzipped=200_000_000), replace(DEPS, unzipped=62_000_000)), "abc1234")
    states = dict.fromkeys(EMPTY.functions, function([FOREIGN], code_size=200_000))
    with pytest.raises(PlanError, match="more than Lambda's 262,144,000 bytes"):
        plan(UPDATE_LAMBDAS, large, DEV, replace(EMPTY, functions=states))


def test_the_package_that_comes_counts_and_not_the_one_that_goes() -> None:
    large = Release((CORE, DEPS, replace(package("ingest"), unzipped=263_000_000)), "abc1234")
    with pytest.raises(PlanError, match="code 263,000,000"):
        plan(UPDATE_LAMBDAS, large, DEV, EMPTY)


def test_a_package_for_another_runtime_than_the_functions_is_refused() -> None:
    other = Release((CORE, DEPS, replace(package("ingest"), runtimes=("python3.11",))), "abc1234")
    with pytest.raises(PlanError, match="but ingest 0000000000000000 is made for python3.11"):
        plan(UPDATE_LAMBDAS, other, DEV, EMPTY)
