"""Everything that prints.

Lines start with a plain ASCII tag, and a character that the console cannot show is written as an escape, so that
nothing crashes on a cp1252 or ASCII stdout. The wording of a normal deployment is a contract with whoever reads logs.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from tasks.release.actions import Action, Attach, Copy, CopyCanonical, Plan, Record, Skip, UpdateCode, Upload, Warn
from tasks.release.artifacts import Artifact, Release

__all__ = [
    "FUNCTIONS",
    "announce",
    "heading",
    "say",
    "say_arns",
    "say_built",
    "say_done",
    "say_end",
    "say_layer",
    "say_plan",
    "say_start",
    "section",
]

FUNCTIONS = "Updating Lambda layers..."
"""The title of the section about functions."""

_RULE = "=" * 60


def say(*lines: str) -> None:
    """Print lines as they are."""
    encoding = sys.stdout.encoding or "ascii"
    for line in lines or ("",):
        print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def heading(text: str) -> None:
    """Print a section's title between two rules."""
    say("", _RULE, text, _RULE)


def say_start(title: str, release: Release) -> None:
    """Print what begins, and the version of each layer it is about."""
    versions = (f"   {artifact.name}: {artifact.version}" for artifact in release.artifacts)
    say(f"[DEPLOY] {title}", "", "[INFO] Versions:", *versions)


def say_end(title: str, *lines: str) -> None:
    """Print that all went well."""
    say("", _RULE, f"[SUCCESS] {title}", *lines, _RULE, "")


def say_built(artifact: Artifact, path: Path, *, cached: bool) -> None:
    """Print an archive that was built: file, version, size, SHA-256."""
    kind = "Package" if artifact.handler else "Layer"
    say(
        f"[OK] {kind} {artifact.name} is unchanged (taken from the cache)"
        if cached
        else f"[SUCCESS] {kind} {artifact.name} built successfully!",
        f"   File: {path.as_posix()}",
        f"   Version: {artifact.version}",
        f"   Size: {artifact.size / (1024 * 1024):.2f} MB",
        f"   SHA256: {artifact.sha256[:16]}...",
        "",
    )


def say_plan(plan: Plan) -> None:
    """Print what would be done, in the words that doing it would print."""
    for action in plan:
        announce(action)
        if isinstance(action, Attach):
            say(*(f"      {layer}" for layer in action.layers))


def section(action: Action) -> str:
    """The title of the section that an action stands in, unless it is about a layer."""
    match action:
        case CopyCanonical():
            return "Copying canonical..."
        case Upload() | Copy():
            return "Deploying function packages..."
        case _:
            return FUNCTIONS


def announce(action: Action) -> None:
    """Print an action as it begins."""
    match action:
        case Skip():
            say(f"   [SKIP] {action} (create it, then run the same command again)")
        case Warn():
            say(f"   [WARNING] {action}")
        case UpdateCode() | Attach() | CopyCanonical() | Record():
            say(f"   {action}")
        case _:
            say(f"[DEPLOY] {action}")


def say_done(action: Action) -> None:
    """Print that an action which says nothing of its own is done."""
    if isinstance(action, UpdateCode):
        say("      [OK] Code updated")
    if isinstance(action, Attach):
        say("      [OK] Layers updated")


def say_layer(arn: str, *, published: bool) -> None:
    """Print the layer version that holds an artifact."""
    say(
        *(["", "[SUCCESS] Layer deployed successfully!"] if published else ["[SKIP] Already published"]),
        f"   ARN: {arn}",
        f"   Version: {arn.rpartition(':')[-1]}",
    )


def say_arns(arns: Mapping[str, str]) -> None:
    """Print the layer versions that functions are about to get."""
    say("   Layer ARNs:", *(f"      {layer}: {arn}" for layer, arn in arns.items()))
