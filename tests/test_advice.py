"""What is advised on the sandbox must help there."""

import ast
from pathlib import Path

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


def test_no_message_tells_how_to_leave_a_rule_or_a_question_aside() -> None:
    """Whoever means it finds the options in `inv --help` and in the README; an assistant must not be led to them."""
    texts = [
        (path.name, node.value)
        for path in (Path(__file__).parent.parent / "tasks").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(texts) > 1000
    assert [text for text in texts if "--yes" in text[1] or "--emergency" in text[1]] == []
