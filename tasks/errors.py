"""What can go wrong, in the user's words. Bugs are not here: those keep their traceback.

Invoke prints the message of an `Exit` on stderr and ends with its code, also while the tasks are being loaded,
so a `ReleaseError` needs no handler anywhere.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from invoke import Exit

_MOST_LISTED = 10
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""What steers a terminal, or makes a line read otherwise than it is: control characters, bidi, zero width, tags."""
_WORKFLOW = re.compile(r"(?m)^([^\S\n]*):(?=:)|#(?=#\[)")
"""How commands to GitHub's runner begin, which reads them out of whatever a job prints."""


class ReleaseError(Exit):
    """Cannot go on; the message says what to do about it.

    Invoke prints `message`, which is shown in the way that the namespace sets for all (framed, on a terminal).
    """

    show: ClassVar[Callable[[str], str]] = staticmethod(str)

    def __init__(self, text: str) -> None:
        super().__init__(None, 1)
        self.text = text

    @property
    def message(self) -> str:
        """What Invoke prints."""
        return type(self).show(printable(f"[ERROR] {self.text}"))

    @message.setter
    def message(self, _: object) -> None:
        """Invoke sets it to what was given to the constructor: nothing."""

    def __str__(self) -> str:
        return self.text


class ConfigError(ReleaseError):
    """VERSION or release.toml is missing something or contradicts itself."""


class BuildError(ReleaseError):
    """An archive is absent, unsound, or Lambda would refuse it."""


class PlanError(ReleaseError):
    """The requested state cannot be reached, or a rule forbids it."""


class AwsError(ReleaseError):
    """AWS refused: what we were doing, the AWS code, what to try.

    `unsettled` if AWS may have done it all the same, or may still do it; `aws_code`, and the `operation` that it
    refused, are empty where AWS gave none.
    """

    def __init__(self, text: str, *, unsettled: bool = False, aws_code: str = "", operation: str = "") -> None:
        super().__init__(text)
        self.unsettled, self.aws_code, self.operation = unsettled, aws_code, operation


class TakenError(PlanError):
    """Somebody else has taken the environment over, so nothing more may be written to it."""


class DiffersError(Exit):
    """A reading command found differences, or what it could not read: it has said so, and ends with 2."""

    def __init__(self) -> None:
        super().__init__("", 2)


def printable(text: str) -> str:
    """Return a text as it may be shown: what would steer a terminal or a runner as an escape, line breaks as they are.

    What is read from a bucket, an archive or a function's answer was written by whoever may write there.
    """
    return _WORKFLOW.sub(lambda found: f"{found[1] or ''}{_escape(found[0][-1])}", _HIDDEN.sub(_escaped, text))


def one_line(text: str) -> str:
    """Return a text as it may be shown within a line."""
    return printable(text).replace("\n", "\\n")


def has_control(text: str) -> bool:
    """Return whether a text has control characters, or half of one, which no name should have."""
    return re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", text) is not None


def _escaped(found: re.Match[str]) -> str:
    return _escape(found[0])


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def meant(name: str, known: Iterable[str]) -> str:
    """A question whether a name that is unknown was meant to be one that is; empty if none is like it."""
    from difflib import get_close_matches

    plain = {each.lstrip("-"): each for each in known}  # the dashes of options would make all of them alike
    close = get_close_matches(name.lower().lstrip("-"), plain, 1, 0.6)
    return f" (did you mean {plain[close[0]]}?)" if close else ""


def listed(head: str, lines: Sequence[object]) -> str:
    """A message and what it is about, a line each; ten at the most, and how many more."""
    more = [f"   ... and {len(lines) - _MOST_LISTED} more"] if len(lines) > _MOST_LISTED else []
    return "\n".join([head, *(f"   {line}" for line in lines[:_MOST_LISTED]), *more])
