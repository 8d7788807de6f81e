"""Prints the journal."""

from collections.abc import Mapping
from datetime import datetime

from tasks.output.lines import say, say_table
from tasks.release.doubts import journal_findings
from tasks.release.journal import PREPARING, Entry, Status, emergency_note, entry_changes, ways_out

_DAMAGED = ("damaged: restore that object", "", "", "", "", "", "")
_FORM = "%Y-%m-%d %H:%M:%S UTC"


def say_entries(environment: str, entries: Mapping[int, Entry | None]) -> None:
    """Print entries as a table, newest first; None is one that is damaged."""
    if not entries:
        say(f"[INFO] Nothing was ever deployed to {environment}")
        return
    rows: list[tuple[str, ...]] = [("no.", "when (UTC)", "who", "what", "release", "commit", "outcome", "took")]
    rows += [_row(each) if each else (str(number), *_DAMAGED) for number, each in entries.items()]
    say(f"[INFO] Journal of {environment}", "")
    say_table(*rows)
    say()
    say(*(f"[WARNING] {each}" for each in journal_findings(environment, entries)))
    newest = next(iter(entries.values()))
    if newest and newest.standing_emergency:
        say(f"[WARNING] {emergency_note(environment, newest)}", "")
    if newest and not newest.closed:
        say(f"[WARNING] Entry {newest.number} is not over, or was cut off. {ways_out(environment, newest)}", "")


def say_entry(environment: str, entry: Entry) -> None:
    """Print one entry, and what it changed."""
    say(
        f"[INFO] Entry {entry.number}: {entry.title(environment)}, {entry.status.value}",
        f"   When: {entry.begun}, {_took(entry) if entry.closed else 'not known how long'}",
        f"   Who: {entry.who} ({entry.who.caller})",
        f"   Commit: {entry.commit}",
        *([f"   Emergency: {entry.emergency}"] if entry.emergency else []),
        *(f"   {'Why: ' if first == 0 else '     '}{line}" for first, line in enumerate(entry.reason.splitlines())),
        "",
        *(f"   {line}" for line in entry_changes(entry) or [_no_changes(entry)]),
        "",
    )


_NO_CHANGES = {
    Status.OPEN: "it is not over, or was cut off: what it has changed is not known",
    Status.CONFIRMED: "nothing that runs was changed",
    Status.UNDONE: "what it had changed was put back",
    Status.ABANDONED: "it was cut off: a later entry has finished or undone it, or is still to do so",
}


def _no_changes(entry: Entry) -> str:
    """Why nothing is told of what an entry changed."""
    return _NO_CHANGES[Status.CONFIRMED if entry.what in (*PREPARING, "adopt") else entry.status]


def _row(entry: Entry) -> tuple[str, ...]:
    when = entry.begun.removesuffix(" UTC")
    took = _took(entry).removeprefix("took ") if entry.closed else "-"
    what = f"{entry.what} (emergency)" if entry.emergency else entry.what
    facts = (what, entry.version, entry.commit, entry.status.value, took)
    return (str(entry.number), when, str(entry.who), *facts)


def _took(entry: Entry) -> str:
    """How long it took; a dash while it is not over."""
    try:
        seconds = (datetime.strptime(entry.ended, _FORM) - datetime.strptime(entry.begun, _FORM)).total_seconds()  # noqa: DTZ007
    except ValueError:
        return "-"
    return f"took {seconds:.0f} s"
