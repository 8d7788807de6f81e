"""Who may use a sandbox."""

import http.client
import json
import os
import socket
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from tasks.aws.connection import Connection, client
from tasks.project.command import ACCESS_KEY
from tasks.project.files import replacing
from tasks.sandbox.server import IDENTITY, Server
from tests.examples import DEV, ZIP

PATHS = ["/2018-10-31/layers", f"/{DEV.bucket}?list-type=2", IDENTITY, "/_sandbox/code/111122223333/x", "/"]


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> int:
    """The status of the answer to a request as any program may send it."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.address).port or 0, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse().status
    finally:
        connection.close()


def plain(server: Server, service: str, key: str, secret: str, account: str = DEV.account) -> Any:
    """A client of boto3's own, with nothing of ours in it."""
    return boto3.client(
        service,
        region_name=DEV.region,
        endpoint_url=server.address,
        aws_access_key_id=key + account,
        aws_secret_access_key=secret,
    )


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unsigned_request_gets_403(server: Server, path: str, method: str) -> None:
    assert ask(server, path, method) == 403


@pytest.mark.usefixtures("sandbox")
def test_a_claim_that_is_no_credential_gets_403(server: Server) -> None:
    for claimed in (ACCESS_KEY, f"{ACCESS_KEY}1/today", f"{ACCESS_KEY}111122223333/20261122/eu-west-3/s3"):
        text = f"AWS4-HMAC-SHA256 Credential={claimed}, SignedHeaders=host, Signature=00"
        assert ask(server, "/", Authorization=text) == 403


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("host", ["localhost", "evil.example", "127.0.0.1.evil.example", "[::1]", "127.0.0.2", ""])
@pytest.mark.parametrize("path", PATHS)
def test_another_host_than_127_0_0_1_gets_403(server: Server, path: str, host: str) -> None:
    assert ask(server, path, Host=f"{host}:{urlsplit(server.address).port}") == 403
    token = server.keys.token(path)
    assert ask(server, f"{path}?token={token}", Host=host or "-", Authorization=token) == 403


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(("key", "secret"), [(ACCESS_KEY, "wrong"), ("AKIA", "wrong"), ("AKIA", "")])
def test_a_wrong_key_gets_403(server: Server, key: str, secret: str) -> None:
    for service, operation in (("s3", "list_buckets"), ("lambda", "list_functions"), ("sts", "get_caller_identity")):
        with pytest.raises(ClientError) as caught:
            getattr(plain(server, service, key, secret or server.keys.secret), operation)()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.usefixtures("sandbox")
def test_a_body_or_a_path_that_was_changed_after_signing_gets_refused(server: Server) -> None:
    s3 = client("s3", DEV, server.url)
    for change in ("body", "path"):

        def edit(request: Any, change: str = change, **_: Any) -> None:
            if change == "body":
                request.body = b"other"
                request.headers["Content-Length"] = "5"
            else:
                request.url += "x"

        s3.meta.events.register("before-send.s3.PutObject", edit, unique_id="edit")
        try:
            with pytest.raises(ClientError, match=r"XAmzContentSHA256Mismatch|SignatureDoesNotMatch"):
                s3.put_object(Bucket=DEV.bucket, Key="k", Body=b"right", ChecksumAlgorithm="SHA256")
        finally:
            s3.meta.events.unregister("before-send.s3.PutObject", unique_id="edit")


@pytest.mark.usefixtures("sandbox")
def test_with_the_key_plain_boto3_works_on_the_account_that_its_access_key_names(server: Server) -> None:
    s3 = plain(server, "s3", ACCESS_KEY, server.keys.secret)
    odd = "a b/ü+%20~(1)'*.txt"
    s3.put_object(Bucket=DEV.bucket, Key=odd, Body=b"x")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=DEV.bucket, Prefix="a b/")["Contents"]] == [odd]
    address = s3.generate_presigned_url("get_object", Params={"Bucket": DEV.bucket, "Key": odd})
    with urllib.request.urlopen(address) as answer:  # noqa: S310
        assert answer.read() == b"x"
    functions = plain(server, "lambda", ACCESS_KEY, server.keys.secret)
    arn = functions.publish_layer_version(LayerName="own", Content={"ZipFile": ZIP})["LayerVersionArn"]
    name = f"news-ingest-{DEV.name}"
    functions.update_function_configuration(FunctionName=name, Layers=[arn])
    functions.invoke(FunctionName=name)
    location = functions.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:  # noqa: S310
        assert answer.read(2) == b"PK"
    other = plain(server, "lambda", ACCESS_KEY, server.keys.secret, account="999999999999")
    assert other.list_functions()["Functions"] == []
    identity = plain(server, "sts", ACCESS_KEY, server.keys.secret, account="999999999999")
    assert identity.get_caller_identity()["Account"] == "999999999999"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a user's folders to themselves by other means")
def test_the_note_with_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    with replacing(tmp_path / "server.json", mode=0o600) as aside:
        aside.write_text(json.dumps({}))
    assert (tmp_path / "server.json").stat().st_mode & 0o777 == 0o600


def test_the_runtime_api_obeys_the_functions_process_alone(server: Server, dev: Connection) -> None:
    name = f"news-ingest-{DEV.name}"
    dev.functions.invoke(FunctionName=name)
    (running,) = server.aws.functions.instances._running.values()  # noqa: SLF001
    port = running.instance._server.server_port  # noqa: SLF001
    for path in ("/2018-06-01/runtime/invocation/next", "/wrong/2018-06-01/runtime/invocation/next"):
        with socket.create_connection(("127.0.0.1", port)) as made:
            made.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert made.recv(100).startswith(b"HTTP/1.0 403")
    server.aws.functions.instances.stop()


@pytest.mark.usefixtures("sandbox")
def test_even_a_signed_request_must_come_by_the_name_127_0_0_1(server: Server) -> None:
    s3 = plain(server, "s3", ACCESS_KEY, server.keys.secret)
    named = server.address.removeprefix("http://").replace("127.0.0.1", "evil.example")
    s3.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("Host", named))
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_buckets()
