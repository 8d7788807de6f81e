"""A deployment that is killed between any two calls, and then simply run again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.aws.connection import Connection
from tests.front import Site

ROOT = Path(__file__).parent.parent
CALLS = 35
"""How many calls a first deployment makes at the least (signs of life are shared by chance); a test counts them."""

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")]

DEPLOY_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tasks.aws.connection import PATIENCE, client
from tests.front import Site
root, endpoint, last, when = sys.argv[1:]
site, made = Site(Path(root), endpoint), []
environment = site.workspace.project().environment("dev")
def count(**_):
    made.append(1)
    if len(made) == int(last):
        os.kill(os.getpid(), signal.SIGKILL)
event = {"before": "before-send", "after": "after-call"}[when]
for service, patience in (("s3", 0), ("s3", 20), ("lambda", 0), ("lambda", PATIENCE), ("sts", 0)):
    client(service, environment, endpoint, patience=patience).meta.events.register(event, count)
site.deploy()
print(len(made))
"""


def cut(site: Site, number: int, when: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", DEPLOY_AND_DIE, str(site.root), site.endpoint, str(number), when]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_call_of_a_deployment_is_cut(site: Site) -> None:
    assert CALLS <= int(cut(site, 10_000, "after").stdout.splitlines()[-1]) <= CALLS + 8


KILLED = -9


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, CALLS + 1))
def test_after_a_kill_at_any_call_running_again_ends_on_the_release_with_no_second_version(
    site: Site, dev: Connection, number: int, when: str
) -> None:
    killed = cut(site, number, when)
    assert killed.returncode == KILLED, killed.stderr
    site.deploy()
    for layer in ("core", "deps"):
        assert len(dev.functions.list_layer_versions(LayerName=f"news-{layer}-dev")["LayerVersions"]) == 1
    for function in dev.environment.function_names.values():
        found = dev.functions.get_function(FunctionName=function)["Configuration"]["Layers"]
        assert [each["Arn"].split(":")[6] for each in found[1:]] == ["news-core-dev", "news-deps-dev"]
