"""What must never ship: files whose names say that they hold secrets, and secrets inside of others.

Names and patterns follow detect-secrets where it is certain: a key that is recognized by its form. What only looks
random is left alone, since a false alarm at every build teaches to ignore alarms.
"""

import re
from collections.abc import Container
from fnmatch import translate

from tasks.errors import BuildError

_FOLDERS = (".git", ".ssh", ".aws", ".gnupg")
_FILES = (
    *(".env", ".env.*", "*.env", ".envrc", ".git", ".git-credentials", ".netrc", "_netrc", ".npmrc", ".pypirc"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.ppk"),
    *("credentials", "credentials.json", "credentials.csv", "service-account*.json", "service_account*.json"),
    *("secrets.json", "secrets.y*ml", "secrets.toml", "secret.json", "token.txt", "token.json", ".htpasswd"),
    *("client_secret*.json", "application_default_credentials.json", "*accesskeys.csv", "rootkey.csv", ".pgpass"),
    *("*.p8", "*.kdbx", "terraform.tfstate*", "kubeconfig", "id_*_sk", "id_rsa.*", "id_ed25519.*"),
)
_NAMED = re.compile("|".join(map(translate, _FILES)))
_MAY_BE_PUBLIC = re.compile(r"\.(pem|key)$", re.IGNORECASE)
"""Certificates are public; what is not begins with `_PRIVATE`."""

_TESTS = re.compile(r"(^|/)tests?/")
"""A package's own tests may hold keys that are made for them."""

_PRIVATE = rb"-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----\s*(?:[\r\n]|\\n)"
_INSIDE = {
    "a private key": ("-----BEGIN", _PRIVATE),
    "an AWS access key": (
        "AKIA ASIA ABIA ACCA",
        rb"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),
    "an AWS secret key": (
        "secret",
        rb"(?i:secret_?(?:access_?)?key)[\"']?\]?\s*(?::\s*str\s*=|[=:,])\s*[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
    ),
    "a token of GitHub": (
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        rb"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})",
    ),
    "a token of GitLab": ("glpat-", rb"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20}"),
    "a token of Slack": ("xox", rb"(?<![A-Za-z0-9])xox[baprs]-[0-9]{6,}-[A-Za-z0-9-]{10,}"),
    "a key of Stripe": ("k_live_", rb"(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{20}"),
    "a key of Google": ("AIza", rb"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    "a token of npm": ("npm_", rb"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    "a token of PyPI": ("pypi-AgEI", rb"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50}"),
    "a key of SendGrid": ("SG.", rb"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    "a key of Anthropic": ("sk-ant-", rb"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_-]{20}"),
    "a password in an address": (
        "://",
        rb"\b(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|amqps?|redis)://[^\s:/@\"']+:[^\s@/\"'{$<%]+@",
    ),
}
"""Kind -> words, one of which is in every such secret, in any case, and what it looks like: most files have none."""
_WORDS = {kind: tuple(words.lower().encode().split(b" ")) for kind, (words, _) in _INSIDE.items()}
_IN_DOCUMENTATION = re.compile(rb"EXAMPLE(KEY)?$")
"""How AWS's own examples end: AKIAIOSFODNN7EXAMPLE, wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY."""


def is_secret(name: str) -> bool:
    """Whether a file's name, or that of a folder it is in, says that it holds secrets."""
    *folders, last = name.lower().split("/")
    return any(each in _FOLDERS for each in folders) or _NAMED.match(last) is not None


def is_secret_in_wheel(name: str, contents: bytes) -> bool:
    """Whether a file of somebody else's package is a secret: certificates that come with it are none."""
    if _TESTS.search(name) or not is_secret(name):
        return False
    return not _MAY_BE_PUBLIC.search(name) or re.search(_PRIVATE, contents) is not None


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
    for kind, (_, pattern) in _INSIDE.items():
        for found in re.finditer(pattern, contents) if any(each in lower for each in _WORDS[kind]) else ():
            # held by tests/archives/test_sources.py tests/archives/test_checks.py
            # held by tests/archives/test_sources.py `not _IN_DOCUMENTATION.search(found[0])`
            if not _IN_DOCUMENTATION.search(found[0]) and name not in allowed:
                line = contents.count(b"\n", 0, found.start()) + 1
                raise BuildError(
                    f"{name}, line {line}: looks like {kind}, which must never ship; take it out and have it revoked, "
                    "or say under [allowed] in release.toml why it is none"
                )


def refusal(name: str) -> str:
    """What is wrong with a file whose name says that it holds secrets."""
    return f"{name} must never ship (by its name it holds secrets); move it away, or say under [allowed] why it may"
