"""Reads HTML pages that have no feed, by the CSS selectors of the source."""

from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag

from vectora_core.shared.items import Item


def parse_page(content: bytes, source: dict[str, str]) -> list[Item]:
    """The items of a page. `item` selects each; in it `title` the linked title, and if given `summary` and `date`."""
    soup = BeautifulSoup(content, "html.parser")
    base = source.get("url", "")
    items = []
    for block in soup.select(source.get("item", "article")):
        link = block.select_one(source.get("title", "a[href]"))
        if link is None or not link.get("href"):
            continue
        moment = block.select_one(source.get("date", "time"))
        items.append(
            Item(
                title=_text(link),
                url=urljoin(base, str(link["href"])),
                source=source["name"],
                published=str(moment.get("datetime", ""))[:10] if moment else "",
                summary=_text(block.select_one(source.get("summary", "p"))),
            )
        )
    return items


def _text(tag: Tag | None) -> str:
    return tag.get_text(" ", strip=True) if tag else ""
