"""Invokes functions: once, patiently, and never twice for the same call."""

import base64
import json
import time
from typing import Any

from botocore.exceptions import ClientError

from tasks.aws.connection import Connection
from tasks.aws.refusals import BUSY, code_of
from tasks.release.invocations import Invocation

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
        answer = _unthrottled(connection, patient, FunctionName=function, Payload=payload.encode(), LogType="Tail")
        seconds = time.monotonic() - begun
        text = answer["Payload"].read().decode("utf-8", "replace")
    try:
        body = json.loads(text) if text else None
    except ValueError:
        body = text
    log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
    return Invocation(function, answer.get("FunctionError", ""), body, log, seconds)


def _unthrottled(connection: Connection, patient: Any, **request: Any) -> Any:
    """Invoke, again while Lambda says that it ran nothing because too much is running."""
    for pause in (1, 2, 4):
        try:
            return patient.invoke(**request)
        except ClientError as error:
            if code_of(error) not in BUSY:
                raise
            connection.clock.sleep(pause)
    return patient.invoke(**request)


def check_invocation(connection: Connection, function: str) -> None:
    """AwsError unless invoking a function would be permitted; it is not run."""
    with connection.doing(f"invoke {function}, as the smoke test does"):
        connection.functions.invoke(FunctionName=function, InvocationType="DryRun")


def read_text(connection: Connection, bucket: str, key: str) -> str | None:
    """An object as text; None if there is no such object. AwsError if that cannot be told."""
    with connection.doing(f"read s3://{bucket}/{key}"):
        try:
            found = connection.s3.get_object(Bucket=bucket, Key=key, **connection.owner)
            contents: bytes = found["Body"].read()
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey"):
                return None
            raise
    return contents.decode("utf-8", "replace")
