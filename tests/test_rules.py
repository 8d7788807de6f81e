"""The rules of the house: a release goes from environment to environment, and from a commit."""

import contextlib
import io
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from invoke import Config, Context

from tasks.aws.connection import Connection
from tasks.aws.journal import Journal
from tasks.errors import AwsError, ConfigError, PlanError, ReleaseError
from tasks.output.consent import Consent
from tasks.release.actions import Switch
from tasks.release.deployed import CanonicalObject, Deployed
from tasks.release.journal import Entry, Status, Who
from tasks.release.plan import PUBLISH, UPDATE_LAMBDAS, UPLOAD, Goal
from tasks.release.rules import changed_by_hand, committed, enforce, first_only
from tests.examples import DEPS, DEV, FOREIGN, GOAL, RELEASE, STAGE, artifact, functions
from tests.fakes import FakeEnvironment, carry_out, nobody, silent
from tests.front import Site
from tests.test_dry import TASKS

pytestmark = pytest.mark.whole

ENTRY = Entry(3, "deploy", "releases/core-1.2.4/x.json", "core 1.2.4", "abc1234", Who(), "")
GOES_UP = {"deploy", "publish", "update-lambdas"}


def git(root: Path, *command: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *command], cwd=root, check=True, capture_output=True)  # noqa: S607


def test_the_first_environment_is_deployed_to_and_later_ones_are_not() -> None:
    assert first_only(DEV) == ""
    assert "stage gets what dev runs, and nothing else; run: inv promote --to stage" in first_only(STAGE)


@pytest.mark.parametrize(("commit", "good"), [("abc1234", True), ("abc1234-dirty", False), ("none", False)])
def test_only_what_was_built_from_a_clean_commit_goes_further(commit: str, *, good: bool) -> None:
    problem = committed(DEV, commit, "core 1.2.4")
    assert (problem == "") == good
    assert good or 'git commit -am "Release core 1.2.4"' in problem


def test_a_rule_stops_on_a_real_environment_and_warns_on_the_sandbox_and_in_an_emergency() -> None:
    with pytest.raises(PlanError, match="broken"):
        enforce("broken", rehearsal=False, emergency="")
    assert enforce("broken", rehearsal=True, emergency="").endswith("the sandbox goes on: broken")
    warning = enforce("broken", rehearsal=False, emergency="the site is down")
    assert warning == "Rules are left aside (the site is down): broken"
    assert enforce("", rehearsal=False, emergency="") == ""


@pytest.mark.parametrize("name", [name for name in TASKS if name.rpartition(".")[-1] in GOES_UP])
def test_every_task_that_publishes_or_changes_refuses_a_later_environment(site: Site, name: str) -> None:
    """Without a sandbox, and so before AWS is asked for anything."""
    arguments: dict[str, Any] = {} if "." in name else {"env": "prod"}
    context = Context(Config(overrides={"root": str(site.root)}))
    if name.startswith("dev."):
        return
    with pytest.raises(PlanError, match="gets what (dev|stage) runs, and nothing else"):
        TASKS[name](context, **arguments)


