"""Lambda entry of the ingest function: `handler.lambda_handler`."""

from typing import Any

from vectora_core.ingest import run
from vectora_core.shared.events import handle


def lambda_handler(event: Any, _context: Any) -> dict[str, Any]:
    """Run the step for the event's `client_id`; 400 without one."""
    return handle(event, run)
