"""What botocore raises, in the operator's words: what we were doing, AWS's code, what to try.

Codes are matched, never texts: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and
https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore import exceptions

from tasks.aws.strangers import UNREADABLE, StrangerError, is_from_parsers
from tasks.errors import AwsError, one_line
from tasks.project.model import Environment

DENIED = ("AccessDenied", "AccessDeniedException", "403")

_REMEDIES = {
    ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"): (
        "the session of {profile} has expired; run: {login}"
    ),
    ("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"): (
        "AWS does not know these credentials; check {profile}, or run: {configure}"
    ),
    ("RequestTimeTooSkewed", "InvalidSignatureException"): (
        "the clock of this machine {skew}; set it right (Windows: w32tm /resync), then run the same command again"
    ),
    DENIED: (
        "Access Denied; check that account {account} is the right one (aws sts get-caller-identity{option}), and that "
        "{profile} may do what is printed by: inv doctor --policy --env {environment}"
    ),
    ("NoSuchBucket",): (
        "the bucket does not exist; create it, or correct [environments.{environment}] in release.toml: "
        "bucket {bucket}, canonical_bucket {canonical_bucket}"
    ),
    ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"): (
        "the bucket is not in {region}; correct region in [environments.{environment}] of release.toml"
    ),
    ("PreconditionFailedException", "PreconditionFailed", "412"): (
        "it was changed by someone else since it was read; run the same command again"
    ),
    ("ResourceConflictException", "ConditionalRequestConflict", "409"): (
        "another update is still in progress; wait a moment and run the same command again"
    ),
    ("TooManyRequestsException", "ThrottlingException", "Throttling", "SlowDown", "429"): (
        "AWS limits the rate of calls; wait a moment and run the same command again"
    ),
}


BUSY = ("ResourceConflictException", "TooManyRequestsException", "ThrottlingException", "Throttling", "429", "409")
"""Refusals that pass: another update is in progress, or there were too many calls."""

_SERVER_FAULT = 500
_STRANGER = (
    "{error}; a proxy or a network that wants you to log in may have answered for it: check HTTPS_PROXY and the "
    "network, then run the same command again"
)


def is_lost(error: Exception) -> bool:
    """Whether a call may have taken effect although it failed: no answer, or one of a server in trouble."""
    if isinstance(error, exceptions.ClientError):
        return bool(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_FAULT)
    kinds = exceptions.HTTPClientError | exceptions.ConnectionError | exceptions.ResponseStreamingError | StrangerError
    return isinstance(error, kinds)


@contextmanager
def explain(what: str, environment: Environment) -> Iterator[None]:
    """Raise an AwsError in place of what botocore raises inside; `what` completes "Cannot ...".

    Errors that are not AWS's own to give (a bug, an AwsError from further in) pass through.
    """
    words, what = _words(environment), one_line(what)
    try:
        yield
    except exceptions.ClientError as error:
        code, text = code_of(error), str(error.response.get("Error", {}).get("Message", ""))[:300]
        remedy = next((remedy for codes, remedy in _REMEDIES.items() if code in codes), "")
        words["skew"] = _skew(error)
        remedy = remedy.format(**words) if remedy else f"{text}; correct that and run the same command again"
        raise AwsError(f"Cannot {what}: {remedy} [{code}]", aws_code=code, operation=error.operation_name) from error
    except UNREADABLE as error:
        if is_from_parsers(error):
            raise AwsError(f"Cannot {what}: {_STRANGER.format(error='what answered is not AWS', **words)}") from error
        if not isinstance(error, KeyError) or not re.fullmatch(r"'([A-Z][A-Za-z0-9]+)'", str(error)):
            raise  # AWS's fields are written LikeThis, and names of ours never are
        raise AwsError(f"Cannot {what}: AWS's answer was cut short (no {error}); run the same command again") from error
    except exceptions.BotoCoreError as error:
        raise AwsError(f"Cannot {what}: {_local_remedy(error).format(error=error, **words)}") from error


def _skew(error: exceptions.ClientError) -> str:
    """How far this machine's clock is off, by the date of AWS's answer."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        off = (datetime.now(UTC) - parsedate_to_datetime(headers["date"])).total_seconds()
    except (KeyError, ValueError, TypeError):
        return "is not that of AWS"
    return f"is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}"


def code_of(error: Exception) -> str:
    """AWS's error code; an answer without a body (HEAD) has only its HTTP status. Empty if AWS gave no answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, exceptions.ClientError) else ""


def refuse_redirect(response: Any, request_dict: dict[str, Any], **_: Any) -> None:
    """Stop at S3's answer that a bucket lives in another region, which botocore would follow in silence.

    Lambda follows nothing: it refuses to publish from a bucket in another region, after the upload. botocore
    recognizes that answer by several codes (utils.S3RegionRedirectorv2), HEAD's bare 400 among them; what they have in
    common is a header that names another region than the request was signed for.
    """
    if response is None or "Error" not in response[1]:
        return
    named = response[1].get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region", "")
    signed = request_dict.get("context", {}).get("client_region", "")
    code = response[1]["Error"].get("Code")
    if code in ("301", "PermanentRedirect") or (named and signed and named != signed):
        answer = {"Error": {"Code": "PermanentRedirect", "Message": f"the bucket is in {named}"}}
        raise exceptions.ClientError(answer, "S3")


def _local_remedy(error: exceptions.BotoCoreError) -> str:
    """What to try when the call never got an answer."""
    match error:
        case exceptions.ProfileNotFound():
            return "{error}; run: {configure} (or try it all without an account: inv sandbox ...)"
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return "no AWS credentials found; run: {configure} (or try it all without an account: inv sandbox ...)"
        case exceptions.SSOError() | exceptions.TokenRetrievalError():
            return "the session of {profile} has expired; run: {login}"
        case StrangerError():
            return _STRANGER
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            return (
                "no answer from AWS in {region} ({error}); check the network and the region in release.toml, then run "
                "the same command again"
            )
        case _:
            return "{error}; correct that and run the same command again"


def profile_of(environment: Environment) -> str:
    """The profile whose credentials are used: AWS_PROFILE, as everywhere, before that of release.toml."""
    return os.environ.get("AWS_PROFILE") or environment.profile


def _words(environment: Environment) -> dict[str, str]:
    """What remedies speak of."""
    profile = profile_of(environment)
    option = f" --profile {profile}" if profile else ""
    return {
        "environment": environment.name,
        "account": environment.account,
        "region": environment.region,
        "bucket": environment.bucket,
        "canonical_bucket": environment.canonical_bucket,
        "profile": f"profile {profile}" if profile else "your AWS credentials",
        "option": option,
        "configure": f"aws configure{option}",
        "login": f"aws sso login{option} (or renew the credentials where they come from)",
    }
