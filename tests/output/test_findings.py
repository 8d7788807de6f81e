"""What is printed of findings."""

from dataclasses import replace

import pytest

from tasks.output.findings import say_findings
from tasks.release.doubts import Finding
from tasks.release.evidence import Evidence
from tasks.release.journal import Status
from tests.release.test_findings import entry, evidence, state

CHANGED = state(runtime="python3.13")


@pytest.mark.parametrize(
    ("seen", "found", "advised"),
    [
        (CHANGED, Finding("x"), True),
        (CHANGED, Finding("x", unknown=True), False),
        (evidence(), Finding("timeout is 5 s"), False),
        (replace(CHANGED, entries={3: replace(entry(), status=Status.OPEN)}), Finding("cut off"), False),
    ],
)
def test_adopting_is_advised_where_it_would_change_what_should_run(
    seen: Evidence, found: Finding, advised: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    say_findings(seen, [found])
    assert ("run: inv adopt --env dev" in capsys.readouterr().out) == advised
