"""What may be shown, and what steers whoever shows it."""

import pytest

from tasks.errors import ReleaseError, one_line, printable

ODD = [
    ("\x1b[2K\x1b[1A[SUCCESS]", "\\x1b[2K\\x1b[1A[SUCCESS]"),
    ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
    ("[ERROR]\r[OK]   ", "[ERROR]\\x0d[OK]   "),
    ("a\x9b31m", "a\\x9b31m"),
    ("nimda\u202e", "nimda\\u202e"),
    ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
    ("line\u2028line", "line\\u2028line"),
    ("\U000e0041", "\\U000e0041"),
    ("::add-mask::x", "\\x3a:add-mask::x"),
    ("   ::set-output name=a::b", "   \\x3a:set-output name=a::b"),
    ("ok\n::error::x", "ok\n\\x3a:error::x"),
    ("see ##[group]x", "see \\x23#[group]x"),
]


@pytest.mark.parametrize(("text", "shown"), ODD)
def test_what_steers_a_terminal_or_a_runner_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["two\n   lines", "été 日本 \U0001f600", "arn:aws:lambda:::awslayer:X", "a\tb", "C::d #[x]"]
)
def test_what_is_only_text_stays(text: str) -> None:
    assert printable(text) == text


def test_within_a_line_a_line_break_is_an_escape_too() -> None:
    assert one_line("anna\n[SUCCESS] all is well\n::error::x") == "anna\\n[SUCCESS] all is well\\n\\x3a:error::x"


def test_an_error_is_printed_so() -> None:
    assert ReleaseError("a\x1b[2Jb").message == "[ERROR] a\\x1b[2Jb"
