"""Newsletter: the items worth reading, as Markdown and HTML."""

from typing import Any

from vectora_core.newsletter.render import to_html, to_markdown
from vectora_core.newsletter.select import select
from vectora_core.shared.config import load_client
from vectora_core.shared.items import Item
from vectora_core.shared.storage import Store, read_json


def run(store: Store, client_id: str) -> dict[str, Any]:
    """Read `scored/<client>.json`, write `<client>/newsletter.md` and `.html`."""
    client = load_client(store, client_id)
    scored = [Item.from_json(data) for data in read_json(store, f"scored/{client_id}.json")]
    chosen = select(scored, client.minimum_score, client.maximum_items)
    key = f"{client_id}/newsletter"
    store.write("newsletters", f"{key}.md", to_markdown(client.title, chosen).encode(), "text/markdown; charset=utf-8")
    store.write("newsletters", f"{key}.html", to_html(client.title, chosen).encode(), "text/html; charset=utf-8")
    return {"selected": len(chosen), "of": len(scored), "key": f"{key}.md"}
