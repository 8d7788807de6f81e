"""Simulation: what performing a plan would leave, without AWS."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.release.actions import Action, Switch, subject
from tasks.release.deployed import CanonicalObject, Deployed, Facts, environment_changes
from tasks.release.functions import LayerVersion, State
from tasks.release.plan import UPDATE_LAMBDAS, Goal, plan
from tasks.release.release import Release, Setting
from tasks.release.undo import plan_undo
from tests.examples import DEV, FOREIGN, GOAL, STAGE, artifact, function, layer_version, package, running
from tests.fakes import outcome

RUNTIMES = ("python3.11", "python3.12")
DIGESTS = ("a" * 64, "b" * 64)


@st.composite
def releases(draw: st.DrawFn) -> Release:
    """A release of two layers, perhaps with packages, settings and configuration."""
    layers = [
        draw(st.sampled_from([artifact(name, "1.0.0", "x"), artifact(name, "1.1.0", "y")])) for name in ("core", "deps")
    ]
    packages = [package(key, draw(st.sampled_from("pq"))) for key in ("ingest", "letter") if draw(st.booleans())]
    keys = draw(st.sets(st.sampled_from(["ingest", "letter"])))
    functions = {key: Setting(draw(st.sampled_from(RUNTIMES)), draw(st.sampled_from(["", "a.b"]))) for key in keys}
    canonical = draw(st.dictionaries(st.sampled_from(["canonical/a", "canonical/b"]), st.sampled_from(DIGESTS)))
    return Release((*layers, *packages), "abc1234", functions, canonical)


@st.composite
def environments(draw: st.DrawFn) -> Deployed:
    """An environment with some layer versions published, functions that carry some of them, and configuration."""
    layers: dict[str, tuple[LayerVersion, ...]] = {}
    for name in ("core", "deps"):
        known = [layer_version(artifact(name, "1.0.0", "x"), 1), layer_version(artifact(name, "1.1.0", "y"), 2)]
        layers[name] = tuple(list(draw(st.permutations(known)))[: draw(st.integers(0, 2))])
    functions = {}
    for name in draw(st.sets(st.sampled_from(list(DEV.function_names.values())))):
        chosen = [draw(st.one_of(st.none(), st.sampled_from(each))) for each in layers.values() if each]
        foreign = [LayerVersion(FOREIGN)] if draw(st.booleans()) else []
        functions[name] = function(
            draw(st.permutations([*foreign, *filter(None, chosen)])),
            runtime=draw(st.sampled_from(RUNTIMES)),
            package=draw(st.sampled_from(DIGESTS)),
            failed=draw(st.sampled_from(["", "no role"])),
        )
    there = draw(st.dictionaries(st.sampled_from(["canonical/a", "canonical/c"]), st.sampled_from(DIGESTS)))
    canonical = {key: CanonicalObject(digest, "e") for key, digest in there.items()}
    return Deployed(layers=layers, functions=functions, canonical=canonical)


def performed(deployed: Deployed, actions: tuple[Action, ...]) -> Deployed:
    """The environment after everything went well."""
    for number, action in enumerate(actions):
        deployed = deployed.after(outcome(action, number + 50))
    return deployed


@settings(max_examples=150, deadline=None)
@given(environments(), releases(), st.booleans())
def test_planning_again_after_performing_gives_an_empty_plan(
    deployed: Deployed, release: Release, delete: bool
) -> None:
    goal = Goal(DEV, release, delete=delete)
    after = performed(deployed, plan(goal, deployed, UPDATE_LAMBDAS).actions)
    assert plan(goal, after, UPDATE_LAMBDAS).actions == ()


@settings(max_examples=150, deadline=None)
@given(environments(), releases(), st.data())
def test_undoing_a_plan_that_was_cut_off_anywhere_gives_back_what_was_there(
    deployed: Deployed, release: Release, data: st.DataObject
) -> None:
    decided = plan(Goal(DEV, release, delete=True), deployed, UPDATE_LAMBDAS)
    cut = data.draw(st.integers(0, len(decided.actions)))
    after = performed(deployed, decided.actions[:cut])
    undone = plan_undo(Goal(DEV, release, delete=True), deployed, after)
    back = performed(after, undone.actions)
    assert {name: each.state for name, each in back.functions.items()} == {
        name: each.state for name, each in deployed.functions.items()
    }
    assert {k: v.sha256 for k, v in back.canonical.items()} == {k: v.sha256 for k, v in deployed.canonical.items()}


@settings(max_examples=100, deadline=None)
@given(environments(), releases())
def test_whatever_is_replaced_was_kept_before(deployed: Deployed, release: Release) -> None:
    decided = plan(Goal(DEV, release, delete=True), deployed, UPDATE_LAMBDAS)
    kept = {subject(action) for action in decided.prepare}
    undone = plan_undo(Goal(DEV, release, delete=True), deployed, performed(deployed, decided.actions))
    assert {switch.package_key for switch in undone.switch if switch.package_key} <= kept
    assert {change.contents for change in undone.configure if change.contents} <= kept


def test_a_function_with_an_update_that_may_still_land_gets_another_even_if_it_looks_right() -> None:
    (switch,) = plan_undo(GOAL, running(), running(), unsettled=["news-ingest-dev"]).switch
    assert isinstance(switch, Switch)
    assert (switch.function, switch.forced) == ("news-ingest-dev", True)


def test_a_failed_update_is_undone_even_if_the_function_looks_right() -> None:
    now = running()
    there = {**now.functions, "news-ingest-dev": replace(now.functions["news-ingest-dev"], failed="no role")}
    assert [each.function for each in plan_undo(GOAL, now, replace(now, functions=there)).switch] == ["news-ingest-dev"]


def test_undo_puts_the_handler_back_too() -> None:
    before, name = running(), "news-ingest-dev"
    there = before.functions[name]
    moved = replace(there, state=replace(there.state, handler="new.main"))
    (switch,) = plan_undo(GOAL, before, replace(before, functions={**before.functions, name: moved})).switch
    assert switch.after.handler == "handler.run"


def test_nothing_is_deployed_where_nothing_was_observed() -> None:
    assert Deployed().running() == {}
    assert Deployed().found(GOAL.release) == {}


def test_a_layer_that_is_yet_to_be_published_gets_its_arn_by_what_it_holds_and_never_by_its_rank() -> None:
    core, newer = artifact("core", "1.0.0", "x"), artifact("core", "1.1.0", "y")
    deployed = Deployed(layers={"core": (layer_version(newer, 9), layer_version(core, 4))})
    pending = LayerVersion("", layer_version(core, 4).description.replace("abc1234", "fffffff"), "core")
    state = State("python3.12", "x86_64", "a.b", (pending,), "")
    assert deployed.resolve(state).arns == (layer_version(core, 4).arn,)


def test_undo_leaves_alone_what_the_deployment_does_not_touch_whoever_has_changed_it() -> None:
    before = running()
    name = "news-ingest-dev"
    there = before.functions[name]
    by_hand = replace(there, state=replace(there.state, package="f" * 64))
    canonical = {**before.canonical, "canonical/new-by-hand.yaml": CanonicalObject("f" * 64)}
    now = replace(before, functions={**before.functions, name: by_hand}, canonical=canonical)
    assert plan_undo(GOAL, before, now).actions == ()
    assert plan_undo(Goal(DEV, GOAL.release, delete=True), before, now).actions == ()


def test_a_function_that_is_gone_cannot_be_undone_and_stops_nothing() -> None:
    before = running()
    assert plan_undo(GOAL, before, replace(before, functions={})).actions == ()


def test_undo_brings_back_what_somebody_else_removed_only_where_the_deployment_may_have_removed_it() -> None:
    extra = {"canonical/extra.yaml": CanonicalObject("f" * 64)}
    before, now = replace(running(), canonical={**running().canonical, **extra}), running()
    assert plan_undo(GOAL, before, now).configure == ()
    (change,) = plan_undo(Goal(DEV, GOAL.release, delete=True), before, now).configure
    assert (change.key, change.sign) == ("canonical/extra.yaml", "+")


def test_of_what_was_not_read_nothing_is_claimed() -> None:
    assert Facts() == Facts(timeout=0, memory=0, variables=(), tags={}, modified="")


def test_environments_differ_in_functions_settings_and_configuration() -> None:
    here, there = running(), running(environment=STAGE)
    assert environment_changes((DEV, here), (STAGE, there)) == []
    ingest = there.functions["news-ingest-stage"]
    state, facts = replace(ingest.state, runtime="python3.13", package="f" * 64), Facts(5, 256, ("B", "C"))
    functions = {"news-ingest-stage": replace(ingest, state=state, facts=facts)}
    other = replace(there, functions=functions, canonical={"canonical/new.yaml": CanonicalObject("f" * 64, "e")})
    was = replace(here.functions["news-ingest-dev"], facts=Facts(3, 128, ("A", "B")))
    mine = replace(here, functions={**here.functions, "news-ingest-dev": was})
    assert environment_changes((DEV, mine), (STAGE, other)) == [
        "ingest: runtime python3.12 -> python3.13",
        f"ingest: package {'0' * 20} -> {'f' * 20}",
        "ingest: timeout 3 s -> 5 s",
        "ingest: memory 128 MB -> 256 MB",
        "ingest: - environment variable A",
        "ingest: + environment variable C",
        "letter: exists in dev alone",
        "+ canonical/new.yaml",
        "- canonical/scopes.yaml",
    ]
    assert "letter: exists in dev alone" in environment_changes((STAGE, other), (DEV, mine))
    changed = replace(there, canonical={"canonical/scopes.yaml": CanonicalObject("f" * 64, "e")})
    assert environment_changes((DEV, here), (STAGE, changed)) == ["~ canonical/scopes.yaml"]
