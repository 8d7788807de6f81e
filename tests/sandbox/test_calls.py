"""Calls of functions are told from all others."""

import json
import time

from tasks.sandbox.calls import Calls, mark_of
from tasks.sandbox.messages import Call

ARN, OTHER = "arn:aws:lambda:eu-west-3:111122223333:function:a", "arn:aws:lambda:eu-west-3:111122223333:function:b"


def call(agent: str, method: str = "GET", service: str = "s3", path: str = "/bucket/key", target: str = "") -> Call:
    headers = {"user-agent": agent, "x-amz-target": target}
    return Call(method, path, {}, headers, b"", service, "eu-west-3", "111122223333")


def since(calls: Calls, moment: float = 0.0, arn: str = ARN) -> list[str]:
    return list(json.loads(calls.since(arn, moment)))


def test_calls_are_known_by_who_made_them_and_told_once_each() -> None:
    calls = Calls()
    agent = f"Boto3/1.40 app/{mark_of(ARN)} cfg/x"
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        calls.hear(call(agent, method))
    calls.hear(call(agent, "POST", "dynamodb", "/", "DynamoDB_20120810.GetItem"))
    calls.hear(call("Boto3/1.40"))
    assert since(calls) == [
        "read s3://bucket/key",
        "wrote s3://bucket/key",
        "deleted s3://bucket/key",
        "called dynamodb GetItem",
    ]
    assert since(calls, arn=OTHER) == []


def test_what_a_function_called_before_it_had_the_event_is_no_work() -> None:
    calls = Calls()
    calls.hear(call(f"app/{mark_of(ARN)}"))
    assert since(calls, time.monotonic() + 1) == []


def test_of_many_calls_five_are_told_and_of_long_ones_the_beginning() -> None:
    calls = Calls()
    for number in range(20):
        calls.hear(call(f"app/{mark_of(ARN)}", path=f"/bucket/{number}/{'é' * 1000}"))
    assert len(since(calls)) == 5
    assert len(calls.since(ARN, 0.0)) < 8_000
    assert calls.since(ARN, 0.0).isascii()
