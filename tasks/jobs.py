"""Calls that run side by side and are handed back in their order.

The standard library's pool joins its threads when the program ends, so a second Ctrl-C could not end it at once: here
threads are daemons.
"""

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

AT_ONCE = 64
_TICK = 0.1
"""Seconds between looks for a Ctrl-C, which Windows does not deliver while a lock is waited for."""


class EndedAtOnceError(KeyboardInterrupt):
    """Ctrl-C while what had begun was waited for: it may still take effect, and nobody waits for it."""


@dataclass
class Job:
    """One call: what it returned or raised. Neither, if it never began because an earlier one failed."""

    call: Callable[[], Any]
    subject: str
    result: Any = None
    error: BaseException | None = None
    begun: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Wait until it has ended, or will never begin."""
        while not self.ended.wait(_TICK):
            pass

    def value(self) -> Any:
        """What it returned, once it has ended; its error is raised."""
        self.wait()
        if self.error:
            raise self.error
        return self.result


def side_by_side(
    calls: Sequence[Callable[[], Any]],
    subjects: Sequence[str] = (),
    *,
    at_once: int = AT_ONCE,
    keep_going: bool = False,
) -> Generator[Job]:
    """Each call's job, in order, to be waited for by whoever asked.

    Calls on one subject run one after another, and one without subject waits for all before it. After a failure (unless
    all are to be tried), or when nobody takes the next job any more, nothing more begins, and what has begun is waited
    for.
    """
    names = subjects or [str(place) for place in range(len(calls))]
    jobs = [Job(call, name) for call, name in zip(calls, names, strict=True)]
    stop, lock, queue = threading.Event(), threading.Lock(), iter(range(len(jobs)))

    def work() -> None:
        while True:
            with lock:
                place = next(queue, None)
            if place is None:
                return
            _run(jobs, place, stop, keep_going=keep_going)

    try:
        for _ in range(min(at_once, len(jobs))):
            threading.Thread(target=work, daemon=True).start()
        yield from jobs
    finally:
        stop.set()
        _wait_for_all(jobs)


def _wait_for_all(jobs: Sequence[Job]) -> None:
    """Wait for what has begun. EndedAtOnceError if Ctrl-C comes meanwhile."""
    try:
        for job in jobs:
            if job.begun:
                job.wait()
    except KeyboardInterrupt:
        raise EndedAtOnceError from None


def results(calls: Sequence[Callable[[], Any]], *, at_once: int = AT_ONCE) -> list[Any]:
    """What the calls returned, in order; the first error is raised."""
    return [job.value() for job in side_by_side(calls, at_once=at_once)]


def _run(jobs: Sequence[Job], place: int, stop: threading.Event, *, keep_going: bool) -> None:
    """Run one job, after those that it must not overtake."""
    job = jobs[place]
    for earlier in jobs[:place]:
        if earlier.subject == job.subject or not job.subject or not earlier.subject:
            earlier.ended.wait()
    try:
        job.begun = not stop.is_set()
        if job.begun:
            job.result = job.call()
    except BaseException as error:  # noqa: BLE001  (handed to the thread that asked, whatever it is)
        job.error = error
        if not keep_going:
            stop.set()
    finally:
        job.ended.set()
