"""inv sandbox, sandbox.up, sandbox.down."""

from invoke import Context, task

from tasks.console import say
from tasks.site import WORKSPACE, use_endpoint

__all__ = ["down", "sandbox", "up"]


@task(default=True)
def sandbox(c: Context) -> None:
    """Run the tasks that follow on this line against an emulated AWS, never a real one."""
    url = _find()
    if url:
        say(f"[INFO] Sandbox: an emulated AWS, up at {url}; nothing on this line reaches a real account", "")
    else:
        url = _start_here()
        say("[INFO] Sandbox: an emulated AWS for this line only; nothing reaches a real account", "")
    use_endpoint(c, url)


@task
def up(_c: Context) -> None:
    """Start a sandbox that keeps what is deployed to it until `inv sandbox.down`."""
    from tasks.sandbox import background

    url = _find()
    say(f"[OK] Sandbox is up at {url or background.start(WORKSPACE)}; use it with: inv sandbox TASKS...")


@task
def down(_c: Context) -> None:
    """Stop the sandbox that `inv sandbox.up` started; what it held is gone."""
    from tasks.sandbox import background

    stopped = bool(_find()) and background.stop(WORKSPACE)
    say("[OK] Sandbox stopped" if stopped else "[SKIP] No sandbox is up")


def _find() -> str:
    """The sandbox that is up, empty if none is; if one should be and is gone, that is said."""
    from tasks.sandbox import background

    expected = background.note(WORKSPACE).exists()
    url = background.find(WORKSPACE)
    if expected and not url:
        say("[WARNING] The sandbox that was up is gone, with all it held; start another with: inv sandbox.up", "")
    return url


def _start_here() -> str:
    """A sandbox in this process, gone with it."""
    from tasks.sandbox.server import Server

    server = Server(WORKSPACE.root)
    server.start(WORKSPACE.project(), WORKSPACE.root / "canonical")
    return server.url
