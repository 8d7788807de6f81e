"""Who may use a sandbox: whoever signs with its random key, and speaks to 127.0.0.1 by that name.

Anything on this machine can reach a port on loopback, other users and, by DNS rebinding, web pages; what they could do
is run code. So every request is verified as AWS does it (Signature Version 4):
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

from tasks.project.command import ACCESS_KEY
from tasks.sandbox.messages import Refusal

_ALGORITHM = "AWS4-HMAC-SHA256"
_HOST = re.compile(r"127\.0\.0\.1(:\d+)?")
_CREDENTIAL = re.compile(rf"{ACCESS_KEY}(?P<account>\d{{12}})/\d{{8}}/[^/]+/(?P<service>[^/]+)/aws4_request")


class Keys:
    """One sandbox's key. Every account's access key is `SANDBOX` and its number; all share the secret."""

    def __init__(self) -> None:
        self.secret = secrets.token_hex(20)

    def check_claim(self, environ: Mapping[str, Any]) -> None:
        """Refusal of what need not even be read: another host, no claim to this sandbox's key, no sensible length."""
        # held by tests/sandbox/test_keys.py
        check_host(str(environ.get("HTTP_HOST", "")))
        claimed = str(environ.get("HTTP_AUTHORIZATION", "")) + str(environ.get("QUERY_STRING", ""))
        if f"Credential={ACCESS_KEY}" not in claimed:
            raise Refusal(403, "MissingAuthenticationToken", "not signed with this sandbox's key: inv sandbox.env")
        if not re.fullmatch(r"\d{0,10}", str(environ.get("CONTENT_LENGTH") or "")):
            raise Refusal(400, "InvalidRequest", "the length is no number")

    def verify(self, environ: Mapping[str, Any], body: bytes) -> str:
        """The account that a request is signed for. Refusal unless it is signed with this sandbox's key."""
        path, _, query = str(environ.get("RAW_URI") or environ.get("REQUEST_URI")).partition("?")
        signed = _signed_parts(str(environ.get("HTTP_AUTHORIZATION", "")), query)
        credential = _CREDENTIAL.fullmatch(signed.get("Credential", ""))
        # held by tests/sandbox/test_keys.py
        if not credential:
            raise Refusal(403, "MissingAuthenticationToken", "not signed with this sandbox's key: inv sandbox.env")
        check_fresh(signed)
        names = signed.get("SignedHeaders", "").split(";")
        headers = "".join(f"{name}:{_header(environ, name)}\n" for name in names)
        digest = _digest_of_body(environ, body, presigned="X-Amz-Signature" in query)
        parts = [str(environ["REQUEST_METHOD"]), _path(path, credential["service"]), _query(query), headers]
        canonical = "\n".join([*parts, ";".join(names), digest])
        scope = signed["Credential"].partition("/")[2]
        date = signed.get("Date") or _header(environ, "x-amz-date")
        text = "\n".join([_ALGORITHM, date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        # held by tests/sandbox/test_keys.py
        if not _same(self._signature(scope, text), signed.get("Signature", "")):
            raise Refusal(403, "SignatureDoesNotMatch", "signed with another key than this sandbox's: inv sandbox.env")
        return credential["account"]

    def token(self, path: str) -> str:
        """What makes an address of ours one that was handed out."""
        return token_for(self.secret, path)

    def is_ours(self, host: str, path: str, token: str) -> bool:
        """Whether an address was handed out by this sandbox, and is asked for as such."""
        # held by tests/sandbox/test_keys.py `_HOST.fullmatch(host) is not None`
        return _HOST.fullmatch(host) is not None and _same(self.token(path), token)

    def _signature(self, scope: str, text: str) -> str:
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _same(wanted: str, given: str) -> bool:
    """Whether two texts are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace"))


def token_for(secret: str, path: str) -> str:
    """What makes an address of a sandbox's own one that was handed out by whoever knows its key."""
    return hmac.new(secret.encode(), path.encode(), hashlib.sha256).hexdigest()


def check_fresh(signed: Mapping[str, str]) -> None:
    """Refusal of a presigned address whose time is over."""
    if "Expires" in signed:
        try:
            begun = datetime.strptime(signed.get("Date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            over = datetime.now(UTC) > begun + timedelta(seconds=int(signed["Expires"]))
        except (ValueError, OverflowError):
            over = True
        if over:
            raise Refusal(403, "AccessDenied", "Request has expired")


def check_host(host: str) -> None:
    """Refusal of a name for this machine that a web page may have made up."""
    if not _HOST.fullmatch(host):
        raise Refusal(403, "AccessDenied", f"{host!r} is not how this sandbox is reached")


def _signed_parts(authorization: str, query: str) -> dict[str, str]:
    """Credential, SignedHeaders, Signature and Date of a request, from its header, or from a presigned address."""
    if authorization.startswith(_ALGORITHM):
        pairs = (part.strip().partition("=") for part in authorization.removeprefix(_ALGORITHM).split(","))
        return {name: value for name, _, value in pairs}
    return {name.removeprefix("X-Amz-"): value for name, value in parse_qsl(query) if name.startswith("X-Amz-")}


def _header(environ: Mapping[str, Any], name: str) -> str:
    """A header's value as it is signed."""
    key = name.upper().replace("-", "_")
    value = environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}", "")
    return " ".join(str(value).encode("latin-1").decode("utf-8", "replace").split())


def _path(path: str, service: str) -> str:
    """A path as it is signed: S3's as it was sent, others' encoded once more."""
    return path if service == "s3" else quote(path, safe="/~")


def _query(query: str) -> str:
    """A query as it is signed: sorted, without the signature itself."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair and not pair.startswith("X-Amz-Signature="))
    return "&".join(f"{name}={value}" for name, value in sorted((name, value) for name, _, value in pairs))


def _digest_of_body(environ: Mapping[str, Any], body: bytes, *, presigned: bool) -> str:
    """What is signed of a body. Refusal if it is another than its header says."""
    found, stated = hashlib.sha256(body).hexdigest(), str(environ.get("HTTP_X_AMZ_CONTENT_SHA256", ""))
    if presigned:
        return "UNSIGNED-PAYLOAD"
    # held by tests/sandbox/test_keys.py
    if re.fullmatch("[0-9a-f]{64}", stated) and stated != found:
        raise Refusal(400, "XAmzContentSHA256Mismatch", "the body is not the one that was signed")
    return stated or found
