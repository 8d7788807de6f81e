"""The VERSION file: `KEY=MAJOR.MINOR.PATCH` lines among others that are none of our business.

Texts come in and go out with their line endings; whatever this module does not need to change, it keeps.
"""

import re
from collections.abc import Iterable

from tasks.errors import ConfigError

PARTS = ("major", "minor", "patch")

_NUMBER = re.compile(r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){2}")


def is_version(text: str) -> bool:
    """Whether `text` is MAJOR.MINOR.PATCH."""
    return _NUMBER.fullmatch(text) is not None


def is_older(one: str, other: str) -> bool:
    """Whether a version comes before another; False where one of them is none."""
    if not (is_version(one) and is_version(other)):
        return False
    return [int(part) for part in one.split(".")] < [int(part) for part in other.split(".")]


def read_versions(text: str, keys: Iterable[str]) -> dict[str, str]:
    """The version under each of `keys`; other lines are ignored. ConfigError names the key at fault."""
    return {key: _find(text, key)["value"] for key in keys}


def bump(text: str, key: str, part: str) -> tuple[str, str, str]:
    """`text` with the version under `key` raised by one `part`; with it the old and the new version.

    A version of two parts, as the configuration may have, has no patch.
    """
    if part not in PARTS:
        raise ConfigError(f"Unknown part {part!r}; use --part {', '.join(PARTS[:2])} or {PARTS[2]}")
    line = _find(text, key, short=True)
    if line["value"].count(".") < PARTS.index(part):
        raise ConfigError(f"{key}={line['value']} has no patch; use --part major or minor")
    numbers = [int(number) for number in line["value"].split(".")]
    place = PARTS.index(part)
    numbers = [*numbers[:place], numbers[place] + 1, *[0] * (len(numbers) - 1 - place)]
    new = ".".join(map(str, numbers))
    return text[: line.start("value")] + new + text[line.end("value") :], line["value"], new


def _find(text: str, key: str, *, short: bool = False) -> re.Match[str]:
    """The one line that gives `key` its version."""
    pattern = rf"^\ufeff?[ \t]*{re.escape(key)}[ \t]*=[ \t]*(?P<value>[^\r\n]*?)[ \t]*\r?$"
    lines = list(re.finditer(pattern, text, re.MULTILINE))
    if not lines:
        raise ConfigError(f"VERSION has no {key}; add a line such as {key}=1.0.0")
    if len(lines) > 1:
        numbers = " and ".join(str(text.count("\n", 0, line.start("value")) + 1) for line in lines)
        raise ConfigError(f"VERSION has {key} more than once (lines {numbers}); keep one of them")
    if not is_version(lines[0]["value"] + ".0" * (short and lines[0]["value"].count(".") == 1)):
        raise ConfigError(f"VERSION has {key}={lines[0]['value']}, which is not MAJOR.MINOR.PATCH (such as 1.2.3)")
    return lines[0]
