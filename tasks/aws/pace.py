"""Keeps Lambda's control plane below the rate it allows.

All its calls but GetFunction and Invoke share 15 a second in an account and region, which is not ours alone and cannot
be raised: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# held by tests/aws/test_pace.py `13.0 -> 16.0`
RATE = 13.0
"""Calls in any `_WINDOW`: two less than allowed, since the rate is not ours alone and calls do not arrive evenly."""
# held by tests/aws/test_pace.py `1.05 -> 0.9`
_WINDOW = 1.05
"""Seconds: a little more than one."""
_SLOWEST = 1.0
_READS = 90.0
"""Of GetFunction, which has a rate of its own (100 a second): as many once AWS has refused one, and not before."""
_CALM = 5
"""Calls without a refusal after which the rate rises by one again."""
_TOO_MANY = 429


@dataclass(frozen=True)
class Clock:
    """Time in seconds, and a way to let it pass."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Pace:
    """At most `most` calls in any second, half as many whenever AWS says that they were too many."""

    def __init__(self, clock: Clock, most: float = RATE) -> None:
        self.rate, self._most, self._clock, self._calm = most, most, clock, 0
        self.reads, self._slowed = math.inf, -math.inf
        self._sent: dict[bool, deque[float]] = {False: deque(maxlen=int(RATE)), True: deque(maxlen=int(_READS))}
        self._lock = threading.Lock()

    def before_send(self, event_name: str, **_: Any) -> None:
        """A botocore hook: wait until another call may go out."""
        operation = event_name.rpartition(".")[-1]
        reads = operation == "GetFunction"
        if operation == "Invoke" or (self.reads if reads else self.rate) == math.inf:
            return
        with self._lock:
            now, rate, sent = self._clock.now(), int(self.reads if reads else self.rate), self._sent[reads]
            moment = max(now, sent[-rate] + _WINDOW) if len(sent) >= rate else now
            sent.append(moment)
        self._clock.sleep(moment - now)

    def after_answer(self, response: Any, operation: Any = None, **_: Any) -> None:
        """A botocore hook: slow down when AWS refuses a call for its rate."""
        refused = response is not None and response[0].status_code == _TOO_MANY
        with self._lock:
            if getattr(operation, "name", "") == "GetFunction":
                # held by tests/aws/test_pace.py `-> self.reads`
                self.reads = _READS if refused else self.reads
                return
            # held by tests/aws/test_pace.py
            if refused and self._clock.now() - self._slowed < _WINDOW:
                return  # sent before it was slowed down
            if refused:
                self._slowed = self._clock.now()
                self._most = min(self._most, RATE)
                # held by tests/aws/test_pace.py `min(self.rate, self._most) / 2 -> min(self.rate, self._most)`
                self.rate, self._calm = max(_SLOWEST, min(self.rate, self._most) / 2), 0
                return
            self._calm += 1
            if self._calm >= _CALM:
                self.rate, self._calm = min(self._most, self.rate + 1), 0
