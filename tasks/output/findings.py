"""Prints what was found of an environment."""

from collections.abc import Sequence

from tasks.output.lines import say
from tasks.release.doubts import Finding
from tasks.release.evidence import Evidence
from tasks.release.journal import ADOPTED
from tasks.release.rules import changed_by_hand


def say_findings(
    evidence: Evidence, found: Sequence[Finding], notes: Sequence[str] = (), more: Sequence[str] = ()
) -> None:
    """Print what runs, and a line for each finding and each note; `more` is what was compared besides."""
    say(f"[INFO] {_what_runs(evidence)}", *(f"[INFO] {each}" for each in notes), "")
    for each in found:
        say(f"   [{'WARNING' if each.unknown else 'ERROR'}] {each}")
    name, unknown = evidence.environment.name, sum(each.unknown for each in found)
    if not found:
        what = "adopted" if evidence.confirmed and evidence.confirmed.runs == ADOPTED else "deployed"
        say(f"[OK] {name} runs what was {what}: {', '.join([_seen(evidence), *more])}", "")
        return
    differ = len(found) - unknown
    counts = [f"{count} {word}" for count, word in ((differ, "different"), (unknown, "unknown")) if count]
    say("", f"[ERROR] {name} is not proved to run what was deployed: {' and '.join(counts)}")
    newest = next(iter(evidence.entries.values()), None)
    if not unknown and any(changed_by_hand(evidence.environment, evidence.deployed, newest)):
        say(f'   If all that is right as it runs, accept it; run: inv adopt --env {name} --note "..."')
    say()


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
