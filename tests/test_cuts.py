"""A deployment that is killed between any two calls, and then simply run again."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.aws.connection import Connection
from tests.front import Site

ROOT = Path(__file__).parent.parent
LAST_CALL = 24
SAMPLE = sorted(random.Random(20260202).sample(range(1, LAST_CALL), 4))  # noqa: S311
NUMBERS = range(1, LAST_CALL) if os.environ.get("EVERY_CUT") else SAMPLE
"""A sample as a rule; with EVERY_CUT set, every call."""

CUTS = [(number, when) for number in NUMBERS for when in ("before", "after")]

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
for service, patience in (("s3", 0), ("lambda", 0), ("lambda", PATIENCE)):
    client(service, environment, endpoint, patience=patience).meta.events.register(event, count)
site.deploy()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
@pytest.mark.parametrize(("number", "when"), CUTS)
def test_after_a_kill_at_any_call_running_again_ends_on_the_release_with_no_second_version(
    site: Site, dev: Connection, number: int, when: str
) -> None:
    command = [sys.executable, "-c", DEPLOY_AND_DIE, str(site.workspace.root), site.endpoint, str(number), when]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode in (-signal.SIGKILL, 0), killed.stderr
    site.deploy()
    for layer in ("core", "deps"):
        assert len(dev.functions.list_layer_versions(LayerName=f"news-{layer}-dev")["LayerVersions"]) == 1
    for function in dev.environment.function_names.values():
        found = dev.functions.get_function(FunctionName=function)["Configuration"]["Layers"]
        assert [each["Arn"].split(":")[6] for each in found[1:]] == ["news-core-dev", "news-deps-dev"]
