"""A terminal: the same lines in colour, and below them one live line that says what takes long.

Rich is imported on a terminal alone. Pipes, files, CI, `NO_COLOR` and `TERM=dumb` get plain lines.
"""

import atexit
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from tasks.errors import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

_STYLES = {
    "OK": "green",
    "SUCCESS": "bold green",
    "WARNING": "yellow",
    "ERROR": "bold red",
    "SKIP": "dim",
    "INFO": "cyan",
    "DEPLOY": "cyan",
}
"""Tag -> style."""
_OUTCOMES = {
    "ok": "green",
    "confirmed": "green",
    "behind": "cyan",
    "open": "cyan",
    "undone": "yellow",
    "abandoned": "yellow",
    "drifted": "red",
    "mixed": "red",
    "unknown": "red",
}
"""A cell of a table -> style."""
_LEAST = 5  # characters for a column of a table and the gap beside it
_TAG = re.compile(rf"\[({'|'.join(_STYLES)})\]")
_PATTERNS = (
    (re.compile(r"^ {3,}(?P<added>\+ .*)$"), {"added": "green"}),
    (re.compile(r"^ {3,}(?P<removed>- .*)$"), {"removed": "red"}),
    (re.compile(r"^ {3,}(?P<changed>~ .*)$"), {"changed": "yellow"}),
    (re.compile(r"(?P<before>[^\s,]+) -> (?P<after>[^\s,]+)"), {"before": "red", "after": "green"}),
    (re.compile(r"(?P<new>\+ [\w.-]+ \d[\w.]*)"), {"new": "green"}),
    (re.compile(r"(?P<arn>arn:aws\S*|s3://\S+)"), {"arn": "dim"}),
    (re.compile(r"(?:run|next): (?P<command>(?:inv|git|aws) .*)$"), {"command": "bold"}),
    (re.compile(r"^(?P<rule>=+)$"), {"rule": "dim"}),
)


def is_terminal(stream: TextIO | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody looks at a stream, and wants colours."""
    plain = environment.get("NO_COLOR") or environment.get("CI") or environment.get("TERM") == "dumb"
    return bool(stream and not plain and stream.isatty())


@cache
def screen(stream: TextIO) -> "Screen | None":
    """The terminal behind a stream; None if there is none."""
    if not is_terminal(stream):
        return None
    from rich.console import Console

    made = Screen(Console(file=stream, highlight=False, soft_wrap=True, emoji=False))
    atexit.register(made.rest)
    return made


class Screen:
    """One terminal: lines above, and while something takes long a live line below them, gone when it is over."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._live: Live | None = None
        self._spinner: Spinner | None = None

    def say(self, line: str) -> None:
        """Print a line in colour."""
        self._console.print(styled(line))

    def fits(self, columns: int) -> bool:
        """Whether so many columns have a place; Rich leaves out what has not."""
        return self._console.width >= _LEAST * columns

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Print rows below their headings; a cell is wrapped where the terminal is too narrow."""
        from rich.padding import Padding
        from rich.table import Column, Table
        from rich.text import Text

        heads = [Column(name, overflow="fold") for name in rows[0]]  # an ellipsis is not ASCII, and hides what is meant
        made = Table(*heads, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for row in rows[1:]:
            made.add_row(*(Text(cell, _OUTCOMES.get(cell, "")) for cell in row))
        self._console.print(Padding(made, (0, 0, 0, 3)))

    def busy(self, text: str) -> None:
        """Say in the live line what takes long now."""
        from rich.live import Live
        from rich.spinner import Spinner
        from rich.text import Text

        text = one_line(text)
        shown = Text(text if len(text) < self._console.width - 4 else f"{text[: self._console.width - 8]}...")
        if self._live is None:
            # in ASCII, for any console; Rich must not put something of its own in the place of sys.stdout
            looks: dict[str, Any] = {"transient": True, "redirect_stdout": False, "redirect_stderr": False}
            self._spinner = Spinner("line", shown, style="green")
            self._live = Live(self._spinner, console=self._console, refresh_per_second=12, **looks)
            self._live.start()
        elif self._spinner is not None:
            self._spinner.update(text=shown)

    def rest(self) -> None:
        """Nothing takes long any more."""
        if self._live is not None:
            self._live.stop()
            self._live = self._spinner = None

    def frame(self, text: str) -> str:
        """An error as one paragraph between two rules: without borders beside it, so that commands can be copied."""
        from rich.rule import Rule

        head, foot = Rule("error", characters="-", style="red", align="left"), Rule(characters="-", style="red")
        with self._console.capture() as captured:
            self._console.print(head, styled(text.removeprefix("[ERROR] ")), foot, sep="\n")
        return captured.get().rstrip("\n")


def busy(text: str) -> None:
    """Say on stdout what takes long now, where that is a terminal."""
    with suppress(OSError):  # nobody looks any more
        if found := screen(sys.stdout):
            found.busy(text)


def rest() -> None:
    """Nothing takes long any more."""
    if found := screen(sys.stdout):
        found.rest()


def framed(text: str) -> str:
    """An error as it is shown on stderr: framed on a terminal, as it is elsewhere."""
    rest()
    found = screen(sys.stderr) if sys.stderr else None
    return found.frame(text) if found else text


def styled(line: str) -> "Text":
    """A line with its tag, its changes and its commands in colour."""
    from rich.text import Text

    made = Text(line)
    if tag := _TAG.search(line):
        made.stylize(_STYLES[tag[1]], tag.start(), tag.end())
    for pattern, styles in _PATTERNS:
        for found in pattern.finditer(line):
            for group, style in styles.items():
                made.stylize(style, *found.span(group))
    return made
