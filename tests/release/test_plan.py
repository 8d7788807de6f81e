from dataclasses import replace

import pytest

from tasks.errors import PlanError
from tasks.release.actions import (
    Configure,
    Copy,
    KeepObject,
    KeepPackage,
    Note,
    Publish,
    Record,
    Store,
    Switch,
    Upload,
    subject,
)
from tasks.release.arns import layer_key
from tasks.release.deployed import CanonicalObject, Deployed
from tasks.release.functions import LayerVersion
from tasks.release.plan import (
    PUBLISH,
    UPDATE_LAMBDAS,
    UPLOAD,
    Goal,
    Plan,
    merge_layers,
    plan,
    replaced_layers,
    taken_over,
)
from tasks.release.release import Release, Setting
from tests.examples import (
    CORE,
    DEPS,
    DEV,
    FOREIGN,
    GOAL,
    MANIFEST,
    RELEASE,
    SETTINGS,
    STAGE,
    arn,
    artifact,
    function,
    functions,
    layer_version,
    package,
    running,
)

EMPTY = Deployed(functions=functions([FOREIGN]))
WITH_PACKAGE = Release((CORE, DEPS, package("ingest")), "abc1234", SETTINGS, MANIFEST)
KEY = next(iter(MANIFEST))


def planned(release: Release = RELEASE, deployed: Deployed = EMPTY, **facts: bool) -> Plan:
    return plan(Goal(DEV, release, **facts), deployed, UPDATE_LAMBDAS)  # type: ignore[arg-type]


def test_an_empty_environment_gets_everything_artifact_by_artifact_then_functions_then_configuration() -> None:
    decided = planned(WITH_PACKAGE)
    prepared = [type(action) for action in decided.prepare]
    assert prepared == [Upload, Publish, Upload, Publish, Upload, KeepPackage, Store, Record]
    assert [type(action) for action in decided.switch] == [Switch, Switch]
    assert [type(action) for action in decided.configure] == [Configure]


def test_each_command_does_what_the_one_before_does_and_one_step_more() -> None:
    kinds = [
        [type(action) for action in plan(GOAL, EMPTY, steps).actions] for steps in (UPLOAD, PUBLISH, UPDATE_LAMBDAS)
    ]
    assert kinds[0] == [Upload, Upload]
    assert kinds[1] == [Upload, Publish, Upload, Publish]
    assert kinds[2] == [*kinds[1], Store, Record, Switch, Switch, Configure]


def test_where_the_release_runs_there_is_nothing_to_do() -> None:
    assert planned(deployed=running()) == Plan()


def test_archives_are_copied_from_the_environment_that_a_release_comes_from() -> None:
    decided = plan(Goal(STAGE, RELEASE, DEV), Deployed(functions=functions([FOREIGN], STAGE)), UPDATE_LAMBDAS)
    assert [type(action) for action in decided.prepare] == [Copy, Publish, Copy, Publish, Store, Record]
    copy, store = decided.prepare[0], decided.prepare[4]
    assert isinstance(copy, Copy)
    assert isinstance(store, Store)
    assert (copy.source, copy.owner, copy.bucket) == (DEV.bucket, DEV.account, STAGE.bucket)
    assert (store.source, store.owner, store.bucket) == (DEV.bucket, DEV.account, STAGE.bucket)


def test_a_published_layer_is_attached_even_where_nothing_is_published_because_functions_were_once_forgotten() -> None:
    decided = planned(deployed=replace(running(), functions=functions([FOREIGN])))
    assert (decided.prepare, len(decided.switch)) == ((), 2)


def test_the_layer_version_found_by_content_is_attached_never_the_latest() -> None:
    newer = artifact("core", "1.3.0", "second")
    layers = {"core": (layer_version(newer, 9), layer_version(CORE, 4)), "deps": (layer_version(DEPS, 2),)}
    (switch,) = planned(deployed=replace(running(), layers=layers)).switch[:1]
    assert switch.after.arns == (FOREIGN, arn(DEV, "core", 4), arn(DEV, "deps", 2))


