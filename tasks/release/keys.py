"""The keys of an environment's bucket: made and parsed here."""

import re

LAST_ENTRY = 999_999_999
"""Numbers of entries are counted down from it, so that a listing begins with the newest."""


def entry_key(prefix: str, number: int) -> str:
    """Return where an entry of the journal is stored."""
    return f"{prefix}{LAST_ENTRY - number:09d}.json"


def entry_number(key: str) -> int:
    """Return the number of the entry stored under a key; 0 if it is not the key of one."""
    digits = key.rpartition("/")[-1].removesuffix(".json")
    return LAST_ENTRY - int(digits) if re.fullmatch("[0-9]{9}", digits) else 0
