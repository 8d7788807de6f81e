"""What a terminal gets, and who gets plain lines."""

import io
import json
import re
import sys
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from tasks.errors import ConfigError, ReleaseError
from tasks.output.lines import say, say_document, say_table
from tasks.output.progress import Progress
from tasks.output.terminal import Screen, framed, is_terminal, styled
from tasks.release.actions import Publish, Upload
from tasks.release.artifacts import Kind
from tasks.release.events import (
    AllBuilt,
    Begun,
    Building,
    Downloading,
    Event,
    Importing,
    Looking,
    Moved,
    Noticed,
    Planned,
    Smoking,
)
from tasks.release.plan import Plan
from tests.examples import CORE, GOAL


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def on(width: int = 80) -> tuple[Screen, Tty]:
    """A screen that somebody looks at, and all that was written to it."""
    written = Tty()
    console = Console(
        file=written, force_terminal=True, width=width, highlight=False, soft_wrap=True, legacy_windows=False
    )
    return Screen(console), written


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}])
def test_plain_lines_are_for_whoever_asks_for_them(plain: dict[str, str]) -> None:
    assert is_terminal(Tty(), {"TERM": "xterm"})
    assert not is_terminal(Tty(), {"TERM": "xterm", **plain})


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_a_pipe_is_no_terminal(stream: Any) -> None:
    assert not is_terminal(stream, {})


@pytest.mark.parametrize(
    ("line", "colours"),
    [
        ("[OK] fine", {("[OK]", "green")}),
        ("   [WARNING] careful", {("[WARNING]", "yellow")}),
        ("   + core 1.2.4", {("+ core 1.2.4", "green")}),
        ("   - python/a.py", {("- python/a.py", "red")}),
        ("   ~ canonical/a.yaml", {("~ canonical/a.yaml", "yellow")}),
        ("   f: core 1.0.0 -> 1.0.1", {("1.0.0", "red"), ("1.0.1", "green")}),
        ("it is old; run: inv deploy --env dev", {("inv deploy --env dev", "bold")}),
        ("=====", {("=====", "dim")}),
        ("[NOTE] no tag of ours", set()),
    ],
)
def test_a_line_is_coloured_and_says_the_same(line: str, colours: set[tuple[str, str]]) -> None:
    made = styled(line)
    assert made.plain == line
    assert {(line[each.start : each.end], str(each.style)) for each in made.spans} >= colours
    assert colours or not made.spans


def test_square_brackets_are_no_markup() -> None:
    screen, written = on()
    screen.say("[bold]core[/bold] [red]")
    assert "[bold]core[/bold] [red]" in written.getvalue()


def test_the_live_line_is_there_while_something_takes_long_and_gone_afterwards() -> None:
    screen, written = on(40)
    screen.busy("Uploading to s3://a-bucket-with-a-very-long-name/layers/core-1.2.4.zip")
    screen.say("[OK] done")
    screen.rest()
    said = written.getvalue()
    assert "Uploading to s3://a-bucket-with-..." in said
    assert "\x1b[?25l" in said
    assert said.rstrip("\r\n").endswith("\x1b[2K")
    assert "\x1b[?25h" in said


def test_what_others_print_to_stays_what_it_was() -> None:
    before = sys.stdout
    screen, _ = on()
    screen.busy("Publishing")
    during = sys.stdout
    screen.rest()
    assert (during, sys.stdout) == (before, before)


def test_the_live_line_is_ascii() -> None:
    screen, written = on()
    screen.busy("Publishing")
    screen.rest()
    assert written.getvalue().isascii()


ROWS = [("function", "is", "layers"), ("news-ingest-with-a-long-name-dev", "ok", "core 1.2.4, deps 1.0.5")]


def test_a_table_of_many_columns_does_not_fit_a_narrow_terminal() -> None:
    screen, _ = on(39)
    assert (screen.fits(7), screen.fits(8)) == (True, False)


@pytest.mark.parametrize(("width", "columns"), [(15, 3), (40, 3), (40, 8), (80, 8)])
def test_a_table_that_fits_shows_every_character(width: int, columns: int) -> None:
    screen, written = on(width)
    assert screen.fits(columns)
    rows = [(*row, *["confirmed"] * (columns - 3)) for row in ROWS]
    screen.table(rows)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", written.getvalue()).splitlines()
    assert max(map(len, lines)) <= width
    assert written.getvalue().isascii()
    shown = sorted(re.sub(r"\s", "", "".join(lines)))
    assert shown == sorted(re.sub(r"\s", "", "".join(cell for row in rows for cell in row)))


