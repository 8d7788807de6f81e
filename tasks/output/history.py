"""Prints the journal."""

from collections.abc import Sequence
from datetime import datetime

from tasks.output.console import say
from tasks.release.journal import Entry, entry_changes

_FORM = "%Y-%m-%d %H:%M:%S UTC"


def say_entries(environment: str, entries: Sequence[Entry]) -> None:
    """Print entries as a table, newest first."""
    if not entries:
        say(f"[INFO] Nothing was ever deployed to {environment}")
        return
    rows: list[tuple[str, ...]] = [("no.", "when", "who", "what", "release", "commit", "outcome", "took")]
    rows += [_row(entry) for entry in entries]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    say(f"[INFO] Journal of {environment}", "")
    for row in rows:
        say("   " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    say()


def say_entry(entry: Entry) -> None:
    """Print one entry, and what it changed."""
    say(
        f"[INFO] Entry {entry.number}: {entry.what} of {entry.version}, {entry.status.value}",
        f"   When: {entry.begun}, took {_took(entry)}",
        f"   Who: {entry.who} ({entry.who.caller})",
        f"   Commit: {entry.commit}",
        *([f"   Why: {line}" for line in entry.reason.splitlines()[:1]]),
        "",
        *(f"   {line}" for line in entry_changes(entry) or ["nothing changed, or it is not over"]),
        "",
    )


def _row(entry: Entry) -> tuple[str, ...]:
    when = entry.begun.removesuffix(" UTC")
    facts = (entry.what, entry.version, entry.commit, entry.status.value, _took(entry))
    return (str(entry.number), when, str(entry.who), *facts)


def _took(entry: Entry) -> str:
    """How long it took; a dash while it is not over."""
    try:
        seconds = (datetime.strptime(entry.ended, _FORM) - datetime.strptime(entry.begun, _FORM)).total_seconds()  # noqa: DTZ007
    except ValueError:
        return "-"
    return f"{seconds:.0f} s"
