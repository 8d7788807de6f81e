"""What Lambda would refuse, or would run in another's place."""

from dataclasses import replace

import pytest

from tasks.release.limits import hidden_modules, hiding
from tests.examples import CORE, package


@pytest.mark.parametrize(
    ("function", "layer", "hides"),
    [
        ("acme", "acme", True),
        ("acme.web", "acme.core", False),
        ("acme.web", "acme.web", True),
        ("acme", "acme.core", True),
        ("acme.web", "acme", True),
        ("acme.web", "acme.web.api", True),
        ("acme.website", "acme.web", False),
    ],
)
def test_halves_of_a_namespace_package_are_joined_and_all_else_of_one_name_is_hidden(
    function: str, layer: str, *, hides: bool
) -> None:
    layers = [replace(CORE, modules=(layer,))]
    assert dict(hidden_modules([function], layers)) == ({function: CORE.name} if hides else {})
    assert bool(hiding([replace(package("ingest"), modules=(function,))], layers)) == hides
