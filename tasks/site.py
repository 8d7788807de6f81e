"""Where a command works: the repository it belongs to, and the AWS it talks to."""

from pathlib import Path

from invoke import Context

from tasks.layers.workspace import Workspace

__all__ = ["WORKSPACE", "endpoint", "use_endpoint"]

WORKSPACE = Workspace(Path(__file__).absolute().parent.parent)
"""The repository that holds this package; `inv` may be called from any folder below it."""


def endpoint(c: Context) -> str:
    """The sandbox's address if `sandbox` came earlier on this command line; empty for real AWS."""
    return str(c.config.get("sandbox_endpoint", ""))


def use_endpoint(c: Context, url: str) -> None:
    """Send the tasks that follow on this command line to the sandbox at `url`.

    Invoke hands one and the same configuration to all tasks of a command line, with what earlier ones changed.
    """
    c.config["sandbox_endpoint"] = url
