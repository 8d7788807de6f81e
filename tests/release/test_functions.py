from dataclasses import replace

import pytest

from tasks.release.functions import LayerVersion, State, changes
from tests.examples import CORE, DEPS, FOREIGN, artifact, layer_version

BEFORE = State(
    "python3.11", "x86_64", "a.b", (LayerVersion(FOREIGN), layer_version(CORE), layer_version(DEPS)), "a" * 64
)
NEWER = layer_version(artifact("core", "1.3.0", "x"), 2)


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (
            {"layers": (LayerVersion(FOREIGN), NEWER, layer_version(DEPS))},
            "core 1.2.4 -> 1.3.0, deps 1.0.5 (unchanged)",
        ),
        ({"package": "b" * 64}, "package aaaaaaaa -> bbbbbbbb"),
        ({"runtime": "python3.12", "handler": "c.d"}, "runtime python3.11 -> python3.12, handler a.b -> c.d"),
        ({"layers": ()}, "- tracing 7, - core 1.2.4, - deps 1.0.5"),
        ({"layers": (layer_version(CORE), LayerVersion(FOREIGN), layer_version(DEPS))}, "order of layers"),
        (
            {"layers": (LayerVersion(FOREIGN), layer_version(CORE, 5), layer_version(DEPS))},
            "core 1.2.4 (layer version 1 -> 5)",
        ),
        (
            {"layers": (LayerVersion(FOREIGN), replace(layer_version(CORE), arn=""), layer_version(DEPS))},
            "core 1.2.4 (layer version 1 -> new)",
        ),
    ],
)
def test_what_changes_is_told_before_and_after(after: dict[str, object], text: str) -> None:
    assert changes(BEFORE, replace(BEFORE, **after)).startswith(text)  # type: ignore[arg-type]


def test_a_layer_that_comes_new_has_a_plus() -> None:
    assert changes(replace(BEFORE, layers=()), BEFORE) == "+ tracing 7, + core 1.2.4, + deps 1.0.5"


@pytest.mark.parametrize("field", ["runtime", "handler", "package"])
def test_states_that_differ_anywhere_are_not_the_same(field: str) -> None:
    other = replace(BEFORE, **{field: "other"})  # type: ignore[arg-type]
    assert not other.same(BEFORE)
    assert other.configured(BEFORE) == (field == "package")


def test_states_whose_layers_differ_in_order_are_not_the_same() -> None:
    assert not replace(BEFORE, layers=BEFORE.layers[::-1]).same(BEFORE)
