"""Tells AWS's answers from those of something in between: a company's proxy, a hotel's portal, a broken endpoint.

What they send may parse: an HTML page is an answer without a single field, and a listing without fields is empty.
Nothing may be concluded from it.
"""

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

_FAILED, _SERVER_FAULT = 300, 500
_ROOTS = ("Result", "Configuration", "Error", "Policy", "Constraint", "Response", "Output", "Tagging", "Status")
"""How the answers of S3 are called in the end: ListBucketResult, VersioningConfiguration, ..."""
UNREADABLE = (ResponseParserError, AttributeError, TypeError, ValueError, LookupError)
"""What botocore's parsers raise for fields of other kinds than AWS's."""


class StrangerError(BotoCoreError):  # type: ignore[misc]  # botocore has no types
    """Something else than AWS has answered."""

    fmt = "what answered is not AWS (HTTP {status}, {kind})"


def refuse_stranger(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
    """Stop, as a botocore hook before an answer is parsed, at one that is not AWS's. Raises StrangerError.

    A server's fault with a strange text in it is left to botocore, which tries again, without that text.
    """
    body, status = response_dict["body"], response_dict["status_code"]
    if not isinstance(body, bytes):
        return  # what is read as a stream was asked for as bytes
    protocol = operation_model.service_model.resolved_protocol
    asked = operation_model.output_shape
    answers = asked is not None and any("location" not in each.serialization for each in asked.members.values())
    if _is_like_aws(body.strip(), protocol, failed=status >= _FAILED, answers=answers and status < _FAILED):
        return
    # held by tests/aws/test_strangers.py
    if status >= _SERVER_FAULT:
        response_dict["body"] = b""
        return
    raise StrangerError(status=status, kind=_kind(response_dict["headers"]))


def _is_like_aws(body: bytes, protocol: str, *, failed: bool, answers: bool) -> bool:
    """Whether an answer has the form that AWS's have in a protocol; what `answers` says something, and is no page."""
    if not body:
        return not answers and protocol != "query"
    try:
        if "json" in protocol:
            return isinstance(json.loads(body), dict)
        root = ET.fromstring(body)  # noqa: S314  (expat bounds what entities may grow to)
    except (ValueError, LookupError, RecursionError, ET.ParseError):
        return False
    name = root.tag.rpartition("}")[-1]
    # held by tests/aws/test_strangers.py
    if failed:
        return name == "Error" or any(each.tag.rpartition("}")[-1] in ("Error", "Errors") for each in root)
    return name.endswith("Response" if protocol == "query" else _ROOTS)


def _kind(headers: Mapping[str, str]) -> str:
    """What an answer says that it is, in letters that may be shown."""
    kind = str(headers.get("content-type", "")).partition(";")[0]
    return kind if kind.isascii() and kind.isprintable() and kind else "of no kind"


def is_from_parsers(error: BaseException) -> bool:
    """Whether botocore raised an error while it read an answer."""
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_globals.get("__name__") == "botocore.parsers":
            return True
        trace = trace.tb_next
    return False
