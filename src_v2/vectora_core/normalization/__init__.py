"""Normalize and score: what each item is about, and how much it matters to the client."""

from dataclasses import replace
from typing import Any

from vectora_core.normalization.matching import Matcher
from vectora_core.normalization.scoring import score
from vectora_core.shared.config import load_client, load_scopes
from vectora_core.shared.items import Item
from vectora_core.shared.storage import Store, read_json, write_json


def run(store: Store, client_id: str) -> dict[str, Any]:
    """Read `ingested/<client>.json`, write `scored/<client>.json`, best first."""
    client = load_client(store, client_id)
    matcher = Matcher(load_scopes(store))
    found = [Item.from_json(data) for data in read_json(store, f"ingested/{client_id}.json")]
    matched = [replace(item, matches=matcher.match(item.text)) for item in found]
    scored = [replace(item, score=score(item, client.weights)) for item in matched]
    scored.sort(key=lambda item: (-item.score, item.title))
    write_json(store, f"scored/{client_id}.json", [item.to_json() for item in scored])
    return {"items": len(scored), "matched": sum(1 for item in scored if item.score > 0)}
