"""What is advised on the sandbox must help there."""

import pytest
from invoke import Config, Context

from tasks import promote
from tasks.errors import ReleaseError
from tests.front import Site


@pytest.mark.parametrize("stays", [False, True])
def test_without_a_sandbox_that_stays_the_advice_names_what_starts_one(site: Site, *, stays: bool) -> None:
    settings = {"sandbox_endpoint": site.endpoint, "sandbox_stays": stays, "root": str(site.root)}
    with pytest.raises(ReleaseError) as caught:
        promote.promote(Context(Config(overrides=settings)), to="stage", version="1.2.4")
    assert "run: inv sandbox deploy --env dev" in str(caught.value)
    assert ("put both on one line, or first run: inv sandbox.up" in str(caught.value)) != stays
