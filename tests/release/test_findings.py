"""What is held against what: each way in which an environment can differ, as one finding, on values alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tasks.project.model import Function
from tasks.release.deployed import CanonicalObject, DeployedFunction, Facts
from tasks.release.entries import EDITED
from tasks.release.evidence import Alias, Evidence
from tasks.release.findings import findings, notes
from tasks.release.functions import LayerVersion
from tasks.release.journal import ADOPTED, Entry, Status, Who, snapshot
from tests.examples import CORE, DEV, FOREIGN, RELEASE, STAGE, arn, artifact, layer_version, package, running

INGEST, LETTER = "news-ingest-dev", "news-letter-dev"
PACKAGED = replace(RELEASE, artifacts=(*RELEASE.artifacts, package("ingest")))
ENDED = "2026-11-21 18:00:20 UTC"
NEWER = layer_version(artifact("core", "1.3.0", "other"), 2)


def entry(number: int = 1, **changed: Any) -> Entry:
    """A deployment of the release, as it is written in the end."""
    begun = "2026-11-21 18:00:00 UTC"
    made = Entry(number, "deploy", PACKAGED.key, str(PACKAGED), "abc1234", Who("anna"), begun)
    closed = replace(made, status=Status.CONFIRMED, runs=PACKAGED.key, ended=ENDED, after=snapshot(running(PACKAGED)))
    return replace(closed, **changed)


def evidence(**changed: Any) -> Evidence:
    """Everything as it was deployed."""
    objects = {key: each.sha256 for each in PACKAGED.artifacts for key in (each.key,)}
    found = Evidence(DEV, running(PACKAGED), {"ingest": Function("", "")}, {1: entry()}, PACKAGED, objects=objects)
    return replace(found, **changed)


def with_function(change: Callable[[DeployedFunction], DeployedFunction], name: str = INGEST) -> Evidence:
    deployed = running(PACKAGED)
    return evidence(
        deployed=replace(deployed, functions={**deployed.functions, name: change(deployed.functions[name])})
    )


def state(**changed: Any) -> Evidence:
    return with_function(lambda there: replace(there, state=replace(there.state, **changed)))


def layers(*carried: LayerVersion) -> Evidence:
    return state(layers=carried)


def facts(stated: Function, **changed: Any) -> Evidence:
    made = with_function(lambda there: replace(there, facts=Facts(**changed)))
    return replace(made, functions={"ingest": stated})


def canonical(*objects: tuple[str, str]) -> Evidence:
    deployed = running(PACKAGED)
    return evidence(deployed=replace(deployed, canonical={key: CanonicalObject(text, "e") for key, text in objects}))


def texts(found: Evidence) -> list[str]:
    return [each.text for each in findings(found)]


def test_what_is_as_it_was_deployed_gives_no_finding() -> None:
    assert findings(evidence()) == ()


FOREIGN_ONE, CORE_ONE, DEPS_ONE = running(PACKAGED).functions[INGEST].state.layers
CASES: dict[str, tuple[Evidence, str]] = {
    "runtime": (state(runtime="python3.13"), f"{INGEST}: runtime is python3.13, not python3.12"),
    "handler": (state(handler="other.run"), f"{INGEST}: handler is other.run, not handler.run"),
    "architecture": (state(architecture="arm64"), f"{INGEST}: architecture is arm64, not x86_64"),
    "layer gone": (layers(FOREIGN_ONE, DEPS_ONE), f"{INGEST}: core 1.2.4 is not attached any more"),
    "another layer version": (
        layers(FOREIGN_ONE, NEWER, DEPS_ONE),
        f"{INGEST}: runs core 1.3.0 (layer version 2), not core 1.2.4 (layer version 1)",
    ),
    "layer added": (
        layers(FOREIGN_ONE, CORE_ONE, DEPS_ONE, LayerVersion(FOREIGN.replace("tracing", "other"))),
        f"{INGEST}: other 7 was attached",
    ),
    "order": (
        layers(CORE_ONE, FOREIGN_ONE, DEPS_ONE),
        f"{INGEST}: its layers are in another order: core, tracing, deps",
    ),
    "package replaced": (
        state(package="f" * 64),
        f"{INGEST}: its package was replaced ({package().sha256[:8]} -> ffffffff)",
    ),
    "package hides": (
        with_function(lambda there: replace(there, modules=("core", "handler"))),
        f"{INGEST}: its package has core inside, which hides the layer",
    ),
    "update failed": (
        with_function(lambda there: replace(there, failed="no role")),
        f"{INGEST}: its last update failed (no role)",
    ),
    "layer version deleted": (
        evidence(digests={arn(DEV, "core", 1): ""}),
        f"{INGEST}: its layer version {arn(DEV, 'core', 1)} was deleted; it still runs, and nobody else can attach it",
    ),
    "function gone": (
        evidence(deployed=replace(running(PACKAGED), functions={INGEST: running(PACKAGED).functions[INGEST]})),
        f"{LETTER} does not exist any more",
    ),
    "function new": (
        evidence(
            entries={
                1: entry(
                    after=replace(
                        snapshot(running(PACKAGED)), functions={INGEST: running(PACKAGED).functions[INGEST].state}
                    )
                )
            }
        ),
        f"{LETTER} was created after the last deployment",
    ),
    "timeout": (facts(Function("", "", timeout=30), timeout=3), f"{INGEST}: timeout is 3 s, not 30 s"),
    "memory": (facts(Function("", "", memory=512), memory=128), f"{INGEST}: memory is 128 MB, not 512 MB"),
    "variable": (
        facts(Function("", "", variables=("BUCKET",)), variables=("OTHER",)),
        f"{INGEST}: environment variable BUCKET is not set",
    ),
    "variables unread": (
        facts(Function("", "", variables=("BUCKET",)), variables=None),
        f"{INGEST}: its environment variables may not be read",
    ),
    "alias": (
        evidence(aliases={INGEST: (Alias("live", "3", (arn(DEV, "core", 1),), "0" * 64),)}),
        f"{INGEST}: alias live -> version 3: core 1.2.4, older than what was deployed",
    ),
    "archive gone": (
        evidence(objects={CORE.key: None}),
        f"s3://news-code-dev/{CORE.key}, the archive of core 1.2.4, is gone",
    ),
    "archive replaced": (
        evidence(objects={CORE.key: "f" * 64}),
        f"s3://news-code-dev/{CORE.key} is not the archive of core 1.2.4 any more",
    ),
    "record gone": (
        evidence(record=None),
        f"s3://news-code-dev/{PACKAGED.key}, the record of what runs, is gone",
    ),
    "other bytes": (
        evidence(digests={arn(DEV, "core", 1): "f" * 64}),
        "core 1.2.4 is not core 1.2.4: its bytes are others",
    ),
    "configuration changed": (
        canonical(("canonical/scopes.yaml", "f" * 64)),
        "s3://news-config-dev/canonical/scopes.yaml was changed",
    ),
    "configuration gone": (canonical(), "s3://news-config-dev/canonical/scopes.yaml is gone"),
    "configuration more": (
        canonical(*RELEASE.canonical.items(), ("canonical/new.yaml", "f" * 64)),
        "s3://news-config-dev/canonical/new.yaml is not in the release",
    ),
    "entry that is none": (
        evidence(entries={999_999_999: None, 1: entry()}),
        "No deployment wrote entry 999999999 of the journal of dev",
    ),
    "entry damaged": (evidence(entries={2: None, 1: entry()}), "Entry 2 of the journal of dev is damaged"),
    "entry edited": (
        evidence(entries={1: replace(entry(), seal=EDITED)}),
        "Entry 1 of the journal of dev is not what was written",
    ),
    "gap": (
        evidence(entries={3: entry(3), 1: entry()}),
        "The journal of dev has a gap between entries 1 and 3",
    ),
    "cut off": (
        evidence(entries={2: replace(entry(2), status=Status.OPEN, runs="", after=None), 1: entry()}),
        f"The deployment of {PACKAGED} to dev is not over, or was cut off",
    ),
    "unread record": (
        evidence(record=None, unread={("record", ""): "s3:GetObject is missing"}),
        "s3:GetObject is missing",
    ),
    "unread configuration": (
        replace(canonical(("canonical/new.yaml", "f" * 64)), unread={("listed", ""): "s3:ListBucket is missing"}),
        "s3:ListBucket is missing",
    ),
    "unread": (
        replace(
            evidence(deployed=replace(running(PACKAGED), functions={INGEST: running(PACKAGED).functions[INGEST]})),
            unread={("function", LETTER): "lambda:GetFunction is missing"},
        ),
        "lambda:GetFunction is missing",
    ),
    "never": (evidence(entries={}), "The journal of dev confirms no release"),
}


@pytest.mark.parametrize(("found", "text"), CASES.values(), ids=CASES)
def test_each_difference_is_one_finding(found: Evidence, text: str) -> None:
    said = [each for each in texts(found) if each.startswith(text)]
    assert said == [text]
    others = [each for each in texts(found) if each != text and "layer version" not in each]
    assert others == []


def test_variables_that_may_not_be_read_matter_only_where_some_are_required() -> None:
    assert findings(facts(Function("", ""), variables=None)) == ()


@pytest.mark.parametrize("name", ["never", "unread", "entry damaged", "variables unread"])
def test_what_is_not_known_is_said_to_be_so(name: str) -> None:
    assert [each.unknown for each in findings(CASES[name][0])] == [True]


def test_a_package_of_a_function_without_one_in_the_release_is_held_against_what_was_deployed() -> None:
    changed = with_function(lambda there: replace(there, state=replace(there.state, package="f" * 64)), LETTER)
    assert texts(changed) == [f"{LETTER}: its package was replaced (00000000 -> ffffffff)"]


def test_a_package_that_was_deployed_and_is_not_the_releases_is_named() -> None:
    other = state(package="f" * 64)
    left = {1: entry(after=snapshot(other.deployed))}
    assert texts(replace(other, entries=left)) == [
        f"{INGEST}: its package is not that of the release ({package().sha256[:8]} -> ffffffff)"
    ]


def test_a_layer_version_that_somebody_published_is_named_if_it_is_the_newest() -> None:
    by_hand = LayerVersion(arn(DEV, "core", 2), "mine", "core")
    deployed = running(PACKAGED)
    versions = {**deployed.layers, "core": (by_hand, *deployed.layers["core"])}
    found = findings(evidence(deployed=replace(deployed, layers=versions)))
    assert [str(each) for each in found] == [
        f"{by_hand.arn} was published by hand, and nothing runs it; delete it if nobody needs it"
    ]


def test_a_glance_takes_the_configuration_for_what_the_last_deployment_left() -> None:
    assert findings(evidence(glance=True, record=None, objects={})) == ()
    changed = canonical(("canonical/scopes.yaml", "f" * 64))
    assert texts(replace(changed, glance=True, record=None)) == [
        "s3://news-config-dev/canonical/scopes.yaml was changed"
    ]


def test_what_was_adopted_has_no_record_and_needs_none() -> None:
    adopted = entry(runs=ADOPTED, what="adopt")
    assert findings(evidence(entries={1: adopted}, record=None)) == ()


def remedies(found: Evidence) -> list[str]:
    return [each.remedy for each in findings(found)]


def test_the_first_environment_is_mended_by_a_rollback_and_the_next_by_a_promotion() -> None:
    assert remedies(state(runtime="python3.13")) == ["run: inv rollback --env dev --to 1"]
    later = replace(running(PACKAGED, STAGE), functions={})
    there = evidence(environment=STAGE, deployed=later, entries={1: entry(after=snapshot(running(PACKAGED, STAGE)))})
    assert {each for each in remedies(there) if "promote" in each} == {
        "create it, then run: inv promote --to stage --version 1.2.4"
    }


def test_settings_that_release_toml_leaves_open_are_held_against_the_environment_before() -> None:
    here = with_function(lambda there: replace(there, facts=Facts(3, 128, ("A", "B"))))
    other = replace(running(PACKAGED).functions[INGEST], facts=Facts(5, 256, ("B", "C")))
    before = ("stage", {"ingest": other})
    assert list(notes(replace(here, before=before))) == [
        f"{INGEST}: timeout is 3 s, and 5 s in stage",
        f"{INGEST}: memory is 128 MB, and 256 MB in stage",
        f"{INGEST}: environment variable C is not set, and it is in stage",
        f"{INGEST}: environment variable A is set, and it is not in stage",
    ]
    alike = {"ingest": replace(other, facts=here.deployed.functions[INGEST].facts)}
    assert list(notes(replace(here, before=("stage", alike)))) == []
    stated = {"ingest": Function("", "", timeout=3, memory=128, variables=("A", "C"))}
    assert list(notes(replace(here, before=before, functions=stated))) == []


@pytest.mark.parametrize(("touched", "noted"), [("2026-11-21 18:00:19 UTC", 0), ("2026-11-21 18:00:21 UTC", 1)])
def test_what_was_touched_after_the_last_entry_had_ended_is_noted(touched: str, noted: int) -> None:
    found = list(notes(with_function(lambda there: replace(there, facts=Facts(modified=touched)))))
    assert len(found) == noted
    assert all(each == f"{INGEST} was last touched at {touched}, after entry 1 had ended" for each in found)


def test_what_runs_is_said_by_the_newest_entry_that_has_deployed_it_also_where_later_ones_carry_it_on() -> None:
    carried = replace(entry(3), what="publish")
    assert evidence(entries={3: carried, 2: None, 1: entry()}).confirmed == entry()
    assert evidence(entries={3: carried, 2: None}).confirmed == carried
    assert evidence(entries={2: None}).confirmed is None
    other = entry(1, after=snapshot(state(runtime="python3.13").deployed))
    assert evidence(entries={3: carried, 1: other}).confirmed == carried