def test_a_version_cannot_change_contents_once_published() -> None:
    deployed = replace(running(), objects={}, layers={"core": (layer_version(artifact("core", "1.2.4", "other")),)})
    with pytest.raises(PlanError, match="core 1.2.4 exists in dev with other contents.*run: inv bump --part patch$"):
        plan(GOAL, deployed, UPLOAD)


def test_every_version_that_was_forgotten_is_named_at_once() -> None:
    deployed = replace(running(), objects={CORE.key: "0" * 64, DEPS.key: "0" * 64}, layers={})
    with pytest.raises(PlanError, match=r"^core 1.2.4 .*run: inv bump --part patch\ndeps 1.0.5 .* --layer deps$"):
        plan(GOAL, deployed, UPLOAD)


def test_a_version_cannot_change_contents_once_uploaded() -> None:
    with pytest.raises(PlanError, match="deps 1.0.5 exists .*; run: inv bump --part patch --layer deps$"):
        plan(GOAL, Deployed(objects={DEPS.key: CORE.sha256}), UPLOAD)


def test_an_object_of_unknown_digest_does_not_count_as_ours() -> None:
    with pytest.raises(PlanError, match="exists in dev with other contents"):
        plan(GOAL, Deployed(objects={CORE.key: ""}), UPLOAD)


def test_the_command_to_bump_names_the_layer_even_where_only_that_layer_is_released() -> None:
    with pytest.raises(PlanError, match="--layer deps"):
        plan(Goal(DEV, Release((DEPS,), "abc1234")), Deployed(objects={DEPS.key: CORE.sha256}), PUBLISH)


def test_the_same_contents_at_another_version_are_another_artifact() -> None:
    raised = Release((replace(CORE, version="1.2.5"), DEPS), "abc1234")
    assert [str(action) for action in plan(Goal(DEV, raised), running(), PUBLISH).actions] == [
        "Uploading to s3://news-code-dev/layers/core-1.2.5.zip",
        "Publishing layer news-core-dev",
    ]


def test_a_layer_version_by_other_hands_is_not_ours_whatever_its_number() -> None:
    by_hand = LayerVersion(arn(DEV, "core", 3), "by hand", "core")
    deployed = replace(running(), layers={"core": (by_hand,), "deps": ()})
    assert [type(action) for action in plan(GOAL, deployed, PUBLISH).actions] == [Publish, Publish]


def test_a_layer_version_whose_bytes_are_not_what_it_says_is_never_attached() -> None:
    deployed = replace(running(), functions=functions([FOREIGN]), digests={arn(DEV, "core", 1): DEPS.sha256})
    with pytest.raises(
        PlanError, match="says it holds core 1.2.4, but its bytes are others; delete that layer version"
    ):
        planned(deployed=deployed)


def test_a_missing_function_is_skipped_and_the_others_go_on() -> None:
    deployed = replace(EMPTY, functions={"news-letter-dev": EMPTY.functions["news-letter-dev"]})
    decided = planned(deployed=deployed)
    advice = "create it, then run the same command again"
    assert decided.notes == (Note(f"Lambda not found: news-ingest-dev ({advice})", skipped=True),)
    assert [each.function for each in decided.switch] == ["news-letter-dev"]


def test_a_note_is_no_change() -> None:
    assert planned(deployed=replace(running(), functions={})).actions == ()


@pytest.mark.parametrize(("foreign", "allowed"), [(3, True), (4, False)])
def test_five_layers_are_allowed_and_six_are_refused_before_anything_is_done(foreign: int, allowed: bool) -> None:
    many = [f"arn:aws:lambda:eu-west-3:999999999999:layer:other-{number}:1" for number in range(foreign)]
    deployed = replace(EMPTY, functions=functions(many))
    if allowed:
        assert len(planned(deployed=deployed).switch[0].after.layers) == 5
    else:
        with pytest.raises(PlanError, match="news-ingest-dev would have 6 layers, and Lambda allows 5.*other-0:1"):
            planned(deployed=deployed)


