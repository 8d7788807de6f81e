"""inv sandbox, sandbox.up, sandbox.down."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from invoke import Context, task

from tasks.errors import ConfigError
from tasks.output.lines import rehearse, say, say_beside
from tasks.project.command import ACCESS_KEY, address_of, changes, here, shows, use_endpoint
from tasks.project.workspace import Workspace

_FAULTS = "a TOML file that says what AWS shall do wrong; see docs/reference/sandbox.md"


@task(default=True, help={"faults": _FAULTS})
@shows
def sandbox(c: Context, faults: str = "") -> None:
    """Run the tasks that follow on this line against an emulated AWS, never a real one."""
    workspace = here(c).workspace
    if here(c).endpoint:
        return  # said twice on one line
    url = up_already = _find(workspace)
    if url and faults:
        raise ConfigError("A sandbox is up without these faults; run: inv sandbox.down, then this again")
    if url:
        say_beside(
            f"[INFO] Sandbox: an emulated AWS, up at {address_of(url)}; nothing on this line reaches a real account", ""
        )
    else:
        url = _start_here(workspace, faults)
        say_beside("[INFO] Sandbox: an emulated AWS for this line only; nothing reaches a real account", "")
    rehearse()
    use_endpoint(c, url, stays=bool(up_already))


@task(help={"faults": _FAULTS})
@changes
def up(c: Context, faults: str = "") -> None:
    """Start a sandbox that keeps what is deployed to it until `inv sandbox.down`."""
    from tasks.sandbox import background

    workspace = here(c).workspace
    if faults and _find(workspace):
        raise ConfigError("A sandbox is up without these faults; run: inv sandbox.down, then this again")
    url = _find(workspace) or background.start(workspace, faults and str(Path(faults).resolve()))
    say(f"[OK] Sandbox is up at {address_of(url)}; use it with: inv sandbox TASKS...")


@task
@changes
def down(c: Context) -> None:
    """Stop the sandbox that `inv sandbox.up` started; what it held is gone."""
    from tasks.sandbox import background

    workspace = here(c).workspace
    stopped = bool(_find(workspace)) and background.stop(workspace)
    say("[OK] Sandbox stopped" if stopped else "[SKIP] No sandbox is up")


@task(help={"env": "whose account and region; the first environment's without", "shell": "bash or powershell"})
@shows
def env(c: Context, env: str = "", shell: str = "") -> None:
    """Print what other programs (aws, boto3) need to use the sandbox that is up: eval "$(inv sandbox.env)"."""
    from tasks.sandbox import background

    workspace = here(c).workspace
    url, environments = background.find(workspace), workspace.project().environments
    if not url:
        raise ConfigError("No sandbox is up; run: inv sandbox.up")
    environment = workspace.project().environment(env or next(iter(environments)))
    form = _SHELLS.get(shell or ("powershell" if sys.platform == "win32" else "bash"))
    if not form:
        raise ConfigError(f"Unknown shell {shell!r}; use --shell with one of: {', '.join(_SHELLS)}")
    values = {
        "AWS_ENDPOINT_URL": address_of(url),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY + environment.account,
        "AWS_SECRET_ACCESS_KEY": str(urlsplit(url).password),
        "AWS_REGION": environment.region,
        "AWS_DEFAULT_REGION": environment.region,
    }
    say(*(form.format(name=name, value=value) for name, value in values.items()))


_SHELLS = {"bash": "export {name}={value}", "powershell": '$env:{name} = "{value}"'}


def _find(workspace: Workspace) -> str:
    """The sandbox that is up, empty if none is; if one should be and is gone, that is said."""
    from tasks.sandbox import background

    expected = workspace.standing_sandbox.exists()
    url = background.find(workspace)
    if expected and not url:
        say_beside(
            "[WARNING] The sandbox that was up is gone, with all it held; start another with: inv sandbox.up", ""
        )
    return url


def _start_here(workspace: Workspace, faults: str) -> str:
    """A sandbox in this process, gone with it."""
    from tasks.sandbox.server import Server

    server = Server(workspace.root, Path(faults) if faults else None)
    server.start(workspace.project())
    return server.url