def test_on_the_sandbox_the_same_words_are_a_warning(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.deploy("stage")
    assert "goes on: stage gets what dev runs, and nothing else" in capsys.readouterr().out


def test_bump_build_deploy_commit_promote_works_without_a_second_deployment(
    site: Site, stage: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    git(site.root, "init", "-q")
    git(site.root, "add", ".")
    git(site.root, "commit", "-qm", "first")
    site.write("src/core/__init__.py", "NAME = 'new'\n")
    site.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    site.deploy()
    capsys.readouterr()
    site.promote(version="1.2.5", dry_run=True)
    assert "goes on: core 1.2.5 was deployed to dev from files that were not committed" in capsys.readouterr().out
    git(site.root, "commit", "-qam", "second")
    site.promote(version="1.2.5")
    shown = capsys.readouterr().out
    assert "which is checked out, builds just this release: the promotion notes that one" in shown
    assert "not committed" not in shown
    newest = Journal(stage, "news", Who()).newest()
    assert newest
    assert len(newest.commit) == 7


def test_another_commit_than_the_one_that_was_deployed_does_not_pass_for_it(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    git(site.root, "init", "-q")
    git(site.root, "add", ".")
    git(site.root, "commit", "-qm", "first")
    site.write("src/core/__init__.py", "NAME = 'new'\n")
    site.deploy()
    site.write("src/core/__init__.py", "NAME = 'newer'\n")
    git(site.root, "commit", "-qam", "second")
    capsys.readouterr()
    site.promote(dry_run=True)
    assert "goes on: core 1.2.4 was deployed to dev from files that were not committed" in capsys.readouterr().out


def test_an_emergency_is_journaled_and_every_later_command_says_so(
    site: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy(emergency="the site is down")
    newest = Journal(dev, "news", Who()).newest()
    assert newest
    assert newest.emergency == "the site is down"
    capsys.readouterr()
    site.deploy(dry_run=True)
    assert "dev was changed in an emergency (entry 1: the site is down)" in capsys.readouterr().out


class Refused(Exception):  # noqa: N818  (no error: an answer)
    """Nobody agreed."""


def asked_on(there: FakeEnvironment, goal: Goal) -> list[str]:
    """What is asked before a goal is brought about, which nobody agrees to."""
    heard: list[str] = []

    def refuse(questions: Sequence[str]) -> None:
        heard.extend(questions)
        if questions:
            raise Refused

    if goal.release.key != RELEASE.key:
        there.deployed = replace(there.deployed, record=None)
    with contextlib.suppress(Refused):
        carry_out(goal, UPDATE_LAMBDAS, there, silent, agree=refuse)
    return heard


def deployed() -> FakeEnvironment:
    """An environment that runs the first release, with a journal that says so."""
    there = FakeEnvironment(Deployed(functions=functions([])))
    carry_out(GOAL, UPDATE_LAMBDAS, there, silent)
    there.performed.clear()
    return there


NEXT = replace(GOAL, release=replace(RELEASE, artifacts=(artifact("core", "1.2.5", "second"), DEPS)))


def test_most_deployments_ask_nothing() -> None:
    assert asked_on(deployed(), NEXT) == []


def test_an_environment_that_wants_it_is_changed_only_once_somebody_agrees() -> None:
    there = deployed()
    goal = replace(NEXT, environment=replace(DEV, confirm=True))
    assert asked_on(there, goal) == ["dev is changed only once somebody agrees"]
    assert there.performed == []
    assert len(there.entries) == 1


def test_nobody_is_asked_where_there_is_nothing_to_do() -> None:
    assert asked_on(deployed(), replace(GOAL, environment=replace(DEV, confirm=True))) == []


def test_what_was_changed_by_hand_is_named_before_it_is_changed_back() -> None:
    there = deployed()
    ingest = there.deployed.functions["news-ingest-dev"]
    edited = replace(ingest, state=replace(ingest.state, runtime="python3.9"))
    canonical = {
        "canonical/scopes.yaml": CanonicalObject("f" * 64, "e"),
        "canonical/new.yaml": CanonicalObject("a", ""),
    }
    there.deployed = replace(
        there.deployed, functions={**there.deployed.functions, "news-ingest-dev": edited}, canonical=canonical
    )
    first, second = asked_on(there, GOAL)
    assert first.startswith("news-ingest-dev was changed by hand since entry 1: ")
    assert second == (
        "s3://news-config-dev was changed by hand since entry 1: canonical/new.yaml, canonical/scopes.yaml"
    )


def test_without_an_earlier_deployment_nothing_counts_as_changed_by_hand() -> None:
    there = FakeEnvironment(Deployed(functions=functions([FOREIGN]), canonical={"canonical/x": CanonicalObject("a")}))
    assert asked_on(there, GOAL) == []


def test_what_was_changed_by_hand_stays_so_after_a_deployment_that_was_undone() -> None:
    there = deployed()
    there.deployed = replace(there.deployed, canonical={}, record=None)
    there.fails = lambda action, _place: ("before", AwsError("no")) if isinstance(action, Switch) else None
    with pytest.raises(ReleaseError):
        carry_out(NEXT, UPDATE_LAMBDAS, there, silent, agree=lambda _: None)
    there.fails = lambda _action, _place: None
    (question,) = asked_on(there, NEXT)
    assert "was changed by hand since entry 2: canonical/scopes.yaml" in question


def test_delete_names_what_is_removed() -> None:
    there = deployed()
    goal = replace(NEXT, release=replace(NEXT.release, canonical={"canonical/other.yaml": "a" * 64}), delete=True)
    assert asked_on(there, goal) == ["--delete removes canonical/scopes.yaml from s3://news-config-dev"]


def test_an_upload_changes_nothing_that_runs_and_asks_nothing() -> None:
    goal = replace(NEXT, environment=replace(DEV, confirm=True))
    carry_out(goal, UPLOAD, deployed(), silent)


def test_with_nobody_at_the_keyboard_what_needs_agreement_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(PlanError, match="Somebody must agree, and nobody is here") as refused:
        Consent(rehearsal=False)(["prod is changed only once somebody agrees"])
    assert "--yes" not in str(refused.value)
    with pytest.raises(PlanError, match="nobody is here"):
        nobody(["prod is changed"])


class Keyboard(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_at_a_terminal_only_yes_is_yes(typed: str, *, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard(typed))
    if agreed:
        Consent(rehearsal=False)(["x"])
    else:
        with pytest.raises(PlanError, match="Nobody agreed"):
            Consent(rehearsal=False)(["x"])


@pytest.mark.parametrize("consent", [Consent(rehearsal=True), Consent(rehearsal=False, beforehand=True)])
def test_the_sandbox_and_whoever_agreed_beforehand_are_not_asked(consent: Consent) -> None:
    consent(["x"])


def test_an_emergency_is_remembered_until_it_is_adopted() -> None:
    emergency = replace(ENTRY, emergency="down", status=Status.CONFIRMED)
    later = Entry(4, "deploy", "", "", "", Who(), "", Status.CONFIRMED, unadopted=emergency.standing_emergency)
    assert later.standing_emergency == "entry 3: down"
    assert replace(later, what="adopt").standing_emergency == ""
    assert replace(later, what="adopt", status=Status.OPEN).standing_emergency == "entry 3: down"
    assert replace(emergency, status=Status.UNDONE).standing_emergency == ""


def test_publishing_changes_nothing_that_runs_and_asks_nothing() -> None:
    goal = replace(NEXT, environment=replace(DEV, confirm=True), what="publish")
    there = deployed()
    there.deployed = replace(there.deployed, record=None)
    carry_out(goal, PUBLISH, there, silent)


def test_what_came_up_while_somebody_was_asked_is_not_done_unasked() -> None:
    there = deployed()
    there.deployed = replace(there.deployed, record=None)

    def meanwhile(_questions: Sequence[str]) -> None:
        there.deployed = replace(there.deployed, canonical={"canonical/scopes.yaml": CanonicalObject("f" * 64)})

    with pytest.raises(ReleaseError, match=r"dev was changed meanwhile; run the same command again:\n.*by hand"):
        carry_out(NEXT, UPDATE_LAMBDAS, there, silent, agree=meanwhile)
    assert there.performed == []
    assert there.entries[-1].status is Status.UNDONE


def test_a_prefix_that_is_new_in_release_toml_was_changed_by_nobody() -> None:
    there = deployed()
    here = replace(DEV, canonical=("canonical", "prompts"))
    now = replace(there.deployed, canonical={**there.deployed.canonical, "prompts/a.txt": CanonicalObject("a" * 64)})
    assert list(changed_by_hand(here, now, there.newest())) == []


def test_a_function_that_was_deleted_by_hand_is_named() -> None:
    there = deployed()
    now = replace(there.deployed, functions={})
    assert "news-ingest-dev was deleted by hand since entry 1" in list(changed_by_hand(DEV, now, there.newest()))


def test_an_emergency_that_was_cut_off_and_undone_is_over(site: Site, dev: Connection) -> None:
    site.deploy()
    journal = Journal(dev, "news", Who(caller="dead", nonce="dead"))
    entry = Entry(0, "deploy", "releases/core-9.9.9/x.json", "core 9.9.9", "none", Who(), "", emergency="down")
    with journal.take(entry) as held:
        held.close(Status.ABANDONED, None, "killed")
    site.rollback()
    newest = journal.newest()
    assert newest
    assert (newest.what, newest.standing_emergency) == ("undo", "")


def test_an_emergency_needs_a_reason(site: Site) -> None:
    with pytest.raises(ConfigError, match="The emergency has no reason"):
        site.deploy(emergency="  ")


def test_what_runs_in_an_emergency_goes_no_further_until_it_is_adopted(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy(emergency="down")
    capsys.readouterr()
    site.promote(dry_run=True)
    assert "goes on: dev was changed in an emergency (entry 1: down)" in capsys.readouterr().out
