"""What answers in AWS's place is told from AWS, whatever it sends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tasks.aws.connection import Connection, connect
from tasks.aws.functions import read_function
from tasks.aws.observe import list_keys, list_layer_versions, read_sha256
from tasks.aws.refusals import is_lost
from tasks.aws.strangers import StrangerError
from tasks.aws.who import check_caller
from tasks.errors import AwsError
from tests.aws.answers import Body
from tests.examples import DEV

PAGE = b"<html><head><title>Log in</title></head><body>Please log in</body></html>"


@contextmanager
def answering(client: Any, status: int, contents: bytes, kind: str = "text/html") -> Iterator[list[str]]:
    """Answer every call of a client with this, in the network's place."""
    asked = list[str]()

    def answer(request: Any, **_: Any) -> AWSResponse:
        asked.append(request.url)
        return AWSResponse(request.url, status, {"content-type": kind}, Body(contents))

    client.meta.events.register_first("before-send", answer, unique_id="stranger")
    try:
        yield asked
    finally:
        client.meta.events.unregister("before-send", unique_id="stranger")


@pytest.fixture
def there(sandbox: str) -> Connection:
    return connect(DEV, sandbox)


STRANGE = [
    (403, PAGE),
    (200, PAGE),
    (407, b"<!DOCTYPE html><p>Proxy"),
    (200, b"[]"),
    (403, b"[]"),
    (404, b"null"),
    (400, b"not found"),
    (403, b"<Message>XML without an error</Message>"),
    (200, b"\xff\xfe"),
    (200, b'<?xml version="1.0" encoding="nonsense"?><a/>'),
]


@pytest.mark.parametrize(("status", "contents"), STRANGE)
def test_what_is_not_aws_is_called_that_and_nothing_is_concluded(
    there: Connection, status: int, contents: bytes
) -> None:
    calls: list[tuple[Any, Callable[[], object]]] = [
        (there.client("sts", 0), lambda: check_caller(there)),
        (there.functions, lambda: read_function(there, "news-ingest-dev")),
        (there.functions, lambda: list_layer_versions(there, "core")),
    ]
    for client, call in calls:
        with (
            answering(client, status, contents),
            pytest.raises(AwsError, match=r"what answered is not AWS.*check HTTPS_PROXY and the network"),
        ):
            call()


@pytest.mark.parametrize(
    ("status", "contents"),
    [
        (403, PAGE),
        (200, PAGE),
        (400, b"{}"),
        (403, b"<ListBucketResult/>"),
        (200, b"<portal><a/></portal>"),
        (200, b""),
    ],
)
def test_a_listing_that_somebody_else_answered_is_not_empty(there: Connection, status: int, contents: bytes) -> None:
    with answering(there.s3, status, contents), pytest.raises(AwsError, match="what answered is not AWS"):
        list_keys(there, "layers/")


@pytest.mark.parametrize("contents", [b'{"Configuration": []}', b'{"Configuration": {"Layers": 5}}'])
def test_fields_of_other_kinds_than_awss_are_no_traceback(there: Connection, contents: bytes) -> None:
    with answering(there.functions, 200, contents, "application/json"), pytest.raises(AwsError, match="not AWS"):
        read_function(there, "news-ingest-dev")


def test_a_servers_fault_with_a_page_in_it_is_tried_again_as_any_other(there: Connection) -> None:
    with answering(there.functions, 503, PAGE) as asked, pytest.raises(AwsError):
        read_function(there, "news-ingest-dev")
    assert len(asked) > 1


def test_a_write_that_somebody_else_answered_may_have_taken_effect() -> None:
    assert is_lost(StrangerError(status=200, kind="text/html"))


def test_an_answer_to_head_has_no_body_and_is_awss(there: Connection) -> None:
    assert read_sha256(there, "layers/none.zip") is None
