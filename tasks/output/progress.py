"""What the live line of a terminal says while a command runs."""

import math
import threading
import time
from collections.abc import Callable

from tasks.output.terminal import busy, rest
from tasks.release import actions, events
from tasks.release.events import Event

_MEGABYTE = 1_000_000
_TELLING = 0.5  # seconds before which a rate says nothing


class Progress:
    """What takes long, and how much of what goes over the line has gone, how fast."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._text = clock, ""
        self._moved, self._size, self._since = 0, 0, 0.0
        self._lock = threading.Lock()  # bytes are told of by whichever thread moves them

    def follow(self, event: Event) -> None:
        """Say what takes long from here on, or that nothing does."""
        with self._lock:
            text = self.what_takes_long(event)
            if text:
                busy(text)
            elif text is not None:
                rest()

    def what_takes_long(self, event: Event) -> str | None:
        """What takes long after an event: empty if nothing does any more, None if that has not changed."""
        if isinstance(event, events.Moved):
            self._since = self._since if self._moved else self._clock()
            self._moved += event.size
            return f"{self._so_far()}{self._text}" if self._text else None
        if isinstance(event, events.Downloading):
            self._moved, self._size = 0, event.size
        if isinstance(event, events.Planned):
            sizes = (each.artifact.size for each in event.plan.prepare if isinstance(each, actions.Upload))
            self._moved, self._size = 0, sum(sizes)
        text = _begins(event)
        self._text = self._text if text is None else text
        return text

    def _so_far(self) -> str:
        """Sizes come first, since the end of a long line is cut off; nothing once everything is here."""
        if not 0 < self._moved < (self._size or math.inf):
            return ""
        moved, size, seconds = self._moved / _MEGABYTE, self._size / _MEGABYTE, self._clock() - self._since
        rate = f" at {moved / seconds:.1f} MB/s" if seconds >= _TELLING else ""
        return f"{moved:.1f}{f' of {size:.1f}' if size else ''} MB{rate}: "


def _begins(event: Event) -> str | None:  # noqa: PLR0911  (one case an event)
    """What begins with an event; empty if nothing is going on any more, None if that has not changed."""
    match event:
        case events.Building():
            return f"Building {event.name}: downloading, packing, checking"
        case events.Importing():
            return f"Importing what was built on {' and '.join(event.runtimes)}"
        case events.Looking():
            return f"Looking at {event.environment}"
        case events.Begun():
            return str(event.action)
        case events.Waiting():
            return f"Waiting for {event.function}: {event.seconds:.0f} s"
        case events.Smoking():
            return "Starting the functions once"
        case events.AllBuilt() | events.Planned() | events.Confirmed():
            return ""
        case _:
            return None
