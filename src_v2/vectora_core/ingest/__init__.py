"""Ingest: every source of a client, as one list of items without duplicates."""

from typing import Any

from vectora_core.ingest.deduplicate import deduplicate
from vectora_core.ingest.feeds import parse_feed
from vectora_core.ingest.fetch import fetch
from vectora_core.ingest.pages import parse_page
from vectora_core.shared.config import load_client
from vectora_core.shared.items import Item
from vectora_core.shared.storage import Store, write_json


def run(store: Store, client_id: str) -> dict[str, Any]:
    """Read all sources and write `ingested/<client>.json`. A source that fails is reported, the others go on."""
    items: list[Item] = []
    failed: dict[str, str] = {}
    for source in load_client(store, client_id).sources:
        try:
            items += read_source(store, source)
        except (OSError, ValueError) as error:
            failed[source["name"]] = str(error)
    kept = deduplicate(items)
    write_json(store, f"ingested/{client_id}.json", [item.to_json() for item in kept])
    return {"items": len(kept), "duplicates": len(items) - len(kept), "failed_sources": failed}


def read_source(store: Store, source: dict[str, str]) -> list[Item]:
    """A source's items: from its `url`, or from a sample kept under `key` in the configuration."""
    content = store.read("config", source["key"]) if "key" in source else fetch(source["url"])
    if source.get("kind", "feed") == "page":
        return parse_page(content, source)
    return parse_feed(content, source["name"])
