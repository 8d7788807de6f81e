"""An item of news, on its way from a source to the newsletter."""

import hashlib
import re
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Item:
    """`published` is an ISO date, empty if the source gives none; `matches` maps a scope to the terms found."""

    title: str
    url: str
    source: str
    published: str = ""
    summary: str = ""
    score: float = 0.0
    matches: dict[str, list[str]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Equal for the same news from two sources: the title without case, accents of layout and punctuation."""
        words = re.findall(r"\w+", self.title.lower())
        return hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]

    @property
    def text(self) -> str:
        """What scopes are matched against."""
        return f"{self.title}\n{self.summary}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Item":
        return cls(**data)
