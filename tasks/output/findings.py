"""Prints what was found of an environment."""

import json
from collections.abc import Sequence

from tasks.output.console import say
from tasks.release.findings import Evidence, Finding

SCHEMA = 1
"""Of the document that --json prints."""


def say_findings(evidence: Evidence, found: Sequence[Finding]) -> None:
    """Print what runs, and a line for each finding."""
    say(f"[INFO] {_what_runs(evidence)}", "")
    for each in found:
        say(f"   [{'WARNING' if each.unknown else 'ERROR'}] {each}")
    name, unknown = evidence.environment.name, sum(each.unknown for each in found)
    if not found:
        say(f"[OK] {name} runs what was deployed: {_seen(evidence)}", "")
        return
    differ = len(found) - unknown
    counts = [f"{count} {word}" for count, word in ((differ, "different"), (unknown, "unknown")) if count]
    say("", f"[ERROR] {name} is not proved to run what was deployed: {' and '.join(counts)}", "")


def print_json(evidence: Evidence, found: Sequence[Finding]) -> None:
    """Print the same as one JSON document."""
    entry = evidence.confirmed
    document = {
        "schema": SCHEMA,
        "environment": evidence.environment.name,
        "entry": entry.number if entry else None,
        "release": entry.version if entry else None,
        "commit": entry.commit if entry else None,
        "ok": not found,
        "findings": [{"text": each.text, "remedy": each.remedy, "unknown": each.unknown} for each in found],
    }
    say(json.dumps(document, indent=2))


def _what_runs(evidence: Evidence) -> str:
    entry, name = evidence.confirmed, evidence.environment.name
    if entry is None:
        return f"{name}: nothing that was deployed here was ever confirmed"
    return f"{name}: {entry.version}, entry {entry.number}, {entry.begun}, by {entry.who}, commit {entry.commit}"


def _seen(evidence: Evidence) -> str:
    """What was compared, counted."""
    deployed = evidence.deployed
    counts = [
        (len(deployed.functions), "function"),
        (len(evidence.digests), "layer version"),
        (len(evidence.objects), "stored object"),
        (len(deployed.canonical), "configuration object"),
    ]
    return ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count)
