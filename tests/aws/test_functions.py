"""Switching functions: what is sent, and what is made of every kind of answer."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ParamValidationError, ReadTimeoutError

from tasks.aws.functions import fence, read_function, switch
from tasks.errors import AwsError, PlanError
from tasks.release.actions import Switch
from tasks.release.artifacts import base64_digest
from tasks.release.deployed import Deployed, Facts
from tasks.release.events import Event, Waiting
from tasks.release.functions import LayerVersion, State
from tests.aws.recorder import Call, recorded, refusal
from tests.examples import CORE, DEV, FOREIGN, arn, layer_version

NAME = "news-ingest-dev"
OLD = State("python3.11", "x86_64", "a.b", (LayerVersion(FOREIGN),), "a" * 64)
PENDING = LayerVersion("", layer_version(CORE).description, "core")
NEW = State("python3.12", "x86_64", "c.d", (LayerVersion(FOREIGN), PENDING), "b" * 64)
DEPLOYED = Deployed(layers={"core": (layer_version(CORE),)})
ACTION = Switch(NAME, OLD, NEW, "news-code-dev", "functions/ingest.zip", "r0")
LOST = [
    ConnectionClosedError(endpoint_url="x"),
    ReadTimeoutError(endpoint_url="x"),
    EndpointConnectionError(endpoint_url="x"),
    refusal("ServiceException", 500),
    refusal("ServiceUnavailable", 503),
]


def free() -> None:
    """The environment is ours."""


class FakeLambda:
    """One function that keeps revisions; `answers` says what the n-th update answers instead of being carried out."""

    def __init__(self, *answers: Any, after: bool = False) -> None:
        self.state, self.revision, self.status = OLD, 0, "Successful"
        self.answers, self.after = list(answers), after
        self.calls: list[Call] = []
        self.reads, self.deaf, self.keeps = 0, False, False

    def connection(self) -> Any:
        there, self.calls = recorded(
            DEV,
            get_function=self.read,
            update_function_configuration=lambda request: self.update(request, self.configure),
            update_function_code=lambda request: self.update(request, self.replace),
        )
        return there

    def read(self, request: dict[str, Any]) -> dict[str, Any]:
        assert request == {"FunctionName": NAME}
        self.reads += 1
        return {
            "Configuration": {
                "FunctionArn": f"arn:aws:lambda:eu-west-3:{DEV.account}:function:{NAME}",
                "Runtime": self.state.runtime,
                "Handler": self.state.handler,
                "Layers": [{"Arn": each} for each in self.state.arns],
                "CodeSha256": base64_digest(self.state.package),
                "RevisionId": f"r{self.revision}",
                "LastUpdateStatus": self.status,
                "LastUpdateStatusReason": "no role",
            }
        }

    def update(self, request: dict[str, Any], effect: Any) -> dict[str, Any]:
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None and not self.after:
            raise answer
        if request["RevisionId"] != f"r{self.revision}":
            raise refusal("PreconditionFailedException", 412)
        effect(request)
        self.revision += 0 if self.keeps else 2
        if answer is not None:
            raise answer
        return {}

    def configure(self, request: dict[str, Any]) -> None:
        if self.deaf or "Runtime" not in request:
            return
        layers = tuple(map(LayerVersion, request["Layers"]))
        self.state = replace(self.state, runtime=request["Runtime"], handler=request["Handler"], layers=layers)

    def replace(self, request: dict[str, Any]) -> None:
        assert request["S3Key"] == "functions/ingest.zip"
        self.state = replace(self.state, package="b" * 64)

    @property
    def updates(self) -> list[str]:
        return [name for name, _ in self.calls if name.startswith("update")]


def test_runtime_layers_and_handler_go_in_one_call_and_then_the_package() -> None:
    there = FakeLambda()
    outcome = switch(there.connection(), ACTION, DEPLOYED, free)
    assert [call for call in there.calls if call[0].startswith("update")] == [
        (
            "update_function_configuration",
            {
                "FunctionName": NAME,
                "RevisionId": "r0",
                "Runtime": "python3.12",
                "Handler": "c.d",
                "Layers": [FOREIGN, arn(DEV, "core", 1)],
            },
        ),
        (
            "update_function_code",
            {
                "FunctionName": NAME,
                "RevisionId": "r2",
                "S3Bucket": "news-code-dev",
                "S3Key": "functions/ingest.zip",
                "Architectures": ["x86_64"],
            },
        ),
    ]
    assert outcome.revision == "r4"


def test_what_does_not_differ_is_not_sent() -> None:
    there = FakeLambda()
    switch(there.connection(), replace(ACTION, after=replace(OLD, package="b" * 64)), DEPLOYED, free)
    assert there.updates == ["update_function_code"]
    there = FakeLambda()
    switch(there.connection(), replace(ACTION, after=replace(OLD, handler="c.d")), DEPLOYED, free)
    assert there.updates == ["update_function_configuration"]


def test_a_forced_switch_sends_an_update_even_if_nothing_differs() -> None:
    there = FakeLambda()
    switch(there.connection(), replace(ACTION, after=OLD, forced=True), DEPLOYED, free)
    assert there.updates == ["update_function_configuration"]


def test_a_layer_that_was_not_published_is_an_error_and_nothing_is_sent() -> None:
    there = FakeLambda()
    with pytest.raises(AwsError, match="cannot get core 1.2.4, which was not published"):
        switch(there.connection(), ACTION, Deployed(), free)
    assert there.calls == []


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("after", [False, True])
def test_a_lost_answer_is_looked_up_and_sent_again_only_if_it_did_not_take_effect(
    error: Exception, after: bool
) -> None:
    there = FakeLambda(error, after=after)
    switch(there.connection(), ACTION, DEPLOYED, free)
    assert there.updates.count("update_function_configuration") == (1 if after else 2)
    assert there.state.same(DEPLOYED.resolve(NEW))


def test_a_forced_update_whose_answer_was_lost_must_be_accepted_all_the_same() -> None:
    there = FakeLambda(LOST[0], after=True)
    switch(there.connection(), replace(ACTION, after=OLD, forced=True), DEPLOYED, free)
    assert len(there.updates) == 2


@pytest.mark.parametrize("code", ["ResourceConflictException", "TooManyRequestsException"])
def test_a_refusal_that_passes_is_waited_out(code: str) -> None:
    there = FakeLambda(refusal(code), refusal(code))
    switch(there.connection(), ACTION, DEPLOYED, free)
    assert there.updates.count("update_function_configuration") == 3


def test_a_refusal_that_never_passes_is_an_error_whose_end_is_known() -> None:
    there = FakeLambda(*[refusal("TooManyRequestsException")] * 9)
    with pytest.raises(AwsError, match="TooManyRequestsException") as raised:
        switch(there.connection(), ACTION, DEPLOYED, free)
    assert not raised.value.unsettled


def test_answers_that_are_always_lost_are_an_error_whose_end_is_unknown() -> None:
    there = FakeLambda(*[LOST[0]] * 9)
    with pytest.raises(AwsError) as raised:
        switch(there.connection(), ACTION, DEPLOYED, free)
    assert raised.value.unsettled


@pytest.mark.parametrize(
    "error",
    [
        refusal("AccessDeniedException", 403),
        refusal("InvalidParameterValueException"),
        ParamValidationError(report="x"),
    ],
)
def test_a_refusal_that_stays_is_an_error_at_once(error: Exception) -> None:
    there = FakeLambda(error)
    with pytest.raises(AwsError, match=f"Cannot go on with: Updating {NAME}"):
        switch(there.connection(), ACTION, DEPLOYED, free)
    assert len(there.updates) == 1


def test_a_function_that_was_changed_by_someone_else_is_never_overwritten() -> None:
    there = FakeLambda()
    there.revision, there.state = 5, replace(OLD, handler="their.own")
    with pytest.raises(AwsError, match=r"changed by someone else while it was updated \(handler a.b -> their.own\)"):
        switch(there.connection(), ACTION, DEPLOYED, free)
    assert there.state.handler == "their.own"


def test_a_change_of_something_that_we_do_not_set_is_no_hindrance() -> None:
    there = FakeLambda()
    there.revision = 5
    switch(there.connection(), ACTION, DEPLOYED, free)
    assert there.state.handler == "c.d"


def test_an_update_that_ends_as_failed_is_an_error_with_its_reason() -> None:
    there = FakeLambda()
    there.status = "Failed"
    with pytest.raises(AwsError, match=f"Updating {NAME}.*: no role"):
        switch(there.connection(), ACTION, DEPLOYED, free)


def test_an_update_that_was_accepted_and_did_something_else_is_an_error() -> None:
    there = FakeLambda()
    there.deaf = True
    with pytest.raises(AwsError, match="is not what its update asked for"):
        switch(there.connection(), ACTION, DEPLOYED, free)


def test_a_function_that_was_deleted_meanwhile_is_an_error() -> None:
    there, _ = recorded(DEV, get_function=refusal("ResourceNotFoundException"))
    with pytest.raises(AwsError, match=f"{NAME} was deleted while it was updated"):
        switch(there, ACTION, DEPLOYED, free)


@pytest.mark.parametrize("busy", [{"LastUpdateStatus": "InProgress"}, {"State": "Pending"}])
def test_a_function_is_read_once_no_update_is_in_progress(busy: dict[str, str]) -> None:
    there = FakeLambda()
    done = there.read({"FunctionName": NAME})
    updating = {"Configuration": {**done["Configuration"], **busy}}
    connection, calls = recorded(DEV, get_function=[updating, updating, done])
    found = read_function(connection, NAME)
    assert found
    assert found.state == OLD
    assert len(calls) == 3


def test_an_update_that_takes_longer_than_five_minutes_is_an_error_and_not_waited_for_any_more() -> None:
    there = FakeLambda()
    there.status = "InProgress"
    with pytest.raises(AwsError, match="updating for more than 5 minutes") as raised:
        read_function(there.connection(), NAME)
    assert raised.value.unsettled
    assert 300 < there.reads < 310


def test_a_function_of_another_account_is_refused() -> None:
    there = FakeLambda()
    elsewhere = replace(there.connection(), environment=replace(DEV, account="999999999999"))
    with pytest.raises(AwsError, match="belong to account 111122223333, but dev is 999999999999 in release.toml"):
        read_function(elsewhere, NAME)


def test_an_answer_that_is_cut_short_is_an_error_and_no_function() -> None:
    connection, _ = recorded(DEV, get_function={})
    with pytest.raises(AwsError, match="answer was cut short"):
        read_function(connection, NAME)


def fenced(*answers: Any, keeps: bool = False) -> tuple[FakeLambda, float]:
    """A function after a fence, and how many seconds were waited."""
    there = FakeLambda(*answers)
    there.keeps = keeps
    connection = there.connection()
    fence(connection, NAME, free, 360)
    return there, connection.clock.now()


def test_a_fence_is_an_update_that_sends_nothing_but_the_revision_and_must_change_it() -> None:
    there, waited = fenced()
    updates = [request for name, request in there.calls if name.startswith("update")]
    assert updates == [{"FunctionName": NAME, "RevisionId": "r0"}]
    assert (there.state, there.revision, waited) == (OLD, 2, 0)


def test_where_the_revision_stays_requests_that_were_signed_before_are_waited_out() -> None:
    assert fenced(keeps=True)[1] == 360


def test_a_fence_that_meets_another_update_or_gets_no_answer_is_sent_again_until_it_is_accepted() -> None:
    there, waited = fenced(refusal("ResourceConflictException"), LOST[0], refusal("PreconditionFailedException", 412))
    assert waited == 0.25 + 0.5 + 1
    assert len(there.updates) == 4


def test_a_fence_that_always_meets_another_update_is_an_error() -> None:
    with pytest.raises(AwsError, match="make sure that nobody else still updates"):
        fenced(*[refusal("ResourceConflictException")] * 99)


def test_a_fence_that_is_refused_is_an_error() -> None:
    with pytest.raises(AwsError, match=f"make sure that nobody else still updates {NAME}: Access Denied"):
        fenced(refusal("AccessDeniedException", 403))


def test_a_function_that_does_not_exist_needs_no_fence() -> None:
    connection, calls = recorded(DEV, get_function=refusal("ResourceNotFoundException"))
    fence(connection, NAME, free, 360)
    assert [name for name, _ in calls] == ["get_function"]


def test_every_update_asks_whether_the_environment_is_still_ours() -> None:
    there, asked = FakeLambda(), list[int]()
    switch(there.connection(), ACTION, DEPLOYED, lambda: asked.append(len(there.updates)))
    assert asked == [0, 1]


def test_a_long_update_is_told_of_every_ten_seconds() -> None:
    there = FakeLambda()
    done = there.read({"FunctionName": NAME})
    updating = {"Configuration": {**done["Configuration"], "LastUpdateStatus": "InProgress"}}
    connection, _ = recorded(DEV, get_function=[*[updating] * 26, done])
    told: list[Event] = []
    read_function(replace(connection, report=told.append), NAME)
    assert [round(each.seconds) // 10 for each in told if isinstance(each, Waiting)] == [1, 2]


def test_what_releases_leave_alone_is_read_too() -> None:
    answer = FakeLambda().read({"FunctionName": NAME})
    modified, variables = "2026-11-21T18:00:00.123+0000", {"Variables": {"B": "2", "A": "1"}}
    more = {"Timeout": 3, "MemorySize": 128, "Environment": variables, "LastModified": modified}
    for settings, facts in (
        (more, Facts(3, 128, ("A", "B"), {"team": "news"}, "2026-11-21 18:00:00 UTC")),
        ({}, Facts(0, 0, (), {"team": "news"})),
        ({"Environment": {"Error": {"ErrorCode": "AccessDenied"}}}, Facts(0, 0, None, {"team": "news"})),
    ):
        told = {"Configuration": {**answer["Configuration"], **settings}, "Tags": {"team": "news"}}
        connection, _ = recorded(DEV, get_function=told)
        found = read_function(connection, NAME)
        assert found
        assert found.facts == facts


def test_a_container_image_is_refused_since_it_can_carry_no_layers() -> None:
    image = FakeLambda().read({"FunctionName": NAME})
    image["Configuration"]["PackageType"] = "Image"
    connection, _ = recorded(DEV, get_function=image)
    with pytest.raises(PlanError, match=f"{NAME} is a container image, which cannot carry layers"):
        read_function(connection, NAME)


def test_after_a_lost_answer_any_error_leaves_the_end_unknown() -> None:
    there = FakeLambda(LOST[0], refusal("AccessDeniedException", 403))
    with pytest.raises(AwsError, match="Access Denied") as raised:
        switch(there.connection(), ACTION, DEPLOYED, free)
    assert raised.value.unsettled


def test_a_forced_update_that_changes_something_and_is_seen_is_not_sent_again() -> None:
    there = FakeLambda(LOST[0], after=True)
    switch(there.connection(), replace(ACTION, after=replace(OLD, handler="c.d"), forced=True), DEPLOYED, free)
    assert len(there.updates) == 1
