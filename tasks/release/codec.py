"""How values are stored: JSON with a schema number, written and read by this one pair of functions.

Unknown fields are ignored and missing new ones have defaults, so that older and newer versions of this tool read each
other's documents as long as the schema number is the same. A higher number is refused: its meaning is not known here.
"""

import json
from typing import Any, TypeVar

from tasks.errors import PlanError

SCHEMA = 2
"""1 is what was written before documents had a number."""

T = TypeVar("T")


def encode(value: Any) -> bytes:
    """A frozen value as indented JSON, with the schema number first."""
    import msgspec

    document = {"schema": SCHEMA, **msgspec.to_builtins(value)}
    return (json.dumps(document, indent=2) + "\n").encode()


def decode(contents: bytes | str, kind: type[T], what: str) -> tuple[T, int]:
    """The value of type `kind` that a document holds, and the schema number it was written with.

    PlanError names `what` it is and the place in it, if it was written by a newer version or is not such a document.
    """
    import msgspec

    try:
        document = json.loads(contents)
        schema = document.get("schema", 1) if isinstance(document, dict) else 1
        # held by tests/release tests/test_engine.py
        if isinstance(schema, int) and schema > SCHEMA:
            raise PlanError(
                f"{what} was written by a newer version of this tool (schema {schema}; this one knows {SCHEMA}); "
                "update the folder tasks/"
            )
        return msgspec.convert(document, kind), schema
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise PlanError(
            f"{what} is damaged or was not written by this tool ({error}); restore or delete it, then run this again"
        ) from error
