"""inv invoke, smoke, e2e: run what was released."""

from invoke import Context, task

from tasks import trying
from tasks.deploy import ENV
from tasks.site import advising, here

__all__ = ["e2e", "invoke", "smoke"]


@task(
    help={
        "env": ENV,
        "function": "the function's name in release.toml, such as ingest-v2",
        "client_id": "send {client_id: NAME}",
        "payload": "send this JSON instead",
        "payload_file": "send the JSON in this file instead",
    }
)
def invoke(  # noqa: PLR0913, PLR0917  (each is an option of the command line)
    c: Context, env: str, function: str, client_id: str = "", payload: str = "", payload_file: str = ""
) -> None:
    """Invoke one function and show status, duration, answer, and on an error its log."""
    with advising(here(c)):
        trying.invoke_one(here(c), env, function, trying.read_payload(client_id, payload, payload_file))


@task(help={"env": ENV})
def smoke(c: Context, env: str) -> None:
    """Check that every function of an environment starts and finds its imports; no work is done."""
    with advising(here(c)):
        trying.smoke_test(here(c), env)


@task(help={"env": ENV, "client_id": "the client to run it for", "yes": "do not ask, on a real environment"})
def e2e(c: Context, env: str, client_id: str, yes: bool = False) -> None:
    """Run the whole pipeline for a client and check its result."""
    with advising(here(c)):
        trying.run_pipeline(here(c), env, client_id, yes=yes)
