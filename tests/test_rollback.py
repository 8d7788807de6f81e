"""Going back, and out of what was cut off, through the front door."""

import json
import shutil
from dataclasses import replace

import pytest

from tasks.aws.connection import Connection
from tasks.aws.reach import Aws, reach
from tasks.errors import ConfigError, PlanError
from tasks.release.journal import Status
from tests.conftest import After, Calls
from tests.examples import DEV, VERSION
from tests.front import Site

pytestmark = pytest.mark.whole


@pytest.fixture
def twice(after: After) -> Site:
    """The site after `deploy_twice`."""
    return after(deploy_twice)


def deploy_twice(site: Site) -> None:
    """Core 1.2.4 was deployed to dev, and then, changed, as 1.2.5."""
    site.deploy()
    site.write("src/core/new.py", "")
    site.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    site.write("canonical/scopes.yaml", "a: 2\n")
    site.deploy()


def there(site: Site) -> Aws:
    return reach(site.command, DEV)


def running(dev: Connection) -> tuple[list[str], bytes]:
    """The layer versions of the first function, and the configuration."""
    found = dev.functions.get_function(FunctionName="news-ingest-dev")["Configuration"]["Layers"]
    body = dev.s3.get_object(Bucket=DEV.canonical_bucket, Key="canonical/scopes.yaml")["Body"].read()
    return [each["Arn"].rpartition(":")[2] for each in found[1:]], body


def test_a_rollback_brings_back_layers_and_configuration_and_needs_no_sources(twice: Site, dev: Connection) -> None:
    assert running(dev) == (["2", "1"], b"a: 2\n")
    shutil.rmtree(twice.root / "src")
    (twice.root / "canonical" / "scopes.yaml").unlink()
    twice.rollback()
    assert running(dev) == (["1", "1"], b"a: 1\n")


def test_a_second_rollback_does_not_bring_the_bad_release_back(twice: Site, dev: Connection) -> None:
    twice.rollback()
    with pytest.raises(PlanError, match="dev has no earlier confirmed release to go back to"):
        twice.rollback()
    assert running(dev)[0] == ["1", "1"]


def test_a_rollback_may_name_an_entry_or_a_version(twice: Site, dev: Connection) -> None:
    twice.rollback(to="1")
    assert running(dev)[0] == ["1", "1"]
    twice.rollback(to="1.2.5")
    assert running(dev)[0] == ["2", "1"]


