"""Prints what nobody needs any more."""

from collections.abc import Sequence

from tasks.output.lines import say
from tasks.project.model import Environment
from tasks.release.pruning import Pruning


def say_pruning(environment: Environment, found: Pruning, why: Sequence[str]) -> None:
    """Print what may be deleted, a line each, and what is kept because something is not known."""
    say(*(f"[WARNING] Kept: {reason}" for reason in why))
    if not found:
        say(f"[{'INFO' if why else 'SUCCESS'}] {environment.name} holds nothing that could be deleted", "")
        return
    say(f"[INFO] Nobody needs {found} of {environment.name} any more, {found.size:,} bytes:")
    say(*(f"   {each.arn} ({each})" for each in found.versions))
    say(*(f"   s3://{environment.bucket}/{each.key}, {each.size:,} bytes" for each in found.objects), "")
