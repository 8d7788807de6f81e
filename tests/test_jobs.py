import threading
import time
from contextlib import closing

import pytest

from tasks.jobs import EndedAtOnceError, results, side_by_side


def slow_one() -> int:
    time.sleep(0.02)
    return 1


def test_results_come_in_the_order_of_the_calls() -> None:
    assert results([slow_one, lambda: 2, lambda: 3]) == [1, 2, 3]


def test_an_error_is_raised_where_it_was_asked_for() -> None:
    with pytest.raises(ZeroDivisionError):
        results([lambda: 1 // 0])


def test_calls_on_different_subjects_run_side_by_side() -> None:
    meeting = threading.Barrier(3, timeout=5)
    assert sorted(results([meeting.wait] * 3)) == [0, 1, 2]


def test_calls_on_one_subject_run_one_after_another_and_one_without_waits_for_all() -> None:
    seen: list[str] = []

    def note(text: str, pause: float = 0) -> None:
        time.sleep(pause)
        seen.append(text)

    calls = [lambda: note("a1", 0.03), lambda: note("a2"), lambda: note("b", 0.01), lambda: note("end")]
    for job in side_by_side(calls, ["a", "a", "b", ""]):
        job.wait()
    assert seen == ["b", "a1", "a2", "end"]


def fail() -> None:
    raise ValueError


def test_after_a_failure_nothing_more_begins() -> None:
    jobs = list(side_by_side([fail, lambda: 1], ["a", "a"]))
    assert [(job.begun, job.result) for job in jobs] == [(True, None), (False, None)]


def test_after_a_failure_the_rest_is_tried_all_the_same_where_that_is_asked_for() -> None:
    jobs = list(side_by_side([fail, lambda: 1], ["a", "a"], keep_going=True))
    assert [job.result for job in jobs] == [None, 1]


def test_when_nobody_waits_any_more_what_has_begun_is_ended_and_nothing_more_begins() -> None:
    begun, ended = threading.Event(), []

    def slow() -> None:
        begun.set()
        time.sleep(0.05)
        ended.append(1)

    with closing(side_by_side([slow, lambda: ended.append(2)], ["a", "a"])) as jobs:
        next(jobs)
        begun.wait(5)
    assert ended == [1]


def test_ctrl_c_while_what_has_begun_is_waited_for_ends_at_once() -> None:
    begun, over = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        over.wait(5)

    jobs = side_by_side([slow])
    job = next(jobs)
    begun.wait(5)
    job.wait = interrupt  # type: ignore[method-assign]
    with pytest.raises(EndedAtOnceError):
        jobs.close()
    over.set()


def interrupt() -> None:
    raise KeyboardInterrupt


def test_no_call_keeps_a_program_that_was_ended_alive() -> None:
    assert results([lambda: threading.current_thread().daemon]) == [True]