def test_a_record_of_other_contents_is_refused() -> None:
    other = Release((artifact("core", "1.2.4", "other"), DEPS), "abc1234")
    with pytest.raises(PlanError, match="records other contents"):
        planned(deployed=replace(EMPTY, record=other))


def test_an_update_is_based_on_the_revision_that_was_read() -> None:
    assert {switch.revision for switch in planned().switch} == {"r1"}


def test_foreign_layers_keep_their_places_and_ours_take_theirs_in_the_order_of_release_toml() -> None:
    older = layer_version(artifact("deps", "1.0.4", "old"), 1)
    current = (LayerVersion(f"{FOREIGN}1"), older, LayerVersion(FOREIGN.replace("tracing", "metrics")))
    merged = merge_layers(current, GOAL, Deployed(layers={"deps": (layer_version(DEPS, 2), older)}))
    assert [str(layer) for layer in merged] == ["tracing 71", "core 1.2.4", "metrics 7", "deps 1.0.5"]
    assert merged[3].arn == arn(DEV, "deps", 2)
    assert merged[1].arn == ""


def test_layers_of_ours_that_somebody_has_put_in_another_order_are_put_in_order_again() -> None:
    there = Deployed(layers={"core": (layer_version(CORE),), "deps": (layer_version(DEPS),)})
    merged = merge_layers((layer_version(DEPS), LayerVersion(FOREIGN), layer_version(CORE)), GOAL, there)
    assert [str(layer) for layer in merged] == ["core 1.2.4", "tracing 7", "deps 1.0.5"]


def test_the_layer_of_the_same_name_in_another_account_or_environment_is_foreign() -> None:
    others = [arn(DEV, "core", 1).replace(DEV.account, "999999999999"), arn(STAGE, "core", 1)]
    merged = merge_layers(tuple(map(LayerVersion, others)), GOAL, running())
    assert [layer.arn for layer in merged[:2]] == others
    assert len(merged) == 4


def test_in_china_and_govcloud_our_layers_are_ours_too() -> None:
    there = LayerVersion(arn(DEV, "core", 1).replace("arn:aws:", "arn:aws-cn:"))
    assert len(merge_layers((there,), GOAL, running())) == 2


def test_a_function_gets_the_package_of_its_release_and_keeps_the_one_it_had() -> None:
    decided = planned(WITH_PACKAGE, replace(running(WITH_PACKAGE), functions=running().functions))
    (switch,) = decided.switch
    assert (switch.function, switch.package_key) == ("news-ingest-dev", package("ingest").key)
    assert [str(action) for action in decided.prepare] == [
        f"Keeping the package of news-ingest-dev as s3://news-code-dev/before/{'0' * 64}.zip"
    ]


def test_a_function_that_runs_the_package_already_keeps_it() -> None:
    assert planned(WITH_PACKAGE, running(WITH_PACKAGE)) == Plan()


def test_a_package_that_holds_a_layers_module_is_refused_because_for_weeks_the_layer_never_ran() -> None:
    hiding = Release((CORE, DEPS, package("ingest", modules=("core", "handler"))), "abc1234")
    with pytest.raises(PlanError, match="package of function ingest holds core, which would hide the layer core"):
        planned(hiding)


def test_a_function_whose_own_package_hides_a_layer_is_warned_about() -> None:
    states = {name: replace(there, modules=("core", "x")) for name, there in running().functions.items()}
    decided = planned(deployed=replace(running(), functions=states))
    assert [note.skipped for note in decided.notes] == [False, False]
    assert "news-ingest-dev has its own core (of core) in its package, which hides the layer" in str(decided.notes[0])
    assert decided.actions == ()


def test_a_handler_other_than_the_releases_is_set_with_the_layers() -> None:
    deployed = running(WITH_PACKAGE)
    there = deployed.functions["news-ingest-dev"]
    moved = replace(there, state=replace(there.state, handler="old.main"))
    decided = planned(WITH_PACKAGE, replace(deployed, functions={**deployed.functions, "news-ingest-dev": moved}))
    (switch,) = decided.switch
    assert (switch.what, switch.package_key) == ("handler old.main -> handler.run", "")


