"""What every environment runs, side by side."""

import json
from typing import Any

import pytest

from tasks import status
from tasks.errors import DiffersError
from tests.aws.answers import Refusing
from tests.conftest import Calls
from tests.front import Site
from tests.test_verify import attach, client, old_layer


def run(site: Site, capsys: pytest.CaptureFixture[str], **options: Any) -> tuple[int, dict[str, Any]]:
    """The exit code, and each environment of the document."""
    capsys.readouterr()
    code = 0
    try:
        status.status(site.context, json=True, **options)
    except DiffersError as ended:
        code = ended.code
    return code, {each["name"]: each for each in json.loads(capsys.readouterr().out)["environments"]}


def test_environments_that_were_never_deployed_to_are_no_mistake(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = run(site, capsys)
    assert code == 0
    assert {each["status"] for each in found.values()} == {"nothing deployed"}
    assert found["dev"]["why"] == ["Nothing was deployed to dev yet; run: inv deploy --env dev"]


def test_the_next_environment_is_behind_until_it_is_promoted_to(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.deploy()
    site.promote()
    assert run(site, capsys)[1]["stage"]["status"] == "ok"
    site.write("src/core/__init__.py", "NAME = 'new'\n")
    site.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    site.deploy()
    code, found = run(site, capsys)
    assert (code, found["dev"]["status"], found["stage"]["status"]) == (0, "ok", "behind")
    assert found["stage"]["why"] == ["dev is at core 1.2.5, deps 1.0.5; run: inv promote --to stage --version 1.2.5"]
    assert found["prod"]["why"] == ["Nothing was deployed to prod yet; run: inv promote --to prod --version 1.2.4"]


def test_a_mixture_of_releases_and_a_function_that_was_changed_are_told_apart(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    there = client(site)
    there.functions.update_function_configuration(FunctionName="news-ingest-dev", Handler="other.run")
    code, found = run(site, capsys)
    assert (code, found["dev"]["status"]) == (2, "drifted")
    old_layer(there)
    code, found = run(site, capsys, env="dev")
    assert (code, found["dev"]["status"]) == (2, "mixed")
    rows = {row["name"]: (row["mark"], row["layers"]) for row in found["dev"]["functions"]}
    assert rows == {
        "news-ingest-dev": ("drifted", "core 1.2.3, deps 1.0.5"),
        "news-letter-dev": ("ok", "core 1.2.4, deps 1.0.5"),
    }
    attach(there, [])
    assert run(site, capsys, env="dev")[1]["dev"]["functions"][0]["layers"] == "none of ours"


def test_what_may_not_be_read_is_unknown_and_the_permission_is_named(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    with Refusing(client(site).functions, "ListLayerVersions", "AccessDeniedException", 403):
        code, found = run(site, capsys, env="dev")
    assert (code, found["dev"]["status"]) == (2, "unknown")
    assert any(
        "lambda:ListLayerVersions is missing, so which versions core has is unknown" in why
        for why in found["dev"]["why"]
    )


def test_an_environment_whose_bucket_does_not_exist_hinders_no_other(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    site.write("release.toml", (site.root / "release.toml").read_text().replace("news-code-prod", "news-code-nowhere"))
    code, found = run(site, capsys)
    assert (found["dev"]["status"], found["prod"]["status"]) == ("ok", "nothing deployed")
    assert code == 0


def test_three_environments_are_read_in_few_calls_that_write_nothing(
    site: Site, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    calls.clear()
    run(site, capsys)
    assert calls.writes == []
    assert len(calls) <= 30
