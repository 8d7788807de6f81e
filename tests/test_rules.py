"""The rules of the house: a release goes from environment to environment, and from a commit."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from invoke import Config, Context

from tasks.aws.connection import Connection
from tasks.aws.journal import Journal
from tasks.errors import PlanError
from tasks.release.journal import Entry, Who
from tasks.release.rules import committed, enforce, first_only
from tests.examples import DEV, STAGE
from tests.front import Site
from tests.test_dry import TASKS

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
    problem = committed(DEV, replace(ENTRY, commit=commit), "core 1.2.4")
    assert (problem == "") == good
    assert good or 'git commit -am "Release core 1.2.4"' in problem


def test_a_rule_stops_on_a_real_environment_and_warns_on_the_sandbox_and_in_an_emergency() -> None:
    with pytest.raises(PlanError, match="broken"):
        enforce("broken", rehearsal=False, emergency="")
    assert enforce("broken", rehearsal=True, emergency="") == "broken"
    assert enforce("broken", rehearsal=False, emergency="the site is down") == "broken"
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
    assert "[WARNING] stage gets what dev runs, and nothing else" in capsys.readouterr().out


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
    assert "[WARNING] core 1.2.5 was deployed to dev from files that were not committed" in capsys.readouterr().out
    git(site.root, "commit", "-qam", "second")
    site.promote(version="1.2.5")
    shown = capsys.readouterr().out
    assert "which is checked out, builds just this release; that is noted" in shown
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
    assert "[WARNING] core 1.2.4 was deployed to dev from files that were not committed" in capsys.readouterr().out


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
