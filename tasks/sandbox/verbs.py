"""inv sandbox, sandbox.up, sandbox.down."""

from pathlib import Path

from invoke import Context, task

from tasks.errors import ConfigError
from tasks.output.console import say
from tasks.project.command import changes, here, shows, use_endpoint
from tasks.project.workspace import Workspace

_FAULTS = "a TOML file that says what AWS shall do wrong; see the README"


@task(default=True, help={"faults": _FAULTS})
@shows
def sandbox(c: Context, faults: str = "") -> None:
    """Run the tasks that follow on this line against an emulated AWS, never a real one."""
    workspace = here(c).workspace
    url = _find(workspace)
    if url and faults:
        raise ConfigError("A sandbox is up without these faults; run: inv sandbox.down, then this again")
    if url:
        say(f"[INFO] Sandbox: an emulated AWS, up at {url}; nothing on this line reaches a real account", "")
    else:
        url = _start_here(workspace, faults)
        say("[INFO] Sandbox: an emulated AWS for this line only; nothing reaches a real account", "")
    use_endpoint(c, url)


@task(help={"faults": _FAULTS})
@changes
def up(c: Context, faults: str = "") -> None:
    """Start a sandbox that keeps what is deployed to it until `inv sandbox.down`."""
    from tasks.sandbox import background

    workspace = here(c).workspace
    url = _find(workspace) or background.start(workspace, faults and str(Path(faults).resolve()))
    say(f"[OK] Sandbox is up at {url}; use it with: inv sandbox TASKS...")


@task
@changes
def down(c: Context) -> None:
    """Stop the sandbox that `inv sandbox.up` started; what it held is gone."""
    from tasks.sandbox import background

    workspace = here(c).workspace
    stopped = bool(_find(workspace)) and background.stop(workspace)
    say("[OK] Sandbox stopped" if stopped else "[SKIP] No sandbox is up")


def _find(workspace: Workspace) -> str:
    """The sandbox that is up, empty if none is; if one should be and is gone, that is said."""
    from tasks.sandbox import background

    expected = background.note(workspace).exists()
    url = background.find(workspace)
    if expected and not url:
        say("[WARNING] The sandbox that was up is gone, with all it held; start another with: inv sandbox.up", "")
    return url


def _start_here(workspace: Workspace, faults: str) -> str:
    """A sandbox in this process, gone with it."""
    from tasks.sandbox.server import Server

    server = Server(workspace.root, Path(faults) if faults else None)
    server.start(workspace.project())
    return server.url