def test_a_function_without_a_package_of_ours_keeps_its_handler_unless_the_release_sets_one() -> None:
    deployed = replace(running(), functions=dict.fromkeys(running().functions, function([], handler="own.main")))
    assert {switch.after.handler for switch in planned(deployed=deployed).switch} == {"own.main"}
    told = replace(RELEASE, functions={"ingest": Setting("python3.12", "new.main"), "letter": Setting("python3.12")})
    assert [switch.after.handler for switch in planned(told, deployed).switch] == ["new.main", "own.main"]


def test_a_function_moves_to_the_runtime_of_its_release() -> None:
    states = dict.fromkeys(running().functions, function(running().functions["news-ingest-dev"].state.layers))
    (switch,) = planned(deployed=replace(running(), functions=states)).switch
    assert (switch.function, switch.what) == ("news-letter-dev", "runtime python3.12 -> python3.11")


def test_a_function_whose_last_update_failed_is_updated_again() -> None:
    states = {name: replace(there, failed="no role") for name, there in running().functions.items()}
    assert [each.forced for each in planned(deployed=replace(running(), functions=states)).switch] == [True, True]


def test_a_function_on_a_machine_that_the_layers_are_not_made_for_is_refused() -> None:
    deployed = replace(EMPTY, functions=dict.fromkeys(EMPTY.functions, function([FOREIGN], architecture="arm64")))
    with pytest.raises(PlanError, match="but core 1.2.4 is made for python3.11, python3.12 on x86_64"):
        planned(deployed=deployed)


def test_a_runtime_that_the_layers_are_not_made_for_is_refused() -> None:
    moved = replace(RELEASE, functions={"ingest": Setting("python3.14")})
    with pytest.raises(PlanError, match=r"news-ingest-dev runs python3.14 on x86_64, but core 1.2.4 is made for"):
        planned(moved)


@pytest.mark.parametrize(("code", "allowed"), [(144_000, True), (144_001, False)])
def test_layers_and_code_may_unpack_to_exactly_250_mib_and_no_more(code: int, allowed: bool) -> None:
    large = Release((replace(CORE, unzipped=200_000_000), replace(DEPS, unzipped=61_999_950)), "abc1234")
    states = dict.fromkeys(EMPTY.functions, function([FOREIGN], code_size=code))
    if allowed:
        assert planned(large, replace(EMPTY, functions=states)).switch
    else:
        with pytest.raises(PlanError, match="more than Lambda's 262,144,000 bytes"):
            planned(large, replace(EMPTY, functions=states))


def test_the_package_that_comes_counts_and_not_the_one_that_goes() -> None:
    large = Release((CORE, DEPS, replace(package("ingest"), unzipped=263_000_000)), "abc1234")
    with pytest.raises(PlanError, match="code 263,000,000"):
        planned(large)


def test_a_package_for_another_runtime_than_the_functions_is_refused() -> None:
    other = Release((CORE, DEPS, replace(package("ingest"), runtimes=("python3.11",))), "abc1234")
    with pytest.raises(PlanError, match="but ingest 0000000000000000 is made for python3.11"):
        planned(other)


def test_configuration_that_differs_gets_the_contents_of_the_release_and_what_was_there_is_kept() -> None:
    deployed = replace(running(), canonical={KEY: CanonicalObject("f" * 64, "e7")})
    decided = planned(deployed=deployed)
    (change,) = decided.configure
    assert (change.sign, change.before, change.after, change.etag) == ("~", "f" * 64, MANIFEST[KEY], "e7")
    assert [type(action) for action in decided.prepare] == [Store, KeepObject]
    assert change.contents == subject(decided.prepare[0])


def test_configuration_that_is_in_place_already_is_stored_too_since_promoting_and_going_back_rest_on_it() -> None:
    decided = planned(deployed=replace(running(), record=None))
    assert [type(action) for action in decided.prepare] == [Store, Record]
    assert decided.configure == ()


