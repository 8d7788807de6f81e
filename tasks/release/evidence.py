"""What was read of an environment, to be held against what was deployed there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.project.model import Environment, Function
from tasks.release.deployed import Deployed, DeployedFunction
from tasks.release.entries import is_as_written
from tasks.release.journal import Entry
from tasks.release.release import Release


@dataclass(frozen=True)
class Alias:
    """A name that callers use, and the layers and package of the published version that it leads to."""

    name: str
    version: str
    layers: tuple[str, ...]
    package: str


@dataclass(frozen=True)
class Evidence:
    """What was read of an environment.

    entries   the newest entries of the journal by their keys' numbers, newest first; None for one that is damaged
    record    the release that the newest confirmed entry names; None if its record is gone, or is not what was written
              (`damage` says how)
    digests   ARN -> SHA-256 (hex) that Lambda reports of each layer version in use; empty for one that was deleted
    objects   key -> SHA-256 (hex) of each archive and bill of the release in the bucket; None for one that is gone
    aliases   AWS name of a function -> its aliases that do not lead to $LATEST
    unread    why something may not be read, by its kind (function, layers, listed, canonical, record, ...) and name
    before    the environment that is promoted into this one, and its functions by their names in release.toml
    lost      the release that runs, where it was recorded here and no entry knows it
    glance    whether records, archives, settings and aliases were left out
    """

    environment: Environment
    deployed: Deployed
    functions: Mapping[str, Function]
    entries: Mapping[int, Entry | None] = field(default_factory=dict)
    record: Release | None = None
    damage: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, str | None] = field(default_factory=dict)
    aliases: Mapping[str, tuple[Alias, ...]] = field(default_factory=dict)
    unread: Mapping[tuple[str, str], str] = field(default_factory=dict)
    before: tuple[str, Mapping[str, DeployedFunction]] = ("", {})
    lost: Release | None = None
    glance: bool = False

    @property
    def unsure(self) -> bool:
        """Whether the newest entry is damaged or edited, so that nothing says what should run."""
        number, newest = next(iter(self.entries.items()), (0, None))
        return bool(number) and (newest is None or not is_as_written(newest, number))

    @property
    def confirmed(self) -> Entry | None:
        """The newest entry that says what runs, or one that carried it on; None if the newest cannot be believed."""
        # held by tests/test_verify.py
        if self.unsure:
            return None
        there = [each for each in self.entries.values() if each and each.closed and each.runs and each.after]
        if not there:
            return None
        same = [each for each in there if (each.runs, each.after) == (there[0].runs, there[0].after)]
        return next((each for each in same if each.deployed), there[0])
