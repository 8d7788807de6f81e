"""Clients. With an endpoint the sandbox answers, and nothing in the environment can change that."""

import math
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import ClientError
from s3transfer.utils import signal_not_transferring, signal_transferring  # boto3's own

from tasks.aws.pace import RATE, Clock, Pace
from tasks.aws.refusals import BUSY, code_of, explain, profile_of, refuse_redirect
from tasks.aws.sessions import sandbox_session, session_of
from tasks.errors import AwsError
from tasks.project.command import address_of
from tasks.project.model import Environment
from tasks.release.arns import account_of
from tasks.release.events import Report, unheard

_CONFIG = Config(
    connect_timeout=10,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=80,
)
# no proxy between us and loopback, whatever HTTP_PROXY says
# held by tests/aws `proxies={}`
_SANDBOX_CONFIG = _CONFIG.merge(Config(proxies={}, s3={"addressing_style": "path"}))
_MAKING = threading.Lock()
"""A session of boto3's makes one client at a time; clients themselves may be used by several threads."""

PATIENCE = 120
"""Seconds that a write waits for its answer: PublishLayerVersion unpacks the archive first."""


@dataclass(frozen=True)
class Connection:
    """An environment and the clients that reach it, made when they are needed; several threads may use one.

    `client` makes one of a service; with a patience in seconds it waits that long, and calls only once. `endpoint` is
    the sandbox's address with its key, empty for real AWS. `report` hears what takes long.
    """

    environment: Environment
    client: Callable[[str, int], Any]
    endpoint: str = ""
    clock: Clock = field(default_factory=Clock)
    report: Report = unheard

    @property
    def s3(self) -> Any:
        """S3."""
        return self.client("s3", 0)

    @property
    def functions(self) -> Any:
        """Lambda."""
        return self.client("lambda", 0)

    @property
    def once(self) -> Any:
        """Lambda, called once: nothing is repeated by itself."""
        return self.client("lambda", PATIENCE)

    @property
    def owner(self) -> dict[str, str]:
        """What every S3 call says of the bucket."""
        return {"ExpectedBucketOwner": self.environment.account}

    def reaches(self, address: str) -> bool:
        """Whether an address that was handed out may be read: on the sandbox only if it is the sandbox's own."""
        if self.endpoint:
            # held by tests/aws `-> True`
            return address.startswith(f"{address_of(self.endpoint)}/")
        return address.startswith(("https://", os.environ.get("AWS_ENDPOINT_URL") or "https://"))

    def check_account(self, arn: str) -> None:
        """AwsError if what was found belongs to another account than the environment's."""
        here, account = self.environment, account_of(arn)
        # held by tests/aws
        if account and account != here.account:
            raise AwsError(
                f"These credentials belong to account {account}, but {here.name} is {here.account} in release.toml; "
                f"use another profile (AWS_PROFILE comes before release.toml), or correct [environments.{here.name}]"
            )

    def unthrottled(self, call: Callable[..., Any], **request: Any) -> Any:
        """Call, again while AWS says that it did nothing because there were too many calls."""
        for pause in (1, 2, 4):
            try:
                return call(**request)
            except ClientError as error:
                if code_of(error) not in BUSY:
                    raise
                self.clock.sleep(pause)
        return call(**request)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Turn what botocore raises inside into an AwsError that says `what` we were doing and what to try."""
        with explain(what, self.environment):
            yield


def connect(environment: Environment, endpoint: str = "") -> Connection:
    """The connection to an environment, or to its likeness on the sandbox at `endpoint`.

    AwsError if the profile does not exist or no region or credentials can be found.
    """

    def made(service: str, patience: int) -> Any:
        return client(service, environment, endpoint, patience)

    made("s3", 0)  # so that what is wrong with profile or credentials shows here
    return Connection(environment, made, endpoint)


def client(service: str, environment: Environment, endpoint: str = "", patience: int = 0) -> Any:
    """The client of one service that reaches an environment, or its likeness on the sandbox at `endpoint`.

    With `patience` it waits for an answer that many seconds, and calls only once.
    """
    profile = "" if endpoint else profile_of(environment)
    try:
        with explain(f"connect to {environment.name}", environment), _MAKING:
            return _client(service, profile, environment.region, environment.account, endpoint, patience)
    except ValueError as error:  # an endpoint that is no address, or a credential_process that prints no JSON
        raise AwsError(
            f"Cannot connect to {environment.name}: the AWS settings of this machine are unfit ({error}); correct "
            f"{'profile ' + profile if profile else 'them'} in ~/.aws/config, or AWS_ENDPOINT_URL"
        ) from error


@lru_cache
def _client(  # noqa: PLR0913, PLR0917  (what a client depends on, as a key of the cache)
    service: str, profile: str, region: str, account: str, endpoint: str, patience: int
) -> Any:
    """One client for all environments that share profile, region and account."""
    config = _SANDBOX_CONFIG if endpoint else _CONFIG
    if patience:
        config = config.merge(Config(read_timeout=patience, retries={"total_max_attempts": 1}))
    if not endpoint:
        made = session_of(profile).client(service, region_name=region, config=config)
        _name_elsewhere(made.meta.endpoint_url)
    else:
        session = sandbox_session(account, urlsplit(endpoint).password or "")
        made = session.client(service, region_name=region, config=config, endpoint_url=address_of(endpoint))
    made.meta.events.register_first("needs-retry.s3", refuse_redirect)
    # what is read for a signature is not sent yet; boto3's own uploads tell the two apart likewise
    made.meta.events.register_first("request-created.s3", signal_not_transferring)
    made.meta.events.register_last("request-created.s3", signal_transferring)
    if service == "lambda":
        pace = _pace(account, region, endpoint)
        made.meta.events.register("before-send.lambda", pace.before_send)
        made.meta.events.register_first("needs-retry.lambda", pace.after_answer)
    return made


@lru_cache
def _pace(_account: str, _region: str, endpoint: str) -> Pace:
    """The pace that all clients of an account and region share; the sandbox is as fast as it says."""
    return Pace(Clock(), math.inf if endpoint else RATE)


@lru_cache
def _name_elsewhere(url: str) -> None:
    """Say, once for each address, that it is not AWS's own."""
    if not re.search(r"\.(amazonaws\.com(\.cn)?|api\.aws)$", urlsplit(url).hostname or ""):
        sys.stderr.write(f"[WARNING] AWS is asked at {url}, which AWS_ENDPOINT_URL or a profile names\n")
