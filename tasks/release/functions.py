"""What a function runs: layer versions, and its state before and after a switch."""

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.errors import one_line
from tasks.release.arns import parse_layer
from tasks.release.artifacts import Artifact, parse_description


@dataclass(frozen=True)
class LayerVersion:
    """One layer version: its ARN, which ends in AWS's number, and its description.

    `layer` is the layer's name in release.toml, empty for one that is not ours. Without an ARN it is yet to be
    published.
    """

    arn: str
    description: str = ""
    layer: str = ""

    @property
    def version(self) -> str:
        """Our version of its contents, empty if we did not publish it."""
        return parse_description(self.description)[0]

    def holds(self, artifact: Artifact) -> bool:
        """Whether these are the artifact's contents at its version."""
        return parse_description(self.description) == (artifact.version, artifact.tree[:16])

    @property
    def label(self) -> str:
        """What it is called where its version stands beside it."""
        return self.layer or parse_layer(self.arn).name

    @property
    def number(self) -> str:
        """What tells it from others of its layer: our version, else AWS's number (its own layers have none)."""
        return self.version or self.aws_number

    @property
    def aws_number(self) -> str:
        """AWS's number; empty if it has none, or is yet to be published."""
        return str(parse_layer(self.arn).number or "")

    def __str__(self) -> str:
        return one_line(f"{self.label} {self.number}".rstrip())


@dataclass(frozen=True)
class State:
    """What a function runs, as far as a switch changes it: `layers` in order, `package` its SHA-256 in hex."""

    runtime: str
    architecture: str
    handler: str
    layers: tuple[LayerVersion, ...]
    package: str

    @property
    def arns(self) -> tuple[str, ...]:
        """The ARNs of its layers, in order; empty for what is yet to be published."""
        return tuple(layer.arn for layer in self.layers)

    def same(self, other: "State") -> bool:
        """Whether nothing that AWS knows of differs."""
        return self.package == other.package and self.configured(other)

    def configured(self, other: "State") -> bool:
        """Whether everything but the package is the same."""
        mine, its = ((each.runtime, each.handler, each.arns) for each in (self, other))
        return mine == its


def changes(before: State, after: State) -> str:
    """What differs between two states of a function, in words: `core 1.2.3 -> 1.2.4, deps 1.0.5 (unchanged)`."""
    parts = [] if before.arns == after.arns else list(_layer_changes(before, after)) or ["order of layers"]
    for name, was, now in [
        ("package", before.package[:8], after.package[:8]),
        ("runtime", before.runtime, after.runtime),
        ("handler", before.handler, after.handler),
    ]:
        parts += [f"{name} {was} -> {now}"] if was != now else []
    return one_line(", ".join(parts)) or "an update whose end is unknown"


def _layer_changes(before: State, after: State) -> Iterator[str]:
    """What differs in layers; ours are named even if they stay, unless nothing but the order changes."""
    old, new = ({layer.label: layer for layer in state.layers} for state in (before, after))
    if {layer.arn for layer in before.layers} == {layer.arn for layer in after.layers}:
        return
    for label, layer in new.items():
        was = old.get(label)
        if was is None:
            yield f"+ {layer}"
        elif was.number != layer.number:
            yield f"{label} {was.number} -> {layer.number}"
        elif was.arn != layer.arn:
            yield f"{layer} (layer version {was.aws_number} -> {layer.aws_number or 'new'})"
        elif layer.layer:
            yield f"{layer} (unchanged)"
    yield from (f"- {layer}" for label, layer in old.items() if label not in new)
