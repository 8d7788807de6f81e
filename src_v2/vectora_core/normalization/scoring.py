"""Scores an item by rules: what it names, and how many kinds of things at once."""

from vectora_core.shared.items import Item

COMBINED = 1.5
"""An item that names two kinds of things (a company and a technology, say) is worth more than the sum."""


def score(item: Item, weights: dict[str, float]) -> float:
    """The weighted number of names, 0 for an excluded item."""
    if item.matches.get("exclusions"):
        return 0.0
    parts = [weights.get(scope, 0.0) * len(names) for scope, names in item.matches.items()]
    factor = COMBINED if sum(1 for part in parts if part > 0) > 1 else 1.0
    return round(sum(parts) * factor, 2)
