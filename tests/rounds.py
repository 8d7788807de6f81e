"""How many calls a command makes, and how many of them had to wait for one another.

Calls are held back until nobody asks for more and nobody is being answered; then all of them go on, as one round. Over
a slow line a command takes as long as its rounds, however many calls each of them has.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tasks.aws.connection import PATIENCE, client
from tasks.project.model import Environment

_QUIET = 0.06
"""Seconds in which nobody asks for anything more."""


class Rounds:
    """The calls of each round, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.made: list[list[str]] = []
        self._waiting: list[tuple[str, threading.Event]] = []
        self._answering, self._asked, self._over = 0, 0.0, False
        self._lock = threading.Lock()

    @property
    def calls(self) -> list[str]:
        """All of them."""
        return [name for each in self.made for name in each]

    def ask(self, model: Any, **_: Any) -> None:
        """Hold a call back until its round begins."""
        begin = threading.Event()
        with self._lock:
            if self._over:
                return
            self._waiting.append((model.name, begin))
            self._asked = time.monotonic()
        begin.wait()

    def answered(self, **_: Any) -> None:
        """A call is over."""
        with self._lock:
            self._answering -= 1
            self._asked = time.monotonic()

    def run(self) -> None:
        """Begin round after round."""
        while not self._over:
            time.sleep(_QUIET / 6)
            with self._lock:
                if not self._waiting or self._answering or time.monotonic() - self._asked < _QUIET:
                    continue
                now, self._waiting = self._waiting, []
                self._answering = len(now)
                self.made.append([name for name, _ in now])
            for _, begin in now:
                begin.set()

    def end(self) -> None:
        """Hold nothing back any more."""
        with self._lock:
            self._over = True
        for _, begin in self._waiting:
            begin.set()


@contextmanager
def rounds(endpoint: str, *environments: Environment) -> Iterator[Rounds]:
    """The rounds of calls to some environments while it is in use."""
    counted = Rounds()
    heard = {"before-call": counted.ask, "after-call": counted.answered, "after-call-error": counted.answered}
    kinds = [("s3", 0), ("s3", 20), ("lambda", 0), ("lambda", PATIENCE), ("sts", 0)]
    clients = [client(kind, each, endpoint, patience=patience) for kind, patience in kinds for each in environments]
    unique = {id(each): each for each in clients}.values()
    for each in unique:
        for event, handler in heard.items():
            each.meta.events.register(event, handler, unique_id=f"rounds {event}")
    threading.Thread(target=counted.run, daemon=True).start()
    try:
        yield counted
    finally:
        counted.end()
    for each in unique:
        for event in heard:
            each.meta.events.unregister(event, unique_id=f"rounds {event}")
