"""An AWS in memory that answers in tens of microseconds, behind a latency that can be set: S3, Lambda and STS.

It knows no rules but those that cost time: revisions, updates that take a while, and on request the rates of Lambda
(15 requests a second, GetFunction 100). It counts calls, and the longest chain of calls that waited for one another.
Run as a process of its own: `python -m benchmarks.aws` prints its address.
"""

import asyncio
import base64
import hashlib
import io
import json
import re
import ssl
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNT, REGION = "123456789012", "eu-west-3"


def _package() -> bytes:
    with zipfile.ZipFile(memory := io.BytesIO(), "w") as archive:
        archive.writestr("handler.py", "def run(event, context):\n    return {'statusCode': 200}\n")
    return memory.getvalue()


PACKAGE = _package()


def _digest(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


@dataclass
class Function:
    """What a function is, its revision, and until when an update of it goes on."""

    layers: list[str] = field(default_factory=list)
    runtime: str = "python3.12"
    handler: str = "handler.run"
    package: str = _digest(PACKAGE)
    revision: int = 1
    busy: float = 0.0


@dataclass
class Stored:
    """An object: its bytes, ETag, SHA-256 as AWS writes it, and when it was written."""

    body: bytes
    etag: str
    checksum: str
    written: float


@dataclass
class Aws:
    """Everything that is there, and what asking costs: seconds of latency and of an update, and whether rates hold."""

    latency: float = 0.0
    update: float = 0.0
    rates: bool = False
    functions: dict[str, Function] = field(default_factory=dict)
    layers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    objects: dict[str, dict[str, Stored]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    depth: int = 0
    recent: dict[str, list[float]] = field(default_factory=dict)

    def stats(self) -> dict[str, Any]:
        """What was asked since the last look."""
        found = {
            "calls": sum(self.calls.values()),
            "chain": self.depth,
            "refused": self.refused,
            "by": dict(self.calls),
        }
        self.calls, self.depth, self.refused = Counter(), 0, 0
        return found

    def too_fast(self, operation: str, service: str) -> bool:
        """Whether a call comes faster than Lambda takes them."""
        if not self.rates or service != "lambda" or operation == "Invoke":
            return False
        kind, limit = ("GetFunction", 100) if operation == "GetFunction" else ("others", 15)
        now = time.monotonic()
        recent = [each for each in self.recent.get(kind, []) if now - each < 1]
        if len(recent) >= limit:
            self.recent[kind] = recent
            return True
        self.recent[kind] = [*recent, now]
        return False


@dataclass
class Request:
    """One request, and where it goes."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def service(self) -> str:
        """The service, by whom it was signed for."""
        scope = re.search(r"/([a-z0-9-]+)/aws4_request", self.headers.get("authorization", ""))
        return scope[1] if scope else "none"


Answer = tuple[int, dict[str, str], bytes]
_ROUTES = [
    ("GET", r"/2015-03-31/functions/([^/]+)/aliases", "ListAliases"),
    ("GET", r"/2015-03-31/functions/([^/]+)/configuration", "GetFunctionConfiguration"),
    ("PUT", r"/2015-03-31/functions/([^/]+)/configuration", "UpdateFunctionConfiguration"),
    ("PUT", r"/2015-03-31/functions/([^/]+)/code", "UpdateFunctionCode"),
    ("POST", r"/2015-03-31/functions/([^/]+)/invocations", "Invoke"),
    ("GET", r"/2015-03-31/functions/([^/]+)", "GetFunction"),
    ("GET", r"/2018-10-31/layers/([^/]+)/versions", "ListLayerVersions"),
    ("POST", r"/2018-10-31/layers/([^/]+)/versions", "PublishLayerVersion"),
    ("GET", r"/2018-10-31/layers/([^/]+)/versions/(\d+)", "GetLayerVersion"),
]


def _json(document: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


def _refuse(status: int, code: str) -> Answer:
    return status, {"x-amzn-ErrorType": code}, json.dumps({"Type": "User", "Message": code}).encode()


def _xml(text: str, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/xml"}, f'<?xml version="1.0"?>{text}'.encode()


def _s3_error(status: int, code: str) -> Answer:
    return _xml(f"<Error><Code>{code}</Code><Message>{code}</Message></Error>", status)


class Services:
    """Answers requests from what `aws` holds."""

    def __init__(self, aws: Aws, address: str) -> None:
        self.aws, self.address = aws, address

    def route(self, request: Request) -> tuple[str, tuple[str, ...]]:
        """The operation, and what its path names."""
        if request.service == "lambda":
            for method, pattern, operation in _ROUTES:
                if request.method == method and (found := re.fullmatch(pattern, request.path.rstrip("/"))):
                    return operation, tuple(map(unquote, found.groups()))
        if request.service == "sts":
            return "GetCallerIdentity", ()
        if request.service == "s3":
            bucket, _, key = unquote(request.path).lstrip("/").partition("/")
            if not key:
                return "ListObjectsV2", (bucket, key)
            copies = "x-amz-copy-source" in request.headers
            kinds = {"GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject", "PUT": "PutObject"}
            return "CopyObject" if copies else kinds[request.method], (bucket, key)
        return "Package", ()

    def answer(self, operation: str, named: tuple[str, ...], request: Request) -> Answer:
        """The answer to a request."""
        if operation == "Package":
            return self._package(request)
        if operation == "GetCallerIdentity":
            arn = f"arn:aws:iam::{ACCOUNT}:user/me"
            return _xml(
                f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><Account>{ACCOUNT}</Account>"
                "<UserId>me</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
        if request.service == "s3":
            return self._s3(operation, named[0], named[1], request)
        if "Layer" in operation:
            return self._layer(operation, named, request)
        there = self.aws.functions.get(named[0])
        return (
            self._function(operation, named[0], there, request) if there else _refuse(404, "ResourceNotFoundException")
        )

    def _package(self, request: Request) -> Answer:
        if wanted := re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", "")):
            start = int(wanted[1]) if wanted[1] else max(0, len(PACKAGE) - int(wanted[2]))
            end = int(wanted[2]) + 1 if wanted[1] and wanted[2] else len(PACKAGE)
            return 206, {"Content-Range": f"bytes {start}-{end - 1}/{len(PACKAGE)}"}, PACKAGE[start:end]
        return 200, {}, PACKAGE

    def _function(self, operation: str, name: str, there: Function, request: Request) -> Answer:
        if operation == "ListAliases":
            return _json({"Aliases": []})
        if operation == "Invoke":
            return (
                (204, {}, b"")
                if request.headers.get("x-amz-invocation-type") == "DryRun"
                else _json({"statusCode": 200})
            )
        if operation.startswith("Update"):
            wanted = json.loads(request.body)
            if time.monotonic() < there.busy:
                return _refuse(409, "ResourceConflictException")
            if wanted.get("RevisionId", str(there.revision)) != str(there.revision):
                return _refuse(412, "PreconditionFailedException")
            there.layers = wanted.get("Layers", there.layers)
            there.runtime = wanted.get("Runtime", there.runtime)
            there.handler = wanted.get("Handler", there.handler)
            if "S3Key" in wanted:
                there.package = self.aws.objects[wanted["S3Bucket"]][wanted["S3Key"]].checksum
            there.revision += 1
            there.busy = time.monotonic() + self.aws.update
        facts = {
            "FunctionName": name,
            "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
            "Runtime": there.runtime,
            "Handler": there.handler,
            "Layers": [{"Arn": arn, "CodeSize": 1000} for arn in there.layers],
            "CodeSha256": there.package,
            "CodeSize": 1000,
            "RevisionId": str(there.revision),
            "Architectures": ["x86_64"],
            "Timeout": 30,
            "MemorySize": 128,
            "State": "Active",
            "LastUpdateStatus": "InProgress" if time.monotonic() < there.busy else "Successful",
            "LastModified": "2026-01-01T00:00:00.000+0000",
        }
        if operation == "GetFunction":
            return _json({"Configuration": facts, "Code": {"Location": f"{self.address}/packages/{name}"}, "Tags": {}})
        return _json(facts)

    def _layer(self, operation: str, named: tuple[str, ...], request: Request) -> Answer:
        versions = self.aws.layers.setdefault(named[0], [])
        if operation == "ListLayerVersions":
            start, most = int(request.query.get("Marker", "0")), min(50, int(request.query.get("MaxItems", "50")))
            page = {"LayerVersions": versions[start : start + most]}
            more = {"NextMarker": str(start + most)} if start + most < len(versions) else {}
            return _json({**page, **more})
        if operation == "GetLayerVersion":
            return _json(next(each for each in versions if str(each["Version"]) == named[1]))
        wanted, number = json.loads(request.body), len(versions) + 1
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{named[0]}"
        content = self.aws.objects[wanted["Content"]["S3Bucket"]][wanted["Content"]["S3Key"]]
        made = {
            "LayerArn": arn,
            "LayerVersionArn": f"{arn}:{number}",
            "Version": number,
            "Description": wanted.get("Description", ""),
            "Content": {"CodeSha256": content.checksum, "CodeSize": len(content.body)},
        }
        versions.insert(0, made)
        return _json(made, 201)

    def _s3(  # noqa: PLR0911  (one case an operation)
        self, operation: str, bucket: str, key: str, request: Request
    ) -> Answer:
        there = self.aws.objects.setdefault(bucket, {})
        found = there.get(key)
        if operation == "ListObjectsV2":
            return self._listed(there, request.query)
        if operation == "DeleteObject":
            there.pop(key, None)
            return 204, {}, b""
        if operation in ("GetObject", "HeadObject"):
            if found is None:
                return (404, {}, b"") if operation == "HeadObject" else _s3_error(404, "NoSuchKey")
            headers = {
                "ETag": found.etag,
                "Last-Modified": formatdate(found.written, usegmt=True),
                "x-amz-checksum-sha256": found.checksum,
                "Content-Length": str(len(found.body)),
            }
            return 200, headers, b"" if operation == "HeadObject" else found.body
        if request.headers.get("if-none-match") == "*" and found:
            return _s3_error(412, "PreconditionFailed")
        if "if-match" in request.headers and (found is None or found.etag != request.headers["if-match"]):
            return _s3_error(412, "PreconditionFailed")
        if operation == "CopyObject":
            origin, _, name = unquote(request.headers["x-amz-copy-source"]).lstrip("/").partition("/")
            source = self.aws.objects.get(origin, {}).get(name)
            if source is None:
                return _s3_error(404, "NoSuchKey")
            there[key] = Stored(source.body, source.etag, source.checksum, time.time())
            checksum = f"<ChecksumSHA256>{source.checksum}</ChecksumSHA256>"
            return _xml(f"<CopyObjectResult><ETag>{source.etag}</ETag>{checksum}</CopyObjectResult>")
        checksum = request.headers.get("x-amz-checksum-sha256") or _digest(request.body)
        etag = f'"{hashlib.md5(request.body, usedforsecurity=False).hexdigest()}"'
        there[key] = Stored(request.body, etag, checksum, time.time())
        return 200, {"ETag": etag}, b""

    def _listed(self, there: dict[str, Stored], query: dict[str, str]) -> Answer:
        prefix, after = query.get("prefix", ""), query.get("continuation-token") or query.get("start-after", "")
        most = int(query.get("max-keys", "1000"))
        keys = [key for key in sorted(there) if key.startswith(prefix) and key > after]
        parts = [
            f"<Contents><Key>{key}</Key><ETag>{there[key].etag}</ETag><Size>{len(there[key].body)}</Size>"
            f"<LastModified>{time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(there[key].written))}</LastModified>"
            "</Contents>"
            for key in keys[:most]
        ]
        more = len(keys) > most
        token = f"<NextContinuationToken>{keys[most - 1]}</NextContinuationToken>" if more else ""
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        return _xml(f"<ListBucketResult>{truncated}{token}{''.join(parts)}</ListBucketResult>")


async def _serve(aws: Aws, tls: str) -> None:
    services: list[Services] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read(reader, writer):
                status, headers, body = await _respond(request)
                headers = {"Content-Length": str(len(body)), "Date": formatdate(usegmt=True), **headers}
                head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                writer.write(f"HTTP/1.1 {status} OK\r\n{head}\r\n".encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _respond(request: Request) -> Answer:
        if request.path == "/_set":
            _set(aws, json.loads(request.body))
            return _json({})
        if request.path == "/_stats":
            return _json(aws.stats())
        operation, named = services[0].route(request)
        aws.calls[operation] += 1
        depth = aws.depth + 1  # behind every call that is over
        if aws.latency:
            await asyncio.sleep(aws.latency)
        if aws.too_fast(operation, request.service):
            aws.refused += 1
            answer = _refuse(429, "TooManyRequestsException")
        else:
            answer = services[0].answer(operation, named, request)
        aws.depth = max(aws.depth, depth)
        return answer

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20)
    address = f"http://127.0.0.1:{_port(server)}"
    services.append(Services(aws, address))
    secure = ""
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls)
        encrypted = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20, ssl=context)
        secure = f"https://127.0.0.1:{_port(encrypted)}"
    sys.stdout.write(f"{address} {secure}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _set(aws: Aws, wanted: dict[str, Any]) -> None:
    """Settings, and what is there: functions by name, objects by bucket and key (as text); all else stays."""
    for name in ("latency", "update", "rates"):
        setattr(aws, name, wanted.get(name, getattr(aws, name)))
    if wanted.get("empty"):
        aws.functions, aws.layers, aws.objects = {}, {}, {}
    for bucket in wanted.get("gone", []):
        aws.objects.pop(bucket, None)
    for name in wanted.get("functions", []):
        aws.functions[name] = Function()
    for name, count in wanted.get("layers", {}).items():
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}"
        there = aws.layers.get(name, [])
        last = there[0]["Version"] if there else 0
        older = [
            {"LayerVersionArn": f"{arn}:{last + number}", "Version": last + number, "Description": "older"}
            for number in range(count, 0, -1)
        ]
        aws.layers[name] = [*there, *older] if wanted.get("behind") else older
    for bucket, objects in wanted.get("objects", {}).items():
        for key, text in objects.items():
            body = text.encode()
            etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
            aws.objects.setdefault(bucket, {})[key] = Stored(body, etag, _digest(body), time.time())
    aws.stats()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request on a connection; None once it is over."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding") == "chunked":
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length") or 0))
    if "aws-chunked" in headers.get("content-encoding", ""):
        body = _unchunked(body)
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    return Request(method, parts.path, query, headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """A body that says its length piece by piece."""
    found = list[bytes]()
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        found.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(found)


def _unchunked(body: bytes) -> bytes:
    """The bytes inside aws-chunked framing."""
    found, place = list[bytes](), 0
    while True:
        end = body.index(b"\r\n", place)
        size = int(body[place:end].split(b";")[0], 16)
        if not size:
            return b"".join(found)
        found.append(body[end + 2 : end + 2 + size])
        place = end + 2 + size + 2


class Client:
    """The process that runs it, to be set and asked; `secure` is its address over TLS, if it has one."""

    def __init__(self, address: str, secure: str) -> None:
        self.address, self.secure = address, secure

    def set(self, **wanted: Any) -> None:
        """Change its settings or what is there."""
        self._ask("/_set", json.dumps(wanted).encode())

    def stats(self) -> dict[str, Any]:
        """Calls, longest chain and refusals since the last look."""
        found: dict[str, Any] = json.loads(self._ask("/_stats", b""))
        return found

    def _ask(self, path: str, body: bytes) -> bytes:
        with urllib.request.urlopen(self.address + path, data=body) as answer:  # noqa: S310  (our own process)
            return bytes(answer.read())


@contextmanager
def running(certificate: Path | None = None) -> Iterator[Client]:
    """An AWS in a process of its own; over TLS, too, with a certificate and its key in one file."""
    command = [sys.executable, "-m", "benchmarks.aws", *([str(certificate)] if certificate else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            address, _, secure = process.stdout.readline().strip().partition(" ")
            yield Client(address, secure)
        finally:
            process.terminate()


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody but its maker trusts, and its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "aws.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


if __name__ == "__main__":
    asyncio.run(_serve(Aws(), "".join(sys.argv[1:])))
