"""Everything that prints.

Lines start with a plain ASCII tag, and a character that the console cannot show is written as an escape, so that
nothing crashes on a cp1252 or ASCII stdout.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["heading", "say", "say_built"]

_RULE = "=" * 60


def say(*lines: str) -> None:
    """Print lines as they are."""
    encoding = sys.stdout.encoding or "ascii"
    for line in lines or ("",):
        print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def heading(text: str) -> None:
    """Print a section's title between two rules."""
    say("", _RULE, text, _RULE)


def say_versions(versions: Mapping[str, str]) -> None:
    """Print the version of each layer."""
    say("[INFO] Versions:", *(f"   {layer}: {version}" for layer, version in versions.items()))


def say_built(version: str, path: Path, size: int, sha256: str, *, cached: bool) -> None:
    """Print a built layer: file, version, size, SHA-256."""
    say(
        "[OK] Layer unchanged, taken from the cache" if cached else "[SUCCESS] Layer built successfully!",
        f"   File: {path.as_posix()}",
        f"   Version: {version}",
        f"   Size: {size / (1024 * 1024):.2f} MB",
        f"   SHA256: {sha256[:16]}...",
        "",
    )
