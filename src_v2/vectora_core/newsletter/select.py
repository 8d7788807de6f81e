"""Selects what goes into a newsletter."""

from collections.abc import Iterable

from vectora_core.shared.items import Item


def select(items: Iterable[Item], minimum_score: float, maximum_items: int) -> list[Item]:
    """The best items that reach the minimum; among equals the latest first."""
    worthy = sorted(
        (item for item in items if item.score >= minimum_score), key=lambda item: item.published, reverse=True
    )
    return sorted(worthy, key=lambda item: -item.score)[:maximum_items]
