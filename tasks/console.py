"""Everything that prints.

Lines start with a plain ASCII tag, and a character that the console cannot show is written as an escape, so that
nothing crashes on a cp1252 or ASCII stdout. The wording of a normal deployment is a contract with whoever reads logs.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tasks.layers.contents import Contents, Difference
from tasks.release.actions import Action, Attach, Copy, CopyCanonical, Plan, Record, Skip, UpdateCode, Upload, Warn
from tasks.release.artifacts import Artifact, Release
from tasks.release.invocations import Invocation

__all__ = [
    "FUNCTIONS",
    "announce",
    "heading",
    "say",
    "say_arns",
    "say_built",
    "say_contents",
    "say_difference",
    "say_done",
    "say_end",
    "say_invocation",
    "say_layer",
    "say_plan",
    "say_start",
    "section",
]

FUNCTIONS = "Updating Lambda layers..."
"""The title of the section about functions."""

_RULE = "=" * 60
_REFUSED = 400


def say(*lines: str) -> None:
    """Print lines as they are."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        for line in lines or ("",):
            print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:
        # whoever read along has left (`inv deploy dev | head`): a deployment goes on to its end all the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def heading(text: str) -> None:
    """Print a section's title between two rules."""
    say("", _RULE, text, _RULE)


def say_start(title: str, release: Release) -> None:
    """Print what begins, and the version of each layer it is about."""
    versions = (f"   {artifact.name}: {artifact.version}" for artifact in release.artifacts)
    say(f"[DEPLOY] {title}", "", "[INFO] Versions:", *versions)
    if release.commit.endswith("-dirty"):
        say(
            "",
            f"[WARNING] Built from files that differ from commit {release.commit[:7]}; commit them first",
        )


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


def say_invocation(invocation: Invocation, *, log: bool) -> None:
    """Print what came of an invocation, and if asked the end of its log."""
    tag = "[ERROR]" if invocation.error else "[OK]" if invocation.status < _REFUSED else "[WARNING]"
    say(
        f"{tag} {invocation.function}",
        f"   Status: {invocation.failure or invocation.status}",
        f"   Duration: {invocation.seconds:.2f} s",
        f"   Answer: {json.dumps(invocation.body, ensure_ascii=False)}",
    )
    if log:
        say("   Log:", *(f"      {line}" for line in invocation.log.splitlines()))


def say_contents(name: str, contents: Contents, *, files: bool) -> None:
    """Print what is in an archive."""
    say(f"[INFO] {name}: {len(contents.files)} files, {contents.size:,} bytes, {contents.unzipped:,} unpacked")
    for each in contents.distributions:
        made_for = f" ({', '.join(each.runtimes)} each)" if each.runtimes else ""
        say(f"   {each.name} {each.version}  {each.licence or 'licence not stated'}{made_for}")
    say("", "   Unpacked bytes by package:")
    say(*(f"      {size:>12,}  {package}" for package, size in contents.packages.items()), "")
    if files:
        say(*(f"   {size:>12,}  {file}" for file, (_, size) in sorted(contents.files.items())), "")


def say_difference(title: str, difference: Difference) -> None:
    """Print how two archives differ."""
    if difference.empty:
        say(f"[OK] {title}: the same files", "")
        return
    say(f"[INFO] {title}: {difference.size:+,} bytes, {difference.unzipped:+,} unpacked")
    for sign, packages, files in [
        ("+", difference.added, difference.files_added),
        ("-", difference.removed, difference.files_removed),
        ("~", difference.changed, difference.files_changed),
    ]:
        lines = [*(f"   {sign} {package}" for package in packages), *(f"      {sign} {file}" for file in files)]
        if lines:
            say(*lines)
    say()