def test_a_dry_run_of_a_rollback_says_before_and_after_and_writes_nothing(
    twice: Site, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    calls.clear()
    twice.rollback(dry_run=True)
    shown = capsys.readouterr().out
    assert "   news-ingest-dev: core 1.2.5 -> 1.2.4, deps 1.0.5 (unchanged)" in shown
    assert calls.writes == []


def test_a_layer_version_that_was_deleted_is_published_again_from_its_archive(twice: Site, dev: Connection) -> None:
    dev.functions.delete_layer_version(LayerName="news-core-dev", VersionNumber=1)
    twice.rollback()
    assert running(dev)[0] == ["3", "1"]


def test_what_is_gone_for_good_is_named_before_anything_is_changed(twice: Site, dev: Connection) -> None:
    dev.functions.delete_layer_version(LayerName="news-core-dev", VersionNumber=1)
    dev.s3.delete_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip")
    with pytest.raises(
        PlanError, match="layers/core-1.2.4.zip was pruned or deleted, so dev cannot go back to core 1.2.4"
    ):
        twice.rollback()
    assert running(dev)[0] == ["2", "1"]


def test_a_rollback_that_was_cut_off_is_finished_and_never_turned_round(twice: Site, dev: Connection) -> None:
    first = there(twice).journal().entries()[-1]
    held = there(twice).take(replace(first, what="rollback", status=Status.OPEN))
    held.close(Status.ABANDONED, None)
    with pytest.raises(PlanError, match="The rollback of dev to core 1.2.4, deps 1.0.5 is unfinished.*comes first"):
        twice.rollback(to="1.2.5")
    twice.rollback()
    assert running(dev)[0] == ["1", "1"]


def test_a_deployment_that_was_cut_off_is_undone(twice: Site, dev: Connection) -> None:
    newest = there(twice).newest()
    assert newest
    held = there(twice).take(replace(newest, release="releases/core-9.9.9/x.json", version="core 9.9.9"))
    held.close(Status.ABANDONED, None)
    twice.write("VERSION", "CORE_VERSION=1.2.6\nDEPS_VERSION=1.0.5\n")
    with pytest.raises(PlanError, match="The deployment of core 9.9.9 to dev was cut off"):
        twice.deploy()
    twice.rollback()
    assert running(dev)[0] == ["2", "1"]
    assert [entry.what for entry in there(twice).journal().entries(2)] == ["undo", "deploy"]


def test_where_nothing_was_deployed_there_is_nothing_to_go_back_to(site: Site) -> None:
    with pytest.raises(PlanError, match="Nothing was ever deployed to dev; run: inv sandbox deploy --env dev"):
        site.rollback()


def test_history_says_when_who_what_and_how_it_ended(twice: Site, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    twice.history()
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[2].split() == ["no.", "when", "(UTC)", "who", "what", "release", "commit", "outcome", "took"]
    assert lines[3].split()[0] == "2"
    assert "deploy  core 1.2.5, deps 1.0.5  none    confirmed" in lines[3]
    assert "For older ones" not in said
    twice.history(limit="1")
    assert "For older ones, run: inv history --env dev --limit 2" in capsys.readouterr().out
    twice.history(entry="2")
    shown = capsys.readouterr().out
    assert "Entry 2: deployment of core 1.2.5, deps 1.0.5 to dev, confirmed" in shown
    assert "   news-letter-dev: core 1.2.4 -> 1.2.5, deps 1.0.5 (unchanged)" in shown
    assert "   ~ canonical/scopes.yaml" in shown


def test_an_entry_that_is_not_there_is_refused(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PlanError, match="dev has no entry 9; run: inv sandbox history --env dev"):
        site.history(entry="9")
    site.history()
    assert "Nothing was ever deployed to dev" in capsys.readouterr().out


def test_a_promotion_that_was_cut_off_is_finished_although_dev_has_moved_on(
    site: Site, stage: Connection, dev: Connection
) -> None:
    site.deploy()
    site.promote()
    aws = reach(site.command, stage.environment)
    newest = aws.newest()
    assert newest
    aws.take(replace(newest, what="promote")).close(Status.ABANDONED, None)
    site.write("src/core/new.py", "")
    site.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    site.deploy()
    assert running(dev)[0] == ["2", "1"]
    site.promote(version="1.2.4")
    assert aws.newest().status is Status.CONFIRMED  # type: ignore[union-attr]
    with pytest.raises(PlanError, match="dev does not run core 1.2.4"):
        site.promote(version="1.2.4")


def test_a_dry_run_says_what_changes_inside_a_layer_by_the_bills_of_materials(
    twice: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    for version, requests in (("1.2.4", "2.32.3"), ("1.2.5", "2.32.4")):
        bill = json.dumps({"components": [{"name": "requests", "version": requests}]}).encode()
        dev.s3.put_object(Bucket=DEV.bucket, Key=f"layers/core-{version}.cdx.json", Body=bill)
    twice.rollback(dry_run=True)
    assert "   core 1.2.5 -> 1.2.4: requests 2.32.4 -> 2.32.3" in capsys.readouterr().out


def test_after_a_rollback_the_release_can_be_promoted_forward_again(twice: Site, stage: Connection) -> None:
    twice.promote(version="1.2.5")
    twice.rollback()
    twice.promote(version="1.2.4")
    twice.deploy()
    twice.promote(version="1.2.5")
    found = stage.functions.get_function(FunctionName="news-ingest-stage")["Configuration"]["Layers"]
    assert [each["Arn"].split(":")[6] for each in found] == [
        "another-team-tracing-stage",
        "news-core-stage",
        "news-deps-stage",
    ]
    assert found[1]["Arn"].endswith(":1")


def test_going_back_to_before_a_layer_was_added_takes_that_layer_off(site: Site, dev: Connection) -> None:
    text = (site.root / "release.toml").read_text()
    start, end = text.index("[layers.deps]"), text.index("[functions.ingest]")
    site.write("release.toml", text[:start] + text[end:])
    site.deploy()
    site.write("release.toml", text)
    site.write("VERSION", VERSION.replace("1.2.4", "1.2.5"))
    site.deploy()
    site.rollback()
    for name in dev.environment.function_names.values():
        layers = dev.functions.get_function(FunctionName=name)["Configuration"]["Layers"]
        assert [each["Arn"].split(":")[6] for each in layers] == ["another-team-tracing-dev", "news-core-dev"]
    site.promote(version="1.2.4")


@pytest.mark.parametrize("text", ["abc", "-1", "0", "1e9"])
def test_an_entry_that_is_no_number_is_refused_in_words(site: Site, text: str) -> None:
    with pytest.raises(ConfigError, match="is no number from 1 up"):
        site.history(entry=text)


def entries_of(there: Connection) -> list[str]:
    """The keys of dev's journal, newest first."""
    found = there.s3.list_objects_v2(Bucket=DEV.bucket, Prefix="journal/news/dev/")["Contents"]
    return [str(each["Key"]) for each in found]


def edit(there: Connection, key: str) -> None:
    body = there.s3.get_object(Bucket=DEV.bucket, Key=key)["Body"].read()
    there.s3.put_object(Bucket=DEV.bucket, Key=key, Body=body.replace(b'"reason": ""', b'"reason": "edited"'))


def deploy_again(site: Site) -> None:
    """A third release, after the two of `deploy_twice`."""
    site.write("VERSION", "CORE_VERSION=1.2.6\nDEPS_VERSION=1.0.5\n")
    site.deploy()


@pytest.mark.parametrize("harm", ["gone", "edited"])
def test_a_rollback_is_not_certain_where_an_entry_is_gone_or_edited_and_history_names_it(
    twice: Site, dev: Connection, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    deploy_again(twice)
    middle = entries_of(dev)[1]
    if harm == "gone":
        dev.s3.delete_object(Bucket=DEV.bucket, Key=middle)
    else:
        edit(dev, middle)
    said = {
        "gone": "The journal of dev has a gap between entries 1 and 3",
        "edited": "Entry 2 of the journal of dev is not what was written",
    }[harm]
    with pytest.raises(PlanError, match=said):
        twice.rollback()
    capsys.readouterr()
    twice.history()
    assert f"[WARNING] {said}; restore" in capsys.readouterr().out
    twice.rollback(to="1")
    assert running(dev)[0] == ["1", "1"]


def test_a_rollback_without_a_target_is_refused_where_the_newest_entry_is_gone(twice: Site, dev: Connection) -> None:
    dev.s3.delete_object(Bucket=DEV.bucket, Key=entries_of(dev)[0])
    with pytest.raises(PlanError, match=r"its newest entries are gone; restore them below journal/news/dev/, or name"):
        twice.rollback()


def test_an_edited_entry_is_no_release_to_go_back_to_even_if_it_is_named(twice: Site, dev: Connection) -> None:
    edit(dev, entries_of(dev)[1])
    with pytest.raises(
        PlanError, match="Entry 1 of the journal of dev is not what was written; restore s3://.*/999999998.json"
    ):
        twice.rollback(to="1")
