"""Renders a newsletter."""

from html import escape

from vectora_core.shared.items import Item


def to_markdown(title: str, items: list[Item]) -> str:
    """The newsletter as Markdown."""
    lines = [f"# {title}", ""]
    for item in items:
        lines += [f"## [{_no_brackets(item.title)}](<{item.url}>)", "", _byline(item), "", item.summary, ""]
    return "\n".join(lines if items else [*lines, "Nothing this time.", ""])


def to_html(title: str, items: list[Item]) -> str:
    """The newsletter as a page; everything from outside is escaped, and only web addresses become links."""
    blocks = [
        f"<article><h2>{_link(item)}</h2><p><em>{escape(_byline(item))}</em></p><p>{escape(item.summary)}</p></article>"
        for item in items
    ]
    body = "\n".join(blocks) or "<p>Nothing this time.</p>"
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>'
    return f"<!doctype html>\n<html><head>{head}</head><body>\n<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"


def _byline(item: Item) -> str:
    names = ", ".join(dict.fromkeys(name for names in item.matches.values() for name in names))
    return " | ".join(part for part in (item.source, item.published, names, f"score {item.score:g}") if part)


def _link(item: Item) -> str:
    if not item.url.startswith(("https://", "http://")):
        return escape(item.title)
    return f'<a href="{escape(item.url)}">{escape(item.title)}</a>'


def _no_brackets(text: str) -> str:
    return text.replace("[", "(").replace("]", ")")
