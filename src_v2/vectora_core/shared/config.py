"""The configuration in canonical/: what a client wants, and the scopes that say what matters."""

from dataclasses import dataclass
from typing import Any

from vectora_core.shared.storage import Store, read_yaml

SCOPES = ("companies", "technologies", "indications", "exclusions")


@dataclass(frozen=True)
class Client:
    """One newsletter: its title, its sources, the weight of each scope, and what it takes to be selected."""

    id: str
    title: str
    sources: list[dict[str, str]]
    weights: dict[str, float]
    minimum_score: float
    maximum_items: int


def load_client(store: Store, client_id: str) -> Client:
    """The client's file. A client id is a plain name, so that it cannot lead to another file."""
    if not client_id.replace("_", "").replace("-", "").isalnum():
        raise ValueError(f"not a client id: {client_id!r}")
    return Client(id=client_id, **read_yaml(store, f"canonical/clients/{client_id}.yaml"))


def load_scopes(store: Store) -> dict[str, dict[str, list[str]]]:
    """Each scope: name -> the ways it is written."""
    return {scope: _terms(read_yaml(store, f"canonical/scopes/{scope}.yaml")) for scope in SCOPES}


def _terms(data: dict[str, Any] | None) -> dict[str, list[str]]:
    return {name: [name, *(aliases or [])] for name, aliases in (data or {}).items()}
