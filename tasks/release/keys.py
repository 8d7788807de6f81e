"""The keys of an environment's bucket: made and parsed here."""

import re

from tasks.errors import PlanError

LAST_ENTRY = 999_999_999
"""Numbers of entries are counted down from it, so that a listing begins with the newest."""


def entry_key(prefix: str, number: int) -> str:
    """Return where an entry of the journal is stored."""
    return f"{prefix}{LAST_ENTRY - number:09d}.json"


def next_entry(prefix: str, number: int) -> int:
    """Return the number of the entry after one. PlanError if there can be none: no deployment wrote that."""
    # held by tests/release/test_keys.py
    if number >= LAST_ENTRY:
        key = entry_key(prefix, number)
        raise PlanError(f"{key} has the last number there can be, and no deployment wrote it; delete that object")
    return number + 1


def entry_number(key: str) -> int:
    """Return the number of the entry stored under a key; 0 if it is not the key of one."""
    digits = key.rpartition("/")[-1].removesuffix(".json")
    return LAST_ENTRY - int(digits) if re.fullmatch("[0-9]{9}", digits) else 0
