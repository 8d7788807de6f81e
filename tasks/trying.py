"""Tries what was released: one function, the imports of all, or the whole pipeline."""

import json
import sys
from pathlib import Path
from typing import Any

from tasks import console
from tasks.errors import ConfigError, ReleaseError
from tasks.release.invocations import Invocation
from tasks.release.project import Environment
from tasks.site import Site

__all__ = ["invoke_one", "run_pipeline", "smoke_test"]

_REFUSED = 400
_LINES_SHOWN = 40


def invoke_one(site: Site, env: str, function: str, payload: Any) -> None:
    """Invoke a function and show what came of it. ReleaseError if that is an error, or a status of 400 and above."""
    project = site.workspace.project()
    environment = project.environment(env)
    invocation = _invoke(site, environment, project.function_name(function, environment), payload)
    console.say_invocation(invocation, log=bool(invocation.error))
    if invocation.error or invocation.status >= _REFUSED:
        raise ReleaseError(
            f"{invocation.function} answered {invocation.failure or invocation.status}; see its log above"
        )


def smoke_test(site: Site, env: str) -> None:
    """Invoke every function with its smoke payload, which does no work. ReleaseError names those that cannot start.

    An import error is HTTP 200 with a FunctionError. A status of 400 is what a handler answers that refuses the
    payload, and shows that it runs.
    """
    project = site.workspace.project()
    environment = project.environment(env)
    console.heading(f"Smoke test of {env}...")
    failed = []
    for key, function in environment.function_names.items():
        invocation = _invoke(site, environment, function, json.loads(project.functions[key].smoke))
        if invocation.error:
            failed.append(f"{function}: {invocation.failure}")
            console.say(f"   [ERROR] {failed[-1]}")
        else:
            console.say(f"   [OK] {function}: {invocation.status} in {invocation.seconds:.2f} s")
    if failed:
        listed = "\n".join(f"   {each}" for each in failed)
        raise ReleaseError(f"The smoke test of {env} failed; correct what it names and deploy again:\n{listed}")


def run_pipeline(site: Site, env: str, client_id: str, *, yes: bool) -> None:
    """Run the functions of [e2e] one after the other for a client, and check that their result is there."""
    from tasks.aws.connection import connect
    from tasks.aws.invoke import read_text

    project = site.workspace.project()
    environment = project.environment(env)
    if not project.e2e.functions:
        raise ConfigError("release.toml has no [e2e] table that says which functions to run; see the README")
    if not site.endpoint and not yes:
        _ask(environment)
    console.heading(f"End-to-end test of {env} for {client_id}...")
    for key in project.e2e.functions:
        invocation = _invoke(site, environment, project.function_name(key, environment), {"client_id": client_id})
        console.say_invocation(invocation, log=bool(invocation.error))
        if invocation.error or invocation.status >= _REFUSED:
            raise ReleaseError(f"{invocation.function} answered {invocation.failure or invocation.status}; see above")
    names = {"{env}": env, "{client_id}": client_id}
    bucket, result = (_fill(text, names) for text in (project.e2e.bucket, project.e2e.key))
    text = read_text(connect(environment, site.endpoint), bucket, result)
    if text is None:
        raise ReleaseError(f"All functions answered, but s3://{bucket}/{result} does not exist; see their logs")
    console.say("", *text.splitlines()[:_LINES_SHOWN])
    console.say_end(f"s3://{bucket}/{result} is there")


def read_payload(client_id: str, payload: str, payload_file: str) -> Any:
    """The payload that was asked for in one of three ways. ConfigError if it is missing or no JSON."""
    if sum(map(bool, (client_id, payload, payload_file))) != 1:
        raise ConfigError(
            "Say what to send: --client-id NAME, --payload JSON or --payload-file FILE, and only one of them"
        )
    if client_id:
        return {"client_id": client_id}
    try:
        return json.loads(payload or Path(payload_file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{payload_file} cannot be read ({error.strerror}); name a file with --payload-file"
        ) from error
    except ValueError as error:
        raise ConfigError(f"The payload is not JSON ({error}); write it like --payload '{{\"a\": 1}}'") from error


def _invoke(site: Site, environment: Environment, function: str, payload: Any) -> Invocation:
    from tasks.aws.connection import connect
    from tasks.aws.invoke import invoke_function

    return invoke_function(connect(environment, site.endpoint), function, payload)


def _ask(environment: Environment) -> None:
    """Warn of the cost, and go on only if the user says so."""
    console.say(
        f"[WARNING] This runs the whole pipeline on {environment.name} in account {environment.account}: it costs"
    )
    if not sys.stdin or not sys.stdin.isatty():
        raise ReleaseError("Nobody is there to ask; if that is meant, add --yes")
    if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ReleaseError("Nothing was run")


def _fill(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text
