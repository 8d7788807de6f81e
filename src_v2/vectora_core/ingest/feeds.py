"""Reads RSS and Atom."""

import calendar
import re
from datetime import UTC, datetime
from html import unescape

import feedparser

from vectora_core.shared.items import Item


def parse_feed(content: bytes, source: str) -> list[Item]:
    """The entries of a feed that have a title and a link. ValueError if it is no feed at all."""
    feed = feedparser.parse(content)
    if feed.bozo and not feed.entries:
        raise ValueError(f"not a feed: {feed.bozo_exception}")
    return [
        Item(
            title=plain(entry.title),
            url=entry.link,
            source=source,
            published=_date(entry),
            summary=plain(entry.get("summary", "")),
        )
        for entry in feed.entries
        if entry.get("title") and entry.get("link")
    ]


def plain(text: str) -> str:
    """Text without markup or runs of white space."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def _date(entry: feedparser.FeedParserDict) -> str:
    """The day an entry was published or updated, in UTC."""
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    return datetime.fromtimestamp(calendar.timegm(moment), UTC).date().isoformat() if moment else ""
