"""Invokes functions: once, patiently, and never twice for the same call."""

import base64
import json
import time
from typing import Any

from tasks.aws.connection import Connection
from tasks.errors import one_line
from tasks.release.invocations import CALLS, Invocation

# held by tests/test_invoke.py tests/aws `45 -> -2`
_GRACE = 45
"""Seconds beyond the function's own timeout: cold start and network."""


def invoke_function(connection: Connection, function: str, payload: str) -> Invocation:
    """Invoke a function with a payload (JSON) and wait for its answer.

    The read timeout lies above the function's own, and nothing is retried: botocore's 60 seconds and its retries would
    run (and bill) a slow function again and again.
    """
    with connection.doing(f"invoke {function}"):
        known = connection.functions.get_function_configuration(FunctionName=function)
        patient = connection.client("lambda", known["Timeout"] + _GRACE)
        begun = time.monotonic()
        answer = connection.unthrottled(patient.invoke, FunctionName=function, Payload=payload.encode(), LogType="Tail")
        seconds = time.monotonic() - begun
        text = answer["Payload"].read().decode("utf-8", "replace")
    try:
        body = json.loads(text) if text else None
    except (ValueError, RecursionError):
        body = text
    log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
    return Invocation(function, answer.get("FunctionError", ""), body, log, seconds, _work(answer))


def _work(answer: Any) -> tuple[str, ...]:
    """What the sandbox tells that a function called."""
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(CALLS, "[]")
    try:
        return tuple(one_line(str(each)) for each in json.loads(told))
    except (ValueError, TypeError, RecursionError):
        return ()


def check_invocation(connection: Connection, function: str) -> None:
    """AwsError unless invoking a function would be permitted; it is not run."""
    with connection.doing(f"invoke {function}, as the smoke test does"):
        connection.functions.invoke(FunctionName=function, InvocationType="DryRun")
