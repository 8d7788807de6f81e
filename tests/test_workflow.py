"""The workflow to copy: what it pins, and that what it runs does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import yaml

from tests.examples import RELEASE_TOML, VERSION

TEXT = (Path(__file__).parents[1] / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
JOBS: dict[str, Any] = yaml.safe_load(TEXT)["jobs"]


def script(job: str, name: str) -> str:
    """The Python inside of a step."""
    (step,) = [each for each in JOBS[job]["steps"] if each.get("name") == name]
    found = re.search(r"<<'END'\n(.*?)\nEND\n", step["run"], re.DOTALL)
    assert found
    return found[1]


def run(code: str, folder: Path, **variables: str) -> str:
    made = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout


def test_every_action_is_pinned_by_digest() -> None:
    used = [step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)


def test_no_job_has_a_key_and_each_trades_a_token() -> None:
    assert "secrets." not in TEXT
    assert all(job["permissions"] == {"contents": "read", "id-token": "write"} for job in JOBS.values())


def test_what_changes_an_environment_waits_in_it() -> None:
    waits = {name: job.get("environment") for name, job in JOBS.items()}
    assert waits == {
        "deploy-dev": "dev",
        "plan-stage": None,
        "promote-stage": "stage",
        "plan-prod": None,
        "promote-prod": "prod",
    }


def test_each_environment_gets_a_profile_with_its_role(tmp_path: Path) -> None:
    text = RELEASE_TOML
    for name in ("dev", "stage"):
        text = text.replace(f"[environments.{name}]", f'[environments.{name}]\nprofile = "news-{name}"')
    (tmp_path / "release.toml").write_text(text)
    roles = "dev=arn:aws:iam::1:role/read stage=arn:aws:iam::2:role/write prod=arn:aws:iam::3:role/x"
    made = run(script("promote-stage", "A profile for each environment"), tmp_path, ROLES=roles, RUNNER_TEMP="/t")
    (tmp_path / "config").write_text(made)
    session = botocore.session.Session(session_vars={"config_file": (None, None, str(tmp_path / "config"), None)})
    profiles = session.full_config["profiles"]
    assert profiles["news-stage"] == {"role_arn": "arn:aws:iam::2:role/write", "web_identity_token_file": "/t/token"}
    assert set(profiles) == {"news-dev", "news-stage", "default"}


def test_the_version_is_that_of_the_first_layer(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    assert run(script("deploy-dev", "The version of this release"), tmp_path) == "version=1.2.4\n"
