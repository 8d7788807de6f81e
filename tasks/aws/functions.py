"""Functions: read as they are, and switched to a new state.

A switch is at most two calls, one for the configuration and one for the package, each with the revision that was read
and each sent once. Whatever is answered, what counts is what the function then is: a lost answer is looked up, not
repeated, and a refusal because of a changed revision is no refusal where the change was our own.
"""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tasks.aws.connection import Connection
from tasks.aws.live_package import modules_of
from tasks.aws.refusals import BUSY, code_of, is_lost
from tasks.errors import AwsError, PlanError
from tasks.project.web import open_url
from tasks.release.actions import Outcome, Switch
from tasks.release.artifacts import hex_digest
from tasks.release.deployed import Deployed, DeployedFunction, Facts
from tasks.release.events import Waiting
from tasks.release.functions import LayerVersion, State, changes

SIGNED_FOR = 360.0
"""Seconds after which a request that was signed and not sent is refused: five minutes, and one more to be sure."""

# held by tests/aws/test_functions.py `300.0 -> 400.0`
LONGEST_UPDATE = 300.0
"""Seconds that an update may take (VPC, large packages) before it counts as failed."""
_FIRST_LOOK, _LOOK_EVERY = 0.05, 1.0
_ATTEMPTS, _LONGEST_PAUSE, _TELL_EVERY = 6, 4.0, 10.0
_DOWNLOAD_PATIENCE = 60
_CHANGED = ("PreconditionFailedException", "412")


def read_function(connection: Connection, name: str, *, look_inside: bool = False) -> DeployedFunction | None:
    """A function as it is once no update of it is in progress; None if there is none.

    GetFunction is used because it alone has a rate of its own (100/s); all other reads share 15/s:
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    answer = _settled(connection, name)
    if answer is None:
        return None
    found, location = answer["Configuration"], answer.get("Code", {}).get("Location", "")
    # held by tests/aws/test_functions.py
    connection.check_account(found.get("FunctionArn", ""))
    if found.get("PackageType") == "Image":
        raise PlanError(f"{name} is a container image, which cannot carry layers; take it out of release.toml")
    failed = found.get("LastUpdateStatus") == "Failed"
    state = State(
        runtime=found.get("Runtime", ""),
        architecture=found.get("Architectures", ["x86_64"])[0],
        handler=found.get("Handler", ""),
        layers=tuple(LayerVersion(layer["Arn"]) for layer in found.get("Layers", [])),
        package=hex_digest(found["CodeSha256"]),
    )
    return DeployedFunction(
        state,
        revision=found.get("RevisionId", ""),
        layer_sizes={layer["Arn"]: layer.get("CodeSize", 0) for layer in found.get("Layers", [])},
        code_size=found.get("CodeSize", 0),
        failed=(found.get("LastUpdateStatusReason") or "no reason given") if failed else "",
        modules=modules_of(state.package, location) if look_inside and connection.reaches(location) else (),
        facts=_facts(found, answer.get("Tags", {})),
    )


def _facts(found: Any, tags: Mapping[str, str]) -> Facts:
    """What a function's configuration says besides what a switch changes; values of variables are not looked at."""
    environment = found.get("Environment", {})
    names = None if "Error" in environment else tuple(sorted(environment.get("Variables", {})))
    settings = found.get("Timeout", 0), found.get("MemorySize", 0)
    modified = str(found.get("LastModified", ""))  # 2026-11-21T18:00:00.123+0000
    return Facts(*settings, names, dict(tags), f"{modified[:10]} {modified[11:19]} UTC" if modified else "")


def location_of(connection: Connection, name: str) -> tuple[str, str]:
    """Where a function's package can be downloaded, and its SHA-256 (hex)."""
    answer = _settled(connection, name)
    if answer is None:
        raise AwsError(f"{name} does not exist any more; run the same command again")
    return answer["Code"]["Location"], hex_digest(answer["Configuration"]["CodeSha256"])


def read_aliases(connection: Connection, name: str) -> dict[str, str]:
    """The aliases of a function that lead to a published version."""
    with connection.doing(f"list the aliases of {name}"):
        try:
            pages = connection.functions.get_paginator("list_aliases").paginate(FunctionName=name)
            found = {each["Name"]: each["FunctionVersion"] for page in pages for each in page["Aliases"]}
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return {}
            raise
    return {alias: version for alias, version in found.items() if version != "$LATEST"}


def read_package(connection: Connection, name: str, location: str) -> bytes:
    """A function's package, from where it can be downloaded. AwsError if it cannot be read."""
    if not connection.reaches(location):
        raise AwsError(f"The package of {name} lies where this command must not read; it cannot be looked into")
    try:
        with open_url(location, _DOWNLOAD_PATIENCE) as answer:
            contents: bytes = answer.read()
            return contents
    except (http.client.HTTPException, OSError) as error:  # URLError is an OSError
        raise AwsError(f"Cannot read the package of {name}: no answer ({error}); run the same command again") from error


def _settled(connection: Connection, name: str) -> Any:
    """What GetFunction says once no update is in progress; None if there is no such function."""
    clock, pause = connection.clock, _FIRST_LOOK
    begun, told = clock.now(), 0.0
    while True:
        with connection.doing(f"read function {name}"):
            try:
                answer = connection.functions.get_function(FunctionName=name)
                found = {"CodeSha256": answer["Configuration"]["CodeSha256"], **answer["Configuration"]}
            except ClientError as error:
                if code_of(error) == "ResourceNotFoundException":
                    return None
                raise
        # held by tests/aws/test_functions.py `found.get('LastUpdateStatus') != 'InProgress'`
        if found.get("State") != "Pending" and found.get("LastUpdateStatus") != "InProgress":
            return answer
        if clock.now() - begun > LONGEST_UPDATE:
            raise AwsError(
                f"{name} has been updating for more than {LONGEST_UPDATE / 60:.0f} minutes; look at it in the console",
                unsettled=True,
            )
        clock.sleep(pause)
        waited = clock.now() - begun
        if waited >= told + _TELL_EVERY:
            told = waited
            connection.report(Waiting(name, waited))
        pause = min(_LOOK_EVERY, pause * 2)


