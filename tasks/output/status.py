"""Prints what environments run."""

from collections.abc import Sequence

from tasks.output.lines import say, say_table
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
        if each.rows:
            rows = [(row.name, row.mark.value, row.runtime, row.layers, row.package) for row in each.rows]
            say_table(("function", "is", "runtime", "layers", "package"), *rows)
        say(*(f"   {line}" for line in each.why), "")
