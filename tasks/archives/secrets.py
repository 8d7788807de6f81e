"""What must never ship: files whose names say that they hold secrets, and secrets inside of others."""

import re
from collections.abc import Container
from fnmatch import translate

from tasks.archives.secret_forms import (
    ADDRESS,
    FILES,
    FOLDERS,
    IN_DOCUMENTATION,
    INSIDE,
    NOWHERE,
    PLACEHOLDER,
    PLACES,
    PRIVATE,
)
from tasks.errors import BuildError

_NAMED = re.compile("|".join(map(translate, FILES)))
_MAY_BE_PUBLIC = re.compile(r"\.(pem|key)$", re.IGNORECASE)
"""Certificates are public; what is not begins with `PRIVATE`."""

_TESTS = re.compile(r"(^|/)tests?/")
"""A package's own tests may hold keys that are made for them."""
_WORDS = {kind: tuple(words.lower().encode().split(b" ")) for kind, (words, _) in INSIDE.items()}


def is_secret(name: str) -> bool:
    """Whether a file's name, or that of a folder it is in, says that it holds secrets."""
    *folders, last = name.lower().split("/")
    if any(each in FOLDERS for each in folders) or _NAMED.match(last) is not None:
        return True
    # held by tests/archives/test_secrets.py `-> False`
    return PLACES.search(name.lower()) is not None


def is_secret_in_wheel(name: str, contents: bytes) -> bool:
    """Whether a file of somebody else's package is a secret: certificates that come with it are none."""
    if _TESTS.search(name) or not is_secret(name):
        return False
    return not _MAY_BE_PUBLIC.search(name) or re.search(PRIVATE, contents) is not None


def check_name(name: str, allowed: Container[str]) -> None:
    """BuildError if a file of our own must not ship for its name."""
    # held by tests/archives/test_sources.py tests/archives/test_checks.py
    if is_secret(name) and name not in allowed:
        raise BuildError(f"{refusal(name)}; then build again")


def check_secrets(name: str, contents: bytes, allowed: Container[str]) -> None:
    """BuildError, with the line, if one of our own files holds a secret."""
    if contents.startswith((b"\xff\xfe", b"\xfe\xff")):  # as PowerShell's > writes it
        contents = contents.decode("utf-16", "replace").encode()
    lower = contents.lower()
    for kind, (_, pattern) in INSIDE.items():
        for found in re.finditer(pattern, contents) if any(each in lower for each in _WORDS[kind]) else ():
            # held by tests/archives/test_sources.py tests/archives/test_checks.py
            # held by tests/archives/test_secrets.py `not _is_none(kind, found)`
            if not _is_none(kind, found) and name not in allowed:
                line = contents.count(b"\n", 0, found.start()) + 1
                raise BuildError(
                    f"{name}, line {line}: looks like {kind}, which must never ship; take it out and have it revoked, "
                    f'or say under [allowed] in release.toml why it is none: "{name}" = "..."'
                )


def _is_none(kind: str, found: re.Match[bytes]) -> bool:
    """Whether what has the form of a secret stands for one in documentation."""
    # held by tests/archives/test_sources.py
    if IN_DOCUMENTATION.search(found[0]):
        return True
    if kind != ADDRESS:
        return False
    return bool(PLACEHOLDER.fullmatch(found["password"]) or NOWHERE.fullmatch(found["host"]))


def refusal(name: str) -> str:
    """What is wrong with a file whose name says that it holds secrets."""
    return (
        f"{name} must never ship (by its name it holds secrets); move it away, or say under [allowed] in "
        f'release.toml why it may: "{name}" = "..."'
    )
