"""Finds the terms of the scopes in a text."""

import re
import unicodedata


class Matcher:
    """Matches whole words without regard to case and accents, one pattern per scope."""

    def __init__(self, scopes: dict[str, dict[str, list[str]]]) -> None:
        self._names = {
            scope: {normalize(alias): name for name, aliases in terms.items() for alias in aliases}
            for scope, terms in scopes.items()
        }
        self._patterns = {
            scope: re.compile(
                r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")(?!\w)"
            )
            for scope, names in self._names.items()
            if names
        }

    def match(self, text: str) -> dict[str, list[str]]:
        """Scope -> the names found, in the order of the text; scopes without any are left out."""
        normal = normalize(text)
        found = {
            scope: list(dict.fromkeys(self._names[scope][hit] for hit in pattern.findall(normal)))
            for scope, pattern in self._patterns.items()
        }
        return {scope: names for scope, names in found.items() if names}


def normalize(text: str) -> str:
    """Lower case, no accents, single spaces."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(mark for mark in plain if not unicodedata.combining(mark)).lower().split())
