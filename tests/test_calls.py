"""How many calls a command makes, and how many wait for one another, on a small environment: a limit for each.

Two functions, two layers, one object of the configuration; over a slow line a command takes as long as its rounds.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tasks import verify
from tests.examples import PROJECT
from tests.front import Site
from tests.rounds import rounds

pytestmark = pytest.mark.whole

LIMITS: list[tuple[str, Callable[[Site], Any], int, int]] = [
    ("first deployment", lambda site: site.deploy(), 15, 36),
    ("deployment with nothing to do", lambda site: site.deploy(), 2, 9),
    ("its dry run", lambda site: site.deploy(dry_run=True), 2, 9),
    ("verification", lambda site: verify.verify(site.context, env="dev"), 6, 20),
    ("promotion", lambda site: site.promote(), 18, 50),
    ("promotion with nothing to do", lambda site: site.promote(), 5, 24),
    ("history", lambda site: site.history(), 2, 2),
    ("upload with nothing to do", lambda site: site.upload(), 2, 9),
]


def test_no_command_makes_more_calls_or_waits_longer_than_it_did(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    found = []
    for name, command, most_rounds, most_calls in LIMITS:
        with rounds(site.endpoint, *PROJECT.environments.values()) as counted:
            command(site)
        made = (len(counted.made), len(counted.calls))
        found.append(f"{name}: {made[0]} rounds of {made[1]} calls")
        assert made[0] <= most_rounds, (name, counted.made)
        assert made[1] <= most_calls, (name, counted.made)
    record_property("counted", "; ".join(found))


def test_what_a_deployment_asks_does_not_grow_with_the_history(site: Site) -> None:
    made = []
    for number in range(12):
        site.write("VERSION", f"CORE_VERSION=1.0.{number}\nDEPS_VERSION=1.0.5\n")
        site.write("src/core/__init__.py", f"NAME = {number}\n")
        with rounds(site.endpoint, *PROJECT.environments.values()) as counted:
            site.deploy()
        made.append(sorted(counted.calls))
    assert len(made[-1]) <= len(made[1])  # the first one publishes and configures more
