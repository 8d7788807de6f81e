import math
from typing import Any

import pytest

from tasks.aws.pace import Clock, Pace
from tests.aws.recorder import FakeClock


class Answer:
    status_code = 429


def paced_by_a_clock() -> tuple[FakeClock, Pace]:
    clock = FakeClock()
    return clock, Pace(Clock(clock.now, clock.sleep))


def send(paced: Pace, operation: str = "UpdateFunctionCode", times: int = 1) -> None:
    for _ in range(times):
        paced.before_send(f"before-send.lambda.{operation}")


def test_no_second_sees_more_than_thirteen_calls() -> None:
    clock, paced = paced_by_a_clock()
    moments = []
    for _ in range(60):
        send(paced)
        moments.append(clock.seconds)
    assert max(sum(begin <= moment <= begin + 1 for moment in moments) for begin in moments) == 13
    assert clock.seconds == pytest.approx(4 * 1.05)


def test_the_sandbox_is_as_fast_as_it_says_until_it_refuses() -> None:
    clock = FakeClock()
    paced = Pace(Clock(clock.now, clock.sleep), math.inf)
    send(paced, times=1000)
    assert clock.seconds == 0
    answer: Any = (Answer(), {})
    paced.after_answer(answer)
    assert paced.rate == 6.5


@pytest.mark.parametrize("operation", ["GetFunction", "Invoke"])
def test_calls_with_a_rate_of_their_own_wait_for_nothing(operation: str) -> None:
    clock, paced = paced_by_a_clock()
    send(paced, operation, times=1000)
    assert clock.seconds == 0


def test_a_refusal_halves_the_rate_and_calm_raises_it_again() -> None:
    clock, paced = paced_by_a_clock()
    answer: Any = (Answer(), {})
    paced.after_answer(answer)
    assert paced.rate == 6.5
    paced.after_answer(answer)
    assert paced.rate == 6.5  # it was sent before
    for _ in range(3):
        clock.seconds += 2
        paced.after_answer(answer)
    assert paced.rate == 1
    for _ in range(5):
        paced.after_answer(None)
    assert paced.rate == 2


class GetFunction:
    name = "GetFunction"


def test_reads_of_functions_are_paced_once_one_was_refused_and_leave_the_other_rate_alone() -> None:
    clock, paced = paced_by_a_clock()
    answer: Any = (Answer(), {})
    paced.after_answer(answer, operation=GetFunction())
    assert paced.rate == 13
    send(paced, "GetFunction", times=180)
    assert clock.seconds == pytest.approx(1.05)
    send(paced, "GetFunction")
    assert clock.seconds == pytest.approx(2.1)
