"""What the live line of a terminal says while a command runs."""

from tasks.output.terminal import busy, rest
from tasks.release import actions
from tasks.release.events import AllBuilt, Begun, Building, Confirmed, Event, Importing, Looking, Planned, Smoking

_MEGABYTE = 1_000_000


def follow(event: Event) -> None:
    """Say what takes long from here on, or that nothing does."""
    text = what_takes_long(event)
    if text:
        busy(text)
    elif text is not None:
        rest()


def what_takes_long(event: Event) -> str | None:  # noqa: PLR0911  (one case an event)
    """What takes long after an event: empty if nothing does any more, None if that has not changed."""
    match event:
        case Building():
            return f"Building {event.name}: downloading, packing, checking"
        case Importing():
            return f"Importing what was built on {' and '.join(event.runtimes)}"
        case Looking():
            return f"Looking at {event.environment}"
        case Begun(action=actions.Upload(artifact=artifact) as action):
            return f"{action} ({artifact.size / _MEGABYTE:.1f} MB)"
        case Begun():
            return str(event.action)
        case Smoking():
            return "Starting the functions once"
        case AllBuilt() | Planned() | Confirmed():
            return ""
        case _:
            return None
