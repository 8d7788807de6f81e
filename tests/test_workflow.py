"""The workflow to copy: what it pins, and that what it runs does what it says."""

import configparser
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml

from tests.examples import RELEASE_TOML, VERSION

pytestmark = pytest.mark.whole

WORKFLOWS = Path(__file__).parents[1] / ".github" / "workflows"
TEXT = (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
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


@pytest.mark.parametrize("name", ["release", "test"])
def test_every_action_is_pinned_by_digest(name: str) -> None:
    text = (WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8")
    used = [step["uses"] for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)


def test_no_job_has_a_key_and_each_trades_a_token() -> None:
    assert "secrets." not in TEXT
    trading = {"contents": "read", "id-token": "write"}
    assert all(job["permissions"] == trading for name, job in JOBS.items() if name != "build")


def test_what_builds_can_trade_no_token_and_comes_before_every_job_that_can() -> None:
    assert JOBS["build"]["permissions"] == yaml.safe_load(TEXT)["permissions"] == {"contents": "read"}
    assert "needs" not in JOBS["build"]
    assert "environment" not in JOBS["build"]
    assert [name for name, job in JOBS.items() if not job.get("needs")] == ["build"]


def test_only_a_protected_branch_is_released() -> None:
    assert all(job["if"] == "github.ref_protected" for job in JOBS.values())


def test_what_is_installed_has_its_hash_and_builds_nothing() -> None:
    runs = [step["run"] for job in JOBS.values() for step in job["steps"] if "pip install" in step.get("run", "")]
    assert len(runs) == len(JOBS)
    assert all("--require-hashes --only-binary :all: -r requirements-inv.lock" in each for each in runs)


def test_a_plan_in_a_summary_can_end_no_block_of_it() -> None:
    plans = [line for line in TEXT.splitlines() if "GITHUB_STEP_SUMMARY" in line]
    assert plans
    assert all("| sed 's/^/    /' |" in line for line in plans)
    assert "```" not in TEXT


def test_the_locked_requirements_are_those_that_are_pinned() -> None:
    root = WORKFLOWS.parents[1]
    pinned, locked = (
        dict(re.findall(r"(?m)^([A-Za-z0-9-]+)==([^\s;]+)", (root / name).read_text(encoding="utf-8").lower()))
        for name in ("requirements.txt", "requirements-inv.lock")
    )
    assert pinned.items() <= locked.items()


def test_what_changes_an_environment_waits_in_it() -> None:
    waits = {name: job.get("environment") for name, job in JOBS.items()}
    assert waits == {
        "build": None,
        "deploy-dev": "dev",
        "plan-stage": None,
        "promote-stage": "stage",
        "plan-prod": None,
        "promote-prod": "prod",
    }


ANSWER = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{role}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>{token}</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class Sts(BaseHTTPRequestHandler):
    """Answers with credentials that say for which role and token they were made."""

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        body = ANSWER.format(role=asked["RoleArn"][0], token=asked["WebIdentityToken"][0]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def sts() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def profiles(tmp_path: Path, sts: str, roles: str, text: str) -> dict[str, dict[str, str]]:
    """What the step makes of a release.toml."""
    (tmp_path / "release.toml").write_text(text)
    code = script("promote-stage", "A profile for each environment")
    made = run(code, tmp_path, ROLES=roles, AWS_ENDPOINT_URL_STS=sts, TOKEN=sts)
    parser = configparser.ConfigParser()
    parser.read_string(made)
    return {name: dict(parser[name]) for name in parser.sections()}


SEVERAL = RELEASE_TOML
for each in ("dev", "stage"):
    SEVERAL = SEVERAL.replace(f"[environments.{each}]", f'[environments.{each}]\nprofile = "news-{each}"')


def test_each_environment_gets_a_profile_with_credentials_of_its_role(tmp_path: Path, sts: str) -> None:
    roles = "dev=arn:aws:iam::111111111111:role/read stage=arn:aws:iam::222222222222:role/write"
    found = profiles(tmp_path, sts, roles, SEVERAL)
    assert {name: each["aws_access_key_id"] for name, each in found.items()} == {
        "news-dev": "arn:aws:iam::111111111111:role/read",
        "news-stage": "arn:aws:iam::222222222222:role/write",
    }
    assert sts in found["news-dev"].values()  # the token that was traded


def test_one_account_without_profiles_has_the_later_role(tmp_path: Path, sts: str) -> None:
    roles = "dev=arn:aws:iam::111111111111:role/read stage=arn:aws:iam::111111111111:role/write"
    assert (
        profiles(tmp_path, sts, roles, RELEASE_TOML)["default"]["aws_access_key_id"]
        == "arn:aws:iam::111111111111:role/write"
    )


READ, OTHER = "arn:aws:iam::111111111111:role/x", "arn:aws:iam::222222222222:role/y"


@pytest.mark.parametrize("roles", [f"dev= stage={READ}", f"dev={READ} stage={OTHER}"])
def test_a_missing_role_and_one_profile_for_two_accounts_end_the_job(tmp_path: Path, sts: str, roles: str) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        profiles(tmp_path, sts, roles, RELEASE_TOML)


def test_the_version_is_that_of_the_first_layer(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    assert run(script("deploy-dev", "The version of this release"), tmp_path) == "version=1.2.4\n"
