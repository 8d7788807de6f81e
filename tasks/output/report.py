"""One page of what status, verify, history, show and compare say: a file that needs no network and no script.

The page reads on a phone, on paper, in the dark and aloud.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tasks.errors import printable
from tasks.release import journal
from tasks.release.contents import Contents, Distribution
from tasks.release.doubts import Finding
from tasks.release.journal import Entry, entry_changes
from tasks.release.status import Mark, Status

_MEGABYTE = 1_000_000
_MOST = 15
"""How many packages of a layer are shown."""
_LOOKS: dict[object, str] = {
    Mark.OK: "good",
    Mark.BEHIND: "open",
    Mark.MISSING: "open",
    journal.Status.CONFIRMED: "good",
    journal.Status.OPEN: "open",
}
"""How a mark or an outcome looks, where it does not look bad."""


@dataclass(frozen=True)
class Section:
    """What is known of an environment: journal entries newest first, findings, what a promotion would change there."""

    status: Status
    entries: Sequence[Entry] = ()
    findings: Sequence[Finding] = ()
    coming: Sequence[str] = ()


@dataclass(frozen=True)
class Sized:
    """A layer as it is built: what is in it, and its budgets in megabytes (0 for none)."""

    name: str
    contents: Contents
    max_zipped_mb: int = 0
    max_unzipped_mb: int = 0


@dataclass(frozen=True)
class Page:
    """Everything that the page shows."""

    project: str
    made: str
    sections: Sequence[Section]
    layers: Sequence[Sized] = field(default_factory=tuple)


def render(page: Page) -> str:
    """The page, as HTML: `report.html` beside this file, in which everything is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # held by tests/output/test_report.py `True`
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FileSystemLoader(Path(__file__).parent),
        finalize=lambda value: value if hasattr(value, "__html__") else printable(str(value)),
    )
    made.filters["megabytes"] = lambda size: f"{size / _MEGABYTE:.2f} MB"
    made.filters["look"] = lambda mark: _LOOKS.get(mark, "bad")
    made.filters["changes"] = entry_changes
    made.filters["distribution"] = _distribution
    entries = [(section.status.name, entry) for section in page.sections for entry in section.entries]
    timeline = sorted(entries, key=lambda each: each[1].begun, reverse=True)
    findings = [
        (section.status.name, "not known" if each.unknown else "wrong", each.text, each.remedy)
        for section in page.sections
        for each in section.findings
    ]
    text = made.get_template("report.html").render(page=page, timeline=timeline, findings=findings, most=_MOST)
    return f"{text}\n"


def _distribution(each: Distribution) -> tuple[str, str, str, str]:
    return each.name, each.version, each.licence, ", ".join(each.runtimes) or "all"
