"""What every environment runs, side by side."""

import json
from contextlib import suppress
from typing import Any

import pytest

from tasks import build, status, verify
from tasks.errors import DiffersError
from tests.aws.answers import Refusing
from tests.conftest import Calls
from tests.examples import DEV, PROJECT
from tests.front import Site
from tests.rounds import rounds
from tests.test_verify import attach, client, old_layer

pytestmark = pytest.mark.whole


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


def test_three_environments_take_two_rounds_of_calls(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.deploy()
    site.promote()
    with rounds(site.endpoint, *PROJECT.environments.values()) as counted:
        run(site, capsys)
    assert len(counted.made) == 2, counted.made


def test_what_a_deployment_would_bring_is_said_once_it_is_built(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.deploy()
    assert run(site, capsys, env="dev")[1]["dev"]["why"] == []
    site.write("src/core/__init__.py", "NAME = 'new'\n")
    site.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    code, found = run(site, capsys, env="dev")
    assert (code, found["dev"]["status"]) == (0, "ok")
    assert "The sources are not built as they are" in found["dev"]["why"][0]
    build.build(site.context)
    code, found = run(site, capsys, env="dev")
    assert (code, found["dev"]["status"]) == (0, "behind")
    assert found["dev"]["why"] == ["The sources are at core 1.2.5, deps 1.0.5; run: inv deploy --env dev --dry-run"]
    site.deploy()
    site.write("canonical/scopes.yaml", "a: 3\n")
    (why,) = run(site, capsys, env="dev")[1]["dev"]["why"]
    assert why == "The sources differ, although versions are the same; run: inv deploy --env dev --dry-run"


def test_whoever_else_manages_a_function_is_named_with_what_to_set_there(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    arn = f"arn:aws:lambda:{DEV.region}:{DEV.account}:function:news-ingest-dev"
    client(site).functions.tag_resource(Resource=arn, Tags={"ManagedBy": "Terraform"})
    why = run(site, capsys, env="dev")[1]["dev"]["why"]
    assert len(why) == 1
    assert "news-ingest-dev is tagged as Terraform's" in why[0]
    assert "ignore_changes = [layers]" in why[0]


def test_functions_that_run_our_layers_while_the_bucket_is_gone_are_unknown_and_not_new(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    site.write("release.toml", (site.root / "release.toml").read_text().replace("news-code-dev", "news-code-nowhere"))
    code, found = run(site, capsys, env="dev")
    assert (code, found["dev"]["status"]) == (2, "unknown")
    with pytest.raises(DiffersError) as ended:
        verify.verify(site.context, env="dev")
    assert ended.value.code == 2
    assert "the bucket does not exist" in capsys.readouterr().out


def test_what_is_newer_than_the_environment_before_is_not_behind(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    site.write("VERSION", "CORE_VERSION=1.2.10\nDEPS_VERSION=1.0.5\n")
    site.write("src/core/__init__.py", "NAME = 'newer'\n")
    site.deploy()
    site.promote(version="1.2.10")
    site.rollback()
    capsys.readouterr()
    with suppress(DiffersError):
        status.status(site.context, env="stage")
    said = capsys.readouterr().out
    assert "stage: ok" in said
    assert "dev is at core 1.2.4, deps 1.0.5, which is older than what runs here" in said
    assert "promote" not in said.partition("older")[2]
