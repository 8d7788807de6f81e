"""Lines on the console: every word that a command says goes through here.

Lines start with a plain ASCII tag, and a character that the console cannot show is written as an escape, so that
nothing crashes on a cp1252 or ASCII stdout.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, TextIO, TypeVar

from tasks.errors import one_line, printable
from tasks.output.terminal import screen
from tasks.project.command import for_sandbox, shows

_RULE = "=" * 60
_rehearsing: list[bool] = []
_aside: list[bool] = []
JSON = "print one JSON document and nothing else (its schema: docs/schemas)"
Body = TypeVar("Body", bound=Callable[..., Any])


def rehearse() -> None:
    """From here on, on this command line, advice is for the sandbox."""
    _rehearsing.append(True)


def say(*lines: str) -> None:
    """Print lines as they are; on stderr while stdout is for a document."""
    _print(sys.stderr if _aside else sys.stdout, lines or ("",))


def say_table(*rows: Sequence[str]) -> None:
    """Print rows in columns, the first of them headings; on a terminal they are wrapped where it is too narrow."""
    stream = sys.stderr if _aside else sys.stdout
    terminal = screen(stream) if stream else None
    if terminal and terminal.fits(len(rows[0])):
        with _whoever_reads(stream):
            terminal.table([[_fit(one_line(cell), stream) for cell in row] for row in rows])
        return
    rows = tuple([one_line(cell) for cell in row] for row in rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("   " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def say_beside(*lines: str) -> None:
    """Print lines on stderr: what is no part of what a command answers."""
    _print(sys.stderr, lines)


def say_document(text: str) -> None:
    """Print a document for machines on stdout, in no colour."""
    # what a terminal or GitHub's runner would read otherwise, as JSON may have it, too
    _print(sys.stdout, (text.replace("\x7f", "\\u007f").replace("##[", "#\\u0023["),), plain=True)


def documented(body: Body) -> Body:
    """A task that only shows, and with `json` one document on stdout: what is said besides goes to stderr."""

    @wraps(body)
    def aside(*args: Any, **options: Any) -> Any:
        if not options.get("json"):
            return body(*args, **options)
        _aside.append(True)
        try:
            return body(*args, **options)
        finally:
            _aside.pop()

    return shows(aside)  # type: ignore[return-value]  # the same signature


def _print(stream: TextIO | None, lines: Iterable[str], *, plain: bool = False) -> None:
    if stream is None:  # closed from the beginning
        return
    terminal = None if plain else screen(stream)
    with _whoever_reads(stream):
        for line in map(for_sandbox, lines) if _rehearsing else lines:
            # held by tests/output/test_terminal.py `printable(line) -> line`
            fit = _fit(line if plain else printable(line), stream)
            if terminal:
                terminal.say(fit)
            else:
                print(fit, file=stream, flush=True)


def _fit(text: str, stream: TextIO) -> str:
    """A text, with what a stream cannot show as escapes."""
    encoding = stream.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


@contextmanager
def _whoever_reads(stream: TextIO) -> Iterator[None]:
    """Go on to the end if whoever read along has left (`inv deploy dev | head`), or the disk is full."""
    try:
        yield
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def heading(text: str) -> None:
    """Print a section's title between two rules."""
    say("", _RULE, text, _RULE)


def say_end(title: str, *lines: str) -> None:
    """Print that all went well."""
    say("", _RULE, f"[SUCCESS] {title}", *lines, _RULE, "")


def shown_size(size: int) -> str:
    """Return bytes as people say them: 2.86 MB, 19.6 KB."""
    return f"{size / 1_000_000:.2f} MB" if size >= 100_000 else f"{size / 1000:.1f} KB"  # noqa: PLR2004
