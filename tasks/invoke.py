"""inv invoke, smoke, e2e: run what was released."""

import json
from pathlib import Path

from invoke import Context, task

from tasks.aws.smoke import smoke as smoke_test
from tasks.deploy import help_of
from tasks.errors import ConfigError, ReleaseError
from tasks.output import console, invocations, lines
from tasks.output.consent import Consent
from tasks.project.command import Command, changes, here
from tasks.project.files import parse_json, read_text
from tasks.project.model import Environment
from tasks.release.invocations import REFUSED, Invocation

_LINES_SHOWN = 40


@task(
    help={
        **help_of("env"),
        "function": "the function's name in release.toml, such as ingest-v2",
        "client_id": "send {client_id: NAME}",
        "payload": "send this JSON instead",
        "payload_file": "send the JSON in this file instead",
    }
)
@changes
def invoke(  # noqa: PLR0913, PLR0917  (each is an option of the command line)
    c: Context, env: str, function: str, client_id: str = "", payload: str = "", payload_file: str = ""
) -> None:
    """Invoke one function and show status, duration, answer, and on an error its log."""
    command = here(c)
    project = command.workspace.project()
    environment = project.environment(env)
    name = project.function_name(function, environment)
    run(command, environment, name, read_payload(client_id, payload, payload_file))


@task(help={**help_of("env")})
@changes
def smoke(c: Context, env: str) -> None:
    """Check that every function of an environment starts and finds its imports; no work is done."""
    from tasks.aws.reach import reach

    command = here(c)
    project = command.workspace.project()
    environment = project.environment(env)
    sent = {name: project.functions[key].smoke for key, name in environment.function_names.items()}
    there = reach(command, environment)
    # held by tests/test_deploy.py
    there.check_caller()
    smoke_test(env, sent, there, console.Console())


@task(help={**help_of("env"), "client_id": "the client to run it for", **help_of("yes")})
@changes
def e2e(c: Context, env: str, client_id: str, yes: bool = False) -> None:
    """Run the whole pipeline for a client and check its result."""
    command = here(c)
    environment = command.workspace.project().environment(env)
    if not command.endpoint:
        where = f"{environment.name} in account {environment.account}"
        lines.say(f"[WARNING] This runs the whole pipeline on {where}: it costs")
    Consent(bool(command.endpoint), yes)([f"the whole pipeline runs on {environment.name}"])
    lines.heading(f"End-to-end test of {env} for {client_id}...")
    text, where = run_pipeline(command, environment, client_id)
    lines.say("", *text.splitlines()[:_LINES_SHOWN])
    lines.say_end(f"{where} is there")


def run_pipeline(command: Command, environment: Environment, client_id: str) -> tuple[str, str]:
    """Run every function of the pipeline for a client; the object that shows that it worked, and where it lies."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import read_bytes

    project = command.workspace.project()
    if not project.e2e.functions:
        advice = "add one with functions, and the bucket and key of the result"
        raise ConfigError(f"release.toml has no [e2e] table that says which functions to run; {advice}")
    for key in project.e2e.functions:
        payload = json.dumps({"client_id": client_id})
        run(command, environment, project.function_name(key, environment), payload)
    bucket, result = (
        text.replace("{env}", environment.name).replace("{client_id}", client_id)
        for text in (project.e2e.bucket, project.e2e.key)
    )
    contents = read_bytes(connect(environment, command.endpoint), bucket, result)
    if contents is None:
        raise ReleaseError(f"All functions answered, but s3://{bucket}/{result} does not exist; see their logs")
    return contents.decode("utf-8", "replace"), f"s3://{bucket}/{result}"


def run(command: Command, environment: Environment, function: str, payload: str) -> Invocation:
    """Invoke a function and show what came of it. ReleaseError if that is an error, or a status of 400 and above."""
    from tasks.aws.reach import reach

    there = reach(command, environment)
    # held by tests/test_deploy.py
    there.check_caller()
    invocation = there.invoke(function, payload)
    failed = bool(invocation.error) or invocation.status >= REFUSED
    invocations.say_invocation(invocation, log=failed)
    if failed:
        ended = "failed; its log" if invocation.error else f"answered {invocation.status}; its answer"
        raise ReleaseError(f"{function} {ended} above says why")
    return invocation


def read_payload(client_id: str, payload: str, payload_file: str) -> str:
    """The payload that was asked for in one of three ways, as JSON. ConfigError if it is missing or no JSON."""
    if sum(map(bool, (client_id, payload, payload_file))) != 1:
        raise ConfigError(
            "Say what to send: --client-id NAME, --payload JSON or --payload-file FILE, and only one of them"
        )
    if client_id:
        return json.dumps({"client_id": client_id})
    text = payload or read_text(Path(payload_file), payload_file, "name another file with --payload-file")
    text = text.removeprefix("\ufeff")
    try:
        parse_json(text)
    except ValueError as error:
        raise ConfigError(f"The payload is not JSON ({error}); write it like --payload '{{\"a\": 1}}'") from error
    return text
