"""Keeps one item of each piece of news."""

from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

from vectora_core.shared.items import Item


def deduplicate(items: Iterable[Item]) -> list[Item]:
    """The first of all items with one address or one title, in their order."""
    seen: set[str] = set()
    kept = []
    for item in items:
        names = {item.id, canonical_url(item.url)}
        if not names & seen:
            kept.append(item)
        seen |= names
    return kept


def canonical_url(url: str) -> str:
    """An address without what differs between links to the same page: scheme, case of the host, query, fragment."""
    parts = urlsplit(url)
    return urlunsplit(("", parts.netloc.lower().removeprefix("www."), parts.path.rstrip("/"), "", ""))
