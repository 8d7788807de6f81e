"""Prints what environments run."""

from collections.abc import Sequence

from tasks.output.lines import say
from tasks.release.status import Mark, Status

_TAGS = {Mark.OK: "OK", Mark.BEHIND: "INFO", Mark.DRIFTED: "ERROR", Mark.MIXED: "ERROR", Mark.MISSING: "INFO"}


def say_status(found: Sequence[Status]) -> None:
    """Print a section for each environment: what it runs, its functions, and what is to be done."""
    for each in found:
        entry = each.entry
        runs = f", {entry.version}" if entry else ""
        say(f"[{_TAGS.get(each.mark, 'WARNING')}] {each.name}: {each.mark.value}{runs}")
        if entry:
            say(f"   entry {entry.number} ({entry.what}), {entry.begun}, by {entry.who}, commit {entry.commit}")
        columns = zip(*map(_cells, each.rows), strict=True)
        widths = [max(len(cell) for cell in column) for column in columns]
        for row in each.rows:
            say("   " + "  ".join(cell.ljust(width) for cell, width in zip(_cells(row), widths, strict=True)).rstrip())
        say(*(f"   {line}" for line in each.why), "")


def _cells(row: object) -> tuple[str, ...]:
    return tuple(getattr(row, name).value if name == "mark" else getattr(row, name) for name in _COLUMNS)


_COLUMNS = ("name", "mark", "runtime", "layers", "package")