def switch(connection: Connection, action: Switch, deployed: Deployed, allowed: Callable[[], None]) -> Outcome:
    """Bring a function to its new state. AwsError if it is not there afterwards; unsettled if it may still come."""
    wanted, there = deployed.resolve(action.after), action.before
    if missing := [str(layer) for layer in wanted.layers if not layer.arn]:
        raise AwsError(f"{action.function} cannot get {', '.join(missing)}, which was not published; run it again")
    updating, revision = Updating(connection, action, allowed), action.revision
    if action.forced or not wanted.configured(there):
        between = replace(wanted, package=there.package)
        request = {"Runtime": wanted.runtime, "Handler": wanted.handler, "Layers": list(wanted.arns)}
        revision = updating.update("update_function_configuration", request, revision, there, between)
        there = between
    if wanted.package != there.package:
        # held by tests/aws/test_functions.py `'Architectures': [wanted.architecture]`
        request = {"S3Bucket": action.bucket, "S3Key": action.package_key, "Architectures": [wanted.architecture]}
        revision = updating.update("update_function_code", request, revision, there, wanted)
    return Outcome(action, revision=revision)


@dataclass
class Updating:
    """The updates of one function; `lost` if one got no answer, and may still take effect."""

    connection: Connection
    action: Switch
    allowed: Callable[[], None]
    lost: bool = False

    def update(self, call: str, request: dict[str, Any], revision: str, before: State, wanted: State) -> str:
        """Send an update until it is seen to have taken effect, never over anybody else's change; its revision."""
        self.lost = False
        try:
            return self._until_seen(call, request, revision, before, wanted)
        except AwsError as error:  # whatever ends it: an update without an answer may still take effect
            # held by tests/aws/test_functions.py
            error.unsettled = error.unsettled or self.lost
            raise

    def _until_seen(self, call: str, request: dict[str, Any], revision: str, before: State, wanted: State) -> str:
        name, doing = self.action.function, f"go on with: {self.action}"
        refused: Any = None
        for attempt in range(_ATTEMPTS):
            # held by tests/test_protocol.py tests/aws/test_functions.py
            self.allowed()
            refused = _sent(self.connection, doing, call, {**request, "FunctionName": name}, revision)
            # held by tests/aws/test_functions.py `self.lost or (refused is not None and is_lost(refused)) -> False`
            self.lost = self.lost or (refused is not None and is_lost(refused))
            found = read_function(self.connection, name)
            if found is None:
                raise AwsError(f"{name} was deleted while it was updated; create it and run the same command again")
            if refused is None:
                self._check(found, wanted)
                return found.revision
            if found.state.same(wanted) and not (self.action.forced and wanted.same(before)):
                return found.revision
            # held by tests/aws/test_functions.py
            if not found.state.same(before):
                raise AwsError(
                    f"{name} was changed by someone else while it was updated ({changes(before, found.state)}); look "
                    "at that, then run the same command again"
                )
            revision = found.revision
            self.connection.clock.sleep(min(_LONGEST_PAUSE, 2**attempt / 4))
        raise AwsError(f"Cannot {doing}: {code_of(refused) or refused}; run the same command again")

    def _check(self, found: DeployedFunction, wanted: State) -> None:
        """AwsError unless an accepted update did what was asked for."""
        # held by tests/aws/test_functions.py
        if found.failed:
            raise AwsError(f"Cannot go on with: {self.action}: {found.failed}; correct that and run the command again")
        # held by tests/aws/test_functions.py
        if not found.state.same(wanted):
            raise AwsError(
                f"{self.action.function} is not what its update asked for ({changes(wanted, found.state)}); run the "
                "same command again"
            )


def _sent(connection: Connection, doing: str, call: str, request: dict[str, Any], revision: str) -> Any:
    """Send an update once; the error if only a look can tell what became of it. AwsError for one that will not pass."""
    # held by tests/aws/test_functions.py
    if revision:
        request["RevisionId"] = revision
    with connection.doing(doing):
        try:
            getattr(connection.once, call)(**request)
        except (ClientError, BotoCoreError) as error:
            if is_lost(error) or code_of(error) in (*_CHANGED, *BUSY):
                return error
            raise
    return None


def fence(connection: Connection, name: str, allowed: Callable[[], None], wait: float) -> None:
    """Make sure that no update of a function which was sent before can still take effect.

    An update that changes nothing, and sends nothing of what it read, must be accepted and change the revision: any
    other still on its way is refused then. That AWS changes it is believed, not proved; where it stays, requests signed
    before are waited out for `wait` seconds (Lambda refuses them after five minutes). AwsError if it is not accepted.
    """
    doing = f"make sure that nobody else still updates {name}"
    refused: Any = None
    for attempt in range(_ATTEMPTS):
        there = read_function(connection, name)
        if there is None:
            return
        allowed()
        # held by tests/test_protocol.py tests/aws/test_functions.py `there.revision -> ''`
        refused = _sent(connection, doing, "update_function_configuration", {"FunctionName": name}, there.revision)
        if refused is None:
            found = read_function(connection, name)
            # held by tests/test_protocol.py tests/aws/test_functions.py
            if found and found.revision == there.revision:
                connection.clock.sleep(wait)
            return
        connection.clock.sleep(min(_LONGEST_PAUSE, 2**attempt / 4))
    with connection.doing(doing):
        raise refused
