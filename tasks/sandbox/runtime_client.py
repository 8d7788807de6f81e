"""Stands in for the compiled half of awslambdaric where that is not made for the interpreter in use.

The same four functions, over the Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
It is loaded by a function's process, not by this package.
"""

import http.client
import os
from typing import Any

_BASE = "/2018-06-01/runtime/invocation/"


def initialize_client(_user_agent: str) -> None:
    """Nothing to prepare."""


def next() -> tuple[bytes, dict[str, Any]]:  # noqa: A001  (awslambdaric calls it that)
    """The next event and what is known of its invocation; waits for it."""
    response, body = _call("GET", _BASE + "next", b"", {})
    headers: dict[str, Any] = dict(response.getheaders())
    headers["Lambda-Runtime-Deadline-Ms"] = int(headers["Lambda-Runtime-Deadline-Ms"])
    return body, headers


def post_invocation_result(invoke_id: str, result: bytes, content_type: str, _invocation_id: str | None = None) -> None:
    """Hand in what the handler returned."""
    _call("POST", f"{_BASE}{invoke_id}/response", result, {"Content-Type": content_type})


def post_error(invoke_id: str, error: str, _xray: str, _invocation_id: str | None = None) -> None:
    """Hand in what the handler raised."""
    _call("POST", f"{_BASE}{invoke_id}/error", error.encode(), {"Lambda-Runtime-Function-Error-Type": "Unhandled"})


def _call(method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
    host, _, token = os.environ["AWS_LAMBDA_RUNTIME_API"].partition("/")
    connection = http.client.HTTPConnection(host)
    try:
        connection.request(method, f"/{token}{path}", body, headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()