def test_the_state_in_a_table_has_its_colour() -> None:
    screen, written = on()
    screen.table([("is",), ("drifted",)])
    assert "\x1b[31mdrifted" in written.getvalue()


@pytest.mark.parametrize("width", [40, 80])
def test_an_error_is_one_framed_paragraph_as_wide_as_the_terminal(width: int) -> None:
    screen, _ = on(width)
    text = "dev does not run what it was given, which is a long line that must be wrapped"
    lines = screen.frame(f"[ERROR] {text}; run: inv verify --env dev").splitlines()
    assert "error" in lines[0]
    assert "[ERROR]" not in "".join(lines)
    assert len(lines) > 2


def test_elsewhere_an_error_is_what_it_always_was() -> None:
    assert framed("[ERROR] no") == "[ERROR] no"
    assert ConfigError("no").message == "[ERROR] no"


def test_an_error_is_shown_as_the_namespace_says() -> None:
    class LouderError(ReleaseError):
        show = staticmethod(str.upper)  # type: ignore[assignment]

    assert LouderError("no").message == "[ERROR] NO"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Building(Kind.LAYER, "core", "none is built here"), "Building core: downloading, packing, checking"),
        (Importing(("python3.11", "python3.12")), "Importing what was built on python3.11 and python3.12"),
        (Looking("dev"), "Looking at dev"),
        (Begun(Upload(CORE, "bucket")), f"Uploading to s3://bucket/{CORE.key}"),
        (Begun(Publish(CORE, "bucket", "news-core-dev", "")), "Publishing layer news-core-dev"),
        (Smoking("dev"), "Starting the functions once"),
        (AllBuilt((), (), ()), ""),
        (Noticed("x"), None),
    ],
)
def test_what_takes_long_follows_from_what_happens(event: Event, text: str | None) -> None:
    assert Progress().what_takes_long(event) == text


def test_what_goes_over_the_line_is_measured_until_it_is_there() -> None:
    now = [10.0]
    progress = Progress(lambda: now[0])

    def at(moment: float, event: Event) -> str | None:
        now[0] = moment
        return progress.what_takes_long(event)

    building = at(10, Building(Kind.LAYER, "deps", "new"))
    assert at(11, Downloading(4_000_000)) is None
    assert at(12, Moved(1_000_000)) == f"1.0 of 4.0 MB: {building}"
    assert at(14, Moved(2_000_000)) == f"3.0 of 4.0 MB at 1.5 MB/s: {building}"
    assert at(16, Moved(-1_000_000)) == f"2.0 of 4.0 MB at 0.5 MB/s: {building}"
    assert at(17, Moved(2_000_000)) == building
    assert at(17, Downloading(0)) is None
    assert at(17, Moved(500_000)) == f"0.5 MB: {building}"
    assert at(18, AllBuilt((), (), ())) == ""
    assert at(19, Moved(1)) is None
    large = replace(CORE, size=2_000_000)
    planned = Plan(prepare=(Upload(large, "b"), Publish(large, "b", "l", ""), Upload(large, "b")))
    assert at(20, Planned(GOAL, planned, dry_run=False)) == ""
    assert at(20, Begun(Upload(large, "b"))) == f"Uploading to s3://b/{CORE.key}"
    assert at(90, Moved(100_000)) == f"0.1 of 4.0 MB: Uploading to s3://b/{CORE.key}"
    assert at(92, Moved(900_000)) == f"1.0 of 4.0 MB at 0.5 MB/s: Uploading to s3://b/{CORE.key}"


def test_a_line_a_cell_and_a_live_line_are_printed_with_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2Jb")
    say_table(("who", "what"), ("anna\n\x1b[31m", "deploy"))
    shown = capsys.readouterr().out
    assert shown == "a\\x1b[2Jb\n   who             what\n   anna\\n\\x1b[31m  deploy\n"
    screen, written = on()
    screen.busy("a\x9b2Jb\nc")
    screen.rest()
    assert "a\\x9b2Jb\\nc" in written.getvalue()


def test_a_document_says_the_same_in_other_letters(capsys: pytest.CaptureFixture[str]) -> None:
    say_document(json.dumps({"a": "##[error]\x7f\x1b"}))
    shown = capsys.readouterr().out
    assert "##[" not in shown
    assert "\x7f" not in shown
    assert json.loads(shown) == {"a": "##[error]\x7f\x1b"}
