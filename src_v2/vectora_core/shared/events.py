"""What Lambda hands in and what it gets back."""

import json
from collections.abc import Callable
from typing import Any

from vectora_core.shared.storage import S3Store, Store


def handle(event: Any, step: Callable[[Store, str], dict[str, Any]]) -> dict[str, Any]:
    """Run a step for the event's client; without a `client_id` answer 400 and do nothing.

    `{"smoke": true}` asks whether the function starts: it is answered at once, and no work is done.
    """
    if isinstance(event, dict) and event.get("smoke") is True:
        return answer(200, {"smoke": True})
    client_id = event.get("client_id") if isinstance(event, dict) else None
    if not isinstance(client_id, str) or not client_id:
        return answer(400, {"error": "client_id is required"})
    return answer(200, {"client_id": client_id, **step(S3Store(), client_id)})


def answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """A Lambda proxy response."""
    return {"statusCode": status, "body": json.dumps(body, ensure_ascii=False)}
