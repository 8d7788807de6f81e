"""What the live line of a terminal says while a command runs."""

import time
from collections.abc import Callable

from tasks.output.terminal import busy, rest
from tasks.release import actions, events
from tasks.release.events import Event
from tasks.release.plan import Plan

_MEGABYTE = 1_000_000


class Progress:
    """What takes long, and how much of what goes over the line has gone, how fast."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._text = clock, ""
        self._moved, self._size, self._since = 0, 0, clock()

    def follow(self, event: Event) -> None:
        """Say what takes long from here on, or that nothing does."""
        text = self.what_takes_long(event)
        if text:
            busy(text)
        elif text is not None:
            rest()

    def what_takes_long(self, event: Event) -> str | None:
        """What takes long after an event: empty if nothing does any more, None if that has not changed."""
        if isinstance(event, events.Moved):
            self._moved += event.size
            return f"{self._so_far()}{self._text}" if self._text else None
        if isinstance(event, events.Downloading | events.Planned):
            size = event.size if isinstance(event, events.Downloading) else upload_size(event.plan)
            self._moved, self._size, self._since = 0, size, self._clock()
        text = _begins(event)
        self._text = self._text if text is None else text
        return text

    def _so_far(self) -> str:
        """Sizes come first, since the end of a long line is cut off; nothing once everything is here."""
        moved, rate = self._moved / _MEGABYTE, self._moved / _MEGABYTE / max(0.1, self._clock() - self._since)
        if not 0 < self._moved < (self._size or float("inf")):
            return ""
        return f"{moved:.1f}{f' of {self._size / _MEGABYTE:.1f}' if self._size else ''} MB at {rate:.1f} MB/s: "


def upload_size(plan: Plan) -> int:
    """How many bytes of archives a plan uploads."""
    return sum(each.artifact.size for each in plan.prepare if isinstance(each, actions.Upload))


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
        case events.Smoking():
            return "Starting the functions once"
        case events.AllBuilt() | events.Planned() | events.Confirmed():
            return ""
        case _:
            return None