def test_configuration_that_vanished_is_told_and_removed_only_on_request() -> None:
    deployed = replace(
        running(), canonical={**running().canonical, "canonical/old.yaml": CanonicalObject("f" * 64, "e")}
    )
    decided = planned(deployed=deployed)
    assert decided.actions == ()
    assert "canonical/old.yaml, not in the release; removed only with --delete" in str(decided.notes[0])
    decided = planned(deployed=deployed, delete=True)
    assert [(change.sign, change.key) for change in decided.configure] == [("-", "canonical/old.yaml")]
    assert [type(action) for action in decided.prepare] == [KeepObject]


def test_an_empty_folder_never_empties_a_bucket() -> None:
    bare = replace(RELEASE, canonical={})
    assert planned(bare, replace(running(bare), canonical=running().canonical), delete=True).configure == ()


RECOMPRESSED = replace(CORE, sha256="c" * 64, size=99)


def test_an_archive_that_is_recorded_with_other_bytes_of_the_same_files_is_taken_over() -> None:
    recorded = replace(RELEASE, artifacts=(RECOMPRESSED, DEPS))
    goal = taken_over(GOAL, running(recorded))
    assert goal.release == recorded
    assert planned(goal.release, running(recorded)).actions == ()


def test_an_archive_that_is_stored_with_other_bytes_of_the_same_files_is_taken_over() -> None:
    deployed = Deployed(objects={CORE.key: "c" * 64}, trees={CORE.key: CORE.tree})
    goal = taken_over(GOAL, deployed)
    assert goal.release.artifacts[0].sha256 == "c" * 64
    kinds = [type(action) for action in plan(goal, deployed, PUBLISH).prepare]
    assert kinds == [Publish, Upload, Publish]


def test_an_archive_of_other_files_is_not_taken_over() -> None:
    deployed = Deployed(objects={CORE.key: "c" * 64}, trees={CORE.key: DEPS.tree})
    assert taken_over(GOAL, deployed) == GOAL


def test_a_release_with_a_layer_that_release_toml_does_not_have_any_more_is_refused() -> None:
    old = replace(RELEASE, artifacts=(*RELEASE.artifacts, artifact("extra", "1.0.0")))
    with pytest.raises(PlanError, match=r"has the layer extra 1.0.0, .* no \[layers.extra\] any more"):
        planned(old)


def test_a_layer_that_we_attached_and_that_release_toml_does_not_have_any_more_is_taken_off() -> None:
    extra = f"lambda:{DEV.region}:{DEV.account}:layer:news-extra-dev"
    deployed = running()
    carried = {
        name: replace(each, state=replace(each.state, layers=(LayerVersion(f"arn:aws:{extra}:3"), *each.state.layers)))
        for name, each in deployed.functions.items()
    }
    before = replace(deployed, functions=carried)
    assert planned(deployed=before).actions == ()
    switches = planned(deployed=replace(before, ours=frozenset([extra, layer_key(DEV, "core")]))).switch
    assert len(switches) == 2
    assert "- news-extra-dev 3" in switches[0].what
    assert switches[0].after.layers == deployed.functions[switches[0].function].state.layers


def test_a_record_that_was_edited_does_not_let_another_archive_in() -> None:
    recorded = replace(RELEASE, artifacts=(RECOMPRESSED, DEPS))
    exchanged = replace(running(recorded), objects={CORE.key: "c" * 64}, trees={CORE.key: "e" * 64})
    assert taken_over(GOAL, exchanged).release.artifacts[0] == CORE
    with pytest.raises(PlanError, match="exists in dev with other contents"):
        plan(taken_over(GOAL, exchanged), exchanged, UPLOAD)


def test_the_layers_that_are_exchanged_are_told_with_the_version_before_and_after() -> None:
    newer = replace(RELEASE, artifacts=(artifact("core", "1.3.0", "other"), DEPS))
    decided = plan(replace(GOAL, release=newer), replace(running(), record=None), UPDATE_LAMBDAS)
    assert replaced_layers(decided) == {"core": ("1.2.4", "1.3.0")}
