"""How values are stored: JSON with a schema number, written and read by this one set of functions.

Unknown fields are ignored and missing new ones have defaults, so that older and newer versions of this tool read each
other's documents as long as the schema number is the same. A higher number is refused: its meaning is not known here.
So whoever changes what a field means, or what a document without it means, raises the number.

What has a seal is sealed as it is stored, and not as the present types understand it: a field that they do not know,
or that was added since, takes part in it.
"""

import hashlib
import json
import threading
from collections.abc import Container, Mapping
from typing import Any, TypeVar

from tasks.errors import PlanError

SCHEMA = 2
"""1 is what was written before documents had a number."""

T = TypeVar("T")
Document = Mapping[str, Any]
_LEARNING = threading.Lock()
_learned: dict[type, object] = {}


def encode(value: Any, without: Container[str] = ()) -> bytes:
    """Return a frozen value as indented JSON, with the schema number first and `without` some of its fields."""
    return _text({name: each for name, each in _document(value).items() if name not in without})


def encode_sealed(value: Any) -> bytes:
    """Return a value that has a `seal`, with the digest of all that is stored of it but that in its place."""
    document = _document(value)
    return _text({**document, "seal": seal_of(document)})


def seal_of(document: Document, what: str = "The document") -> str:
    """Return the SHA-256 (hex) of all that a document says, but for its seal. PlanError if it is nested too deeply."""
    try:
        return hashlib.sha256(_text({**document, "seal": ""})).hexdigest()
    except RecursionError as error:
        raise _damaged(what, "it is nested too deeply") from error


def decode(contents: bytes | str, kind: type[T], what: str) -> tuple[T, int]:
    """Return the value of type `kind` that a document holds, and the schema number it was written with.

    PlanError names `what` it is and the place in it, if it was written by a newer version or is not such a document.
    """
    document = read_document(contents, what)
    return convert(document, kind, what), document.get("schema", 1)


def read_document(contents: bytes | str, what: str) -> Document:
    """Return a document as it is stored. PlanError as `decode` has it."""
    try:
        document = json.loads(contents)
    except (ValueError, RecursionError) as error:
        raise _damaged(what, error) from error
    if not isinstance(document, dict):
        raise _damaged(what, "it is no JSON object")
    schema = document.get("schema", 1)
    # held by tests/release
    if isinstance(schema, int) and schema > SCHEMA:
        raise PlanError(
            f"{what} was written by a newer version of this tool (schema {schema}; this one knows {SCHEMA}); "
            "update the folder tasks/"
        )
    return document


def convert(document: Document, kind: type[T], what: str) -> T:
    """Return the value of type `kind` that a document holds. PlanError if it holds none."""
    import msgspec

    _learn(kind)
    try:
        return msgspec.convert(document, kind)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise _damaged(what, error) from error


def _damaged(what: str, why: object) -> PlanError:
    return PlanError(
        f"{what} is damaged or was not written by this tool ({why}); restore or delete it, then run this again"
    )


def _learn(kind: type) -> None:
    """Have msgspec build what it knows of a type, and of all types in it, in one thread alone.

    It does so at the first use of a type, and two threads that do it at once end the process with a segmentation
    fault (msgspec 0.22).
    """
    import msgspec

    # held by tests/release/test_codec.py
    with _LEARNING:
        if kind not in _learned:
            _learned[kind] = msgspec.json.Decoder(kind)


def _document(value: Any) -> dict[str, Any]:
    import msgspec

    return {"schema": SCHEMA, **msgspec.to_builtins(value)}


def _text(document: Document) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
