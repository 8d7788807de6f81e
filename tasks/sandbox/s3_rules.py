"""What S3 does and moto does not: verified checksums, conditional copies, owners and regions of buckets.

All requests are answered one at a time, so that conditional writes are atomic at any size.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from tasks.sandbox.messages import Answer, Call, Refusal

_BUCKET_AND_KEY = re.compile(r"/([^/]+)(?:/(.*))?", re.DOTALL)


class S3Rules:
    """Rules over moto's S3."""

    def answer(self, call: Call, moto: Callable[[Call], Answer]) -> Answer:
        """S3's answer. Refusal where S3 would refuse and moto does not."""
        place = _BUCKET_AND_KEY.fullmatch(call.path)
        bucket = find_bucket(place[1]) if place else None
        if bucket:
            self._check_bucket(call, bucket)
        if call.method == "PUT" and place and place[2]:
            if "x-amz-copy-source" in call.headers:
                self._check_copy(call, bucket, place[2])
            else:
                self._check_put(call)
        answer = moto(call)
        if bucket is None and place and not place[2] and (made := find_bucket(place[1])):
            _set_defaults(made)
        if answer.status == 404 and call.method == "HEAD":  # noqa: PLR2004
            answer.body = b""
        return answer

    def _check_bucket(self, call: Call, bucket: Any) -> None:
        """The owner who was expected, and the region the request was signed for."""
        owner = call.headers.get("x-amz-expected-bucket-owner")
        if owner and owner != bucket.account_id:
            raise Refusal(403, "AccessDenied", "the bucket belongs to another account")
        if call.region and call.region != bucket.region_name and bucket.region_name:
            refusal = Refusal(301, "PermanentRedirect", f"the bucket is in {bucket.region_name}")
            refusal.headers = {"x-amz-bucket-region": bucket.region_name}
            raise refusal

    def _check_put(self, call: Call) -> None:
        """Bytes that are not what their digests say are refused; a SHA-256 is stored without naming the algorithm."""
        body = _payload(call)
        stated = call.headers.get("x-amz-checksum-sha256")
        if stated:
            if stated != base64.b64encode(hashlib.sha256(body).digest()).decode():
                raise Refusal(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
            call.headers.setdefault("x-amz-sdk-checksum-algorithm", "SHA256")
        if md5 := call.headers.get("content-md5"):
            try:
                given = base64.b64decode(md5, validate=True)
            except ValueError:
                raise Refusal(400, "InvalidDigest") from None
            if given != hashlib.md5(body).digest():  # noqa: S324  (what Content-MD5 is)
                raise Refusal(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")

    def _check_copy(self, call: Call, bucket: Any, key: str) -> None:
        """Conditions on source and destination, and the source's checksum, which travels with it."""
        source_name, _, source_key = unquote(call.headers["x-amz-copy-source"]).lstrip("/").partition("/")
        source = find_bucket(source_name)
        found = source.keys.get(source_key.partition("?versionId=")[0]) if source else None
        owner = call.headers.get("x-amz-source-expected-bucket-owner")
        if source and owner and owner != source.account_id:
            raise Refusal(403, "AccessDenied", "the source bucket belongs to another account")
        wanted = call.headers.get("x-amz-copy-source-if-match")
        if found and wanted and wanted.strip('"') != found.etag.strip('"'):
            raise Refusal(412, "PreconditionFailed")
        there = bucket.keys.get(key) if bucket else None
        if there and call.headers.get("if-none-match") == "*":
            raise Refusal(412, "PreconditionFailed")
        match = call.headers.get("if-match")
        if match and (not there or match.strip('"') != there.etag.strip('"')):
            raise Refusal(412 if there else 404, "PreconditionFailed" if there else "NoSuchKey")
        if found and getattr(found, "checksum_algorithm", None):
            call.headers.setdefault("x-amz-checksum-algorithm", found.checksum_algorithm)


def _set_defaults(bucket: Any) -> None:
    """A bucket is encrypted and closed to the public until somebody says otherwise, since 2023.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html and
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-bucket.html
    """
    from moto.s3.models import PublicAccessBlock

    bucket.encryption = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}}
    bucket.public_access_block = PublicAccessBlock(*[True] * 4)


def find_bucket(name: str) -> Any:
    """Moto's bucket of a name, whichever account has it: names are global. None if there is none."""
    from moto.s3.models import s3_backends

    for backend in s3_backends.values():
        for partition in backend.values():
            if name in partition.buckets:
                return partition.buckets[name]
    return None


def _payload(call: Call) -> bytes:
    """The object's bytes, taken out of `aws-chunked` framing if they came in it."""
    if "aws-chunked" not in call.headers.get("content-encoding", ""):
        return call.body
    rest, payload = call.body, b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            break
        payload, rest = payload + rest[:length], rest[length + 2 :]
    return payload
