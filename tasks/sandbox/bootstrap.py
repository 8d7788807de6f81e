"""Runs a function where AWS's runtime client cannot be installed: asks for events, calls the handler, hands in answers.

It is what awslambdaric does, as far as a handler can tell: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
It runs in a function's process, not in this package's, and so imports nothing of it.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace, TracebackType
from typing import Any

import runtime_client  # type: ignore[import-not-found]  # the file beside this one, as the process finds it


class Context:
    """What a handler gets beside its event."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.aws_request_id = known["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = known["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = f"/aws/lambda/{self.function_name}"
        self.log_stream_name = "sandbox"
        self.client_context = None
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline = known["Lambda-Runtime-Deadline-Ms"]

    def get_remaining_time_in_millis(self) -> int:
        """How long the handler may go on."""
        return max(0, int(self._deadline - time.time() * 1000))


def failure(kind: str, text: str, trace: TracebackType | None = None) -> str:
    """An error as Lambda reports it; it is in the log, too."""
    frames = traceback.format_list(traceback.extract_tb(trace)[1:])
    sys.stderr.write(
        "".join([f"[ERROR] {kind}: {text}\n", *(["Traceback (most recent call last):\n", *frames] * bool(frames))])
    )
    return json.dumps({"errorMessage": text, "errorType": kind, "stackTrace": frames})


def find(handler: str) -> Callable[[Any, Any], Any] | str:
    """The handler, or the error that it cannot be found."""
    module, _, name = handler.rpartition(".")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        return failure("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}")
    except SyntaxError as error:
        return failure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}")
    except Exception as error:  # noqa: BLE001  (whatever a module raises while it is imported)
        return failure(type(error).__name__, str(error), error.__traceback__)
    if not hasattr(found, name):
        return failure("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module}'")
    called: Callable[[Any, Any], Any] = getattr(found, name)
    return called


def encoded(value: object) -> object:
    """What JSON does not know and awslambdaric writes all the same: decimals, as DynamoDB returns them."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def answer(handler: Callable[[Any, Any], Any], request: str, event: bytes, known: dict[str, Any]) -> None:
    """Call the handler once."""
    try:
        result = handler(json.loads(event), Context(known))
    except Exception as error:  # noqa: BLE001  (whatever a handler raises)
        runtime_client.post_error(request, failure(type(error).__name__, str(error), error.__traceback__), "")
        return
    try:
        runtime_client.post_invocation_result(request, json.dumps(result, default=encoded).encode(), "application/json")
    except (TypeError, ValueError) as error:
        text = f"Unable to marshal response: {error}"
        runtime_client.post_error(request, failure("Runtime.MarshalError", text), "")


def main() -> None:
    """Answer events until this process is ended."""
    logging.basicConfig(format="[%(levelname)s]\t%(message)s")
    handler = find(sys.argv[1])
    while True:
        event, known = runtime_client.next()
        request = known["Lambda-Runtime-Aws-Request-Id"]
        if isinstance(handler, str):
            runtime_client.post_error(request, handler, "")
        else:
            answer(handler, request, event, known)


if __name__ == "__main__":
    main()
