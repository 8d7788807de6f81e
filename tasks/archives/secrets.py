"""What must never ship: files whose names say that they hold secrets, and secrets inside of others.

Names and patterns follow detect-secrets where it is certain: a key that is recognized by its form. What only looks
random is left alone, since a false alarm at every build teaches to ignore alarms.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatch

from tasks.errors import BuildError

_FOLDERS = (".git", ".ssh", ".aws", ".gnupg")
_FILES = (
    *(".env", ".env.*", "*.env", ".envrc", ".git", ".git-credentials", ".netrc", "_netrc", ".npmrc", ".pypirc"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.ppk"),
    *("credentials", "credentials.json", "credentials.csv", "service-account*.json", "service_account*.json"),
    *("secrets.json", "secrets.y*ml", "secrets.toml", "secret.json", "token.txt", "token.json", ".htpasswd"),
)
_MAY_BE_PUBLIC = re.compile(r"\.(pem|key)$", re.IGNORECASE)
"""Certificates are public; what is not begins with `_PRIVATE`."""

_PRIVATE = rb"-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----[\r\n]"
_INSIDE = {
    "a private key": re.compile(_PRIVATE),
    "an AWS access key": re.compile(rb"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])"),
    "an AWS secret key": re.compile(
        rb"aws_?secret_?(?:access_?)?key[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])", re.IGNORECASE
    ),
}
_IN_DOCUMENTATION = re.compile(rb"EXAMPLE(KEY)?$")
"""How AWS's own examples end: AKIAIOSFODNN7EXAMPLE, wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY."""


def is_secret(name: str) -> bool:
    """Whether a file's name, or that of a folder it is in, says that it holds secrets."""
    *folders, last = name.lower().split("/")
    return any(each in _FOLDERS for each in folders) or any(fnmatch(last, pattern) for pattern in _FILES)


def is_secret_in_wheel(name: str, contents: bytes) -> bool:
    """Whether a file of somebody else's package is a secret: certificates that come with it are none."""
    return is_secret(name) and (not _MAY_BE_PUBLIC.search(name) or re.search(_PRIVATE, contents) is not None)


def check_name(name: str, allowed: Iterable[str]) -> None:
    """BuildError if a file of our own must not ship for its name."""
    if is_secret(name) and not is_allowed(name, allowed):
        raise BuildError(f"{refusal(name)}; then build again")


def check_secrets(name: str, contents: bytes, allowed: Iterable[str]) -> None:
    """BuildError, with the line, if one of our own files is or holds a secret."""
    check_name(name, allowed)
    for kind, pattern in _INSIDE.items():
        for found in pattern.finditer(contents):
            if not _IN_DOCUMENTATION.search(found[0]) and not is_allowed(name, allowed):
                line = contents.count(b"\n", 0, found.start()) + 1
                raise BuildError(
                    f"{name}, line {line}: looks like {kind}, which must never ship; take it out and have it revoked, "
                    "or say under [allowed] in release.toml why it is none"
                )


def is_allowed(name: str, allowed: Iterable[str]) -> bool:
    """Whether release.toml allows a file: named from the repository there, and here also from its archive's root."""
    inside = name.removeprefix("python/")
    return any(each == name or name.endswith(f"/{each}") or each.endswith(f"/{inside}") for each in allowed)


def refusal(name: str) -> str:
    """What is wrong with a file whose name says that it holds secrets."""
    return f"{name} must never ship (by its name it holds secrets); move it away, or say under [allowed] why it may"
