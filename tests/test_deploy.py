"""The whole way through the front door of the package: build, deploy, promote, and again."""

import base64
import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.aws.connection import PATIENCE, Connection, client
from tasks.aws.observe import list_canonical
from tasks.errors import BuildError, ConfigError, DiffersError, PlanError, ReleaseError
from tests.aws.answers import Refusing, Reporting
from tests.conftest import Calls
from tests.examples import DEV, STAGE
from tests.front import Site

pytestmark = pytest.mark.whole

MAX_CALLS_WITH_NOTHING_TO_DO = 10


def edit(site: Site, layer: str = "core") -> None:
    """Change a layer's sources."""
    (site.workspace.root / "src" / layer / "__init__.py").write_text("NAME = 'changed'\n")


def write_version(site: Site, text: str) -> None:
    (site.workspace.root / "VERSION").write_text(text)


def attached(connection: Connection) -> dict[str, list[str]]:
    """The layers of each function of an environment."""
    configurations = [
        connection.functions.get_function(FunctionName=name)["Configuration"]
        for name in connection.environment.function_names.values()
    ]
    return {each["FunctionName"]: [layer["Arn"] for layer in each["Layers"]] for each in configurations}


def digests(connection: Connection) -> dict[str, str]:
    """What Lambda reports for the first version of each layer."""
    return {
        layer: connection.functions.get_layer_version(LayerName=name, VersionNumber=1)["Content"]["CodeSha256"]
        for layer, name in connection.environment.layer_names.items()
    }


def test_after_deploy_and_promote_both_environments_run_the_bytes_that_were_built(
    site: Site, dev: Connection, stage: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    site.promote()
    assert "[SUCCESS] Promotion completed successfully!" in capsys.readouterr().out
    assert digests(dev) == digests(stage)
    for connection in (dev, stage):
        env = connection.environment.name
        expected = [f"arn:aws:lambda:eu-west-3:111122223333:layer:news-{layer}-{env}:1" for layer in ("core", "deps")]
        for layers in attached(connection).values():
            assert [layers[0].split(":")[6], *layers[1:]] == [f"another-team-tracing-{env}", *expected]


def test_a_second_deploy_writes_nothing_and_takes_few_calls(
    site: Site, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    calls.clear()
    site.deploy()
    assert "dev is up to date" in capsys.readouterr().out
    assert calls.writes == []
    assert len(calls) <= MAX_CALLS_WITH_NOTHING_TO_DO


def test_configuration_that_is_as_the_journal_saw_it_is_not_read_again(site: Site, calls: Calls) -> None:
    for number in range(20):
        site.write(f"canonical/more-{number}.yaml", f"a: {number}\n")
    site.deploy()
    calls.clear()
    site.deploy()
    assert len(calls) <= MAX_CALLS_WITH_NOTHING_TO_DO


def test_a_second_promotion_writes_nothing(site: Site, calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    site.deploy()
    site.promote()
    calls.clear()
    site.promote()
    assert "stage is up to date" in capsys.readouterr().out
    assert calls.writes == []


def test_a_dry_run_shows_the_lines_of_the_real_run_and_writes_nothing(
    site: Site, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    site.upload()
    calls.clear()
    site.deploy(dry_run=True)
    shown = capsys.readouterr().out
    assert calls.writes == []
    assert "[INFO] Dry run: 6 changes to dev, none of them made:" in shown
    assert "   Will publish layer news-core-dev" in shown
    assert "   news-ingest-dev: + core 1.2.4, + deps 1.0.5" in shown
    assert "   + canonical/scopes.yaml" in shown


def test_a_dry_run_of_a_promotion_writes_nothing(site: Site, calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    site.deploy()
    calls.clear()
    site.promote(dry_run=True)
    assert calls.writes == []
    assert "changes to stage, none of them made" in capsys.readouterr().out


def test_a_dry_run_checks_that_the_archives_exist_because_it_once_checked_nothing(site: Site, calls: Calls) -> None:
    with pytest.raises(BuildError, match="Layer file not found: .build/layers/core-1.2.4.zip; run: inv build"):
        site.deploy(dry_run=True)
    assert calls == []


def test_an_unknown_environment_is_refused_before_anything_is_built(site: Site) -> None:
    with pytest.raises(ConfigError, match="Unknown environment 'qa'"):
        site.deploy("qa")
    assert not (site.workspace.build / "layers").exists()


def test_changed_sources_under_an_old_version_are_refused_before_any_write(site: Site, calls: Calls) -> None:
    site.deploy()
    edit(site, "deps")
    calls.clear()
    with pytest.raises(
        PlanError, match="deps 1.0.5 exists in dev with other contents.*inv bump --part patch --layer deps"
    ):
        site.deploy()
    assert calls.writes == []


def test_deploying_a_package_that_bundles_a_layers_code_is_refused_before_any_call(site: Site, calls: Calls) -> None:
    root = site.workspace.root
    line = 'name = "news-ingest-{env}"\nruntime = "python3.12"\n'
    text = (root / "release.toml").read_text()
    (root / "release.toml").write_text(text.replace(line, f'{line}source = "src/fn"\nhandler = "handler.run"\n'))
    shutil.copytree(root / "src" / "core", root / "src" / "fn" / "core")
    (root / "src" / "fn" / "handler.py").write_text("def run(event, context): ...\n")
    with pytest.raises(BuildError, match="package of function ingest holds core, which would hide the layer core"):
        site.deploy()
    assert calls == []


def test_raising_one_layer_alone_releases_it_beside_the_other_as_it_was(
    site: Site, dev: Connection, stage: Connection
) -> None:
    site.deploy()
    edit(site, "deps")
    write_version(site, "CORE_VERSION=1.2.4\nDEPS_VERSION=1.0.6\n")
    site.deploy()
    site.promote()
    assert [arn.rpartition(":")[2] for arn in attached(dev)["news-letter-dev"][1:]] == ["1", "2"]
    assert [arn.rpartition(":")[2] for arn in attached(stage)["news-letter-stage"][1:]] == ["1", "1"]
    stored = [item["Key"] for item in stage.s3.list_objects_v2(Bucket=STAGE.bucket)["Contents"]]
    assert [key for key in stored if key.startswith("layers/")] == [
        f"layers/{name}.{end}" for name in ("core-1.2.4", "deps-1.0.6") for end in ("cdx.json", "zip")
    ]
    assert len(stored) == 4 + len(["the record", "the configuration", "the journal"])


def test_one_layer_alone_is_uploaded_and_published_when_it_is_named(site: Site, calls: Calls, dev: Connection) -> None:
    site.publish(layer="deps")
    assert calls.writes == ["PutObject", "PutObject", "PublishLayerVersion"]
    assert dev.functions.list_layer_versions(LayerName="news-core-dev")["LayerVersions"] == []


def test_a_missing_function_is_skipped_with_a_warning_and_the_others_are_updated(
    site: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    dev.functions.delete_function(FunctionName="news-ingest-dev")
    site.deploy()
    shown = capsys.readouterr().out
    assert "   [SKIP] Lambda not found: news-ingest-dev" in shown
    assert "Updating news-letter-dev...\n      [OK] Layers updated" in shown


def test_a_failure_to_publish_stops_at_once(site: Site, calls: Calls) -> None:
    publishing = client("lambda", DEV, site.endpoint, patience=PATIENCE)
    with Refusing(publishing, "PublishLayerVersion", "AccessDeniedException", 403), pytest.raises(ReleaseError):
        site.deploy()
    assert "UpdateFunctionConfiguration" not in calls


def test_a_failure_to_update_a_function_changes_nothing_and_says_so(site: Site, dev: Connection) -> None:
    before = attached(dev)
    refusing = Refusing(dev.once, "UpdateFunctionConfiguration", "InvalidParameterValueException")
    with refusing, pytest.raises(ReleaseError, match="(?s)Updating news-.*dev is as it was before"):
        site.deploy()
    assert attached(dev) == before


def test_a_deployment_that_stopped_is_finished_by_running_it_again(site: Site, dev: Connection, calls: Calls) -> None:
    with Refusing(dev.once, "UpdateFunctionConfiguration", "ServiceException", 400), pytest.raises(ReleaseError):
        site.deploy()
    calls.clear()
    site.deploy()
    assert calls.writes.count("UpdateFunctionConfiguration") == 2
    assert "PublishLayerVersion" not in calls


def test_promote_brings_exactly_the_configuration_of_the_release_and_leaves_what_else_is_there(
    site: Site, dev: Connection, stage: Connection
) -> None:
    site.deploy()
    dev.s3.put_object(Bucket=DEV.canonical_bucket, Key="canonical/by-hand.yaml", Body=b"b: 2")
    stage.s3.put_object(Bucket=STAGE.canonical_bucket, Key="canonical/own.yaml", Body=b"c: 3")
    site.promote()
    assert {item["Key"] for item in list_canonical(stage)} == {"canonical/scopes.yaml", "canonical/own.yaml"}


def test_promote_needs_no_sources_and_no_archives_because_it_builds_nothing(site: Site, stage: Connection) -> None:
    site.deploy()
    shutil.rmtree(site.workspace.root / ".build")
    shutil.rmtree(site.workspace.root / "src")
    site.promote()
    assert len(attached(stage)["news-ingest-stage"]) == 3


def test_promote_takes_what_the_source_runs_not_what_was_published_last(site: Site, dev: Connection) -> None:
    site.deploy()
    edit(site)
    write_version(site, "CORE_VERSION=1.3.0\nDEPS_VERSION=1.0.5\n")
    site.publish()
    assert len(dev.functions.list_layer_versions(LayerName="news-core-dev")["LayerVersions"]) == 2
    with pytest.raises(PlanError, match="dev does not run core 1.3.0: it runs core 1.2.4, deps 1.0.5"):
        site.promote(version="1.3.0")


def test_promote_refuses_a_source_whose_archive_was_exchanged(site: Site, dev: Connection, calls: Calls) -> None:
    site.deploy()
    dev.s3.put_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip", Body=b"stale")
    calls.clear()
    with pytest.raises(PlanError, match="layers/core-1.2.4.zip has other bytes than its release"):
        site.promote()
    assert calls.writes == []


def test_promote_refuses_to_leave_an_environment_out_before_any_call(site: Site, calls: Calls) -> None:
    with pytest.raises(PlanError, match="Cannot promote from dev to prod"):
        site.promote("prod", from_="dev")
    assert calls == []


def test_promotion_crosses_accounts_and_regions(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tmp_path == site.workspace.root
    site.deploy()
    site.promote()
    site.promote("prod")
    assert "arn:aws:lambda:eu-west-1:444455556666:layer:news-core-prod:1" in capsys.readouterr().out


@pytest.fixture
def strangers(sandbox: str) -> Iterator[None]:
    """Credentials that belong to another account than release.toml says."""

    def other(answer: dict[str, Any]) -> None:
        answer["Arn"] = "arn:aws-cn:iam::999999999999:user/someone"

    with Reporting(client("sts", DEV, sandbox), "GetCallerIdentity", other):
        yield


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize("verb", ["upload", "publish", "deploy", "smoke", "invoke", "rollback", "promote"])
def test_with_credentials_of_another_account_nothing_is_written_and_nothing_invoked(
    site: Site, calls: Calls, verb: str
) -> None:
    arguments = {"invoke": ["dev", "ingest", "{}"], "promote": ["dev", "1.2.4"]}.get(verb, ["dev"])
    with pytest.raises(ReleaseError, match=r"account 999999999999, but dev is 111122223333|Nothing was ever|promot"):
        getattr(site, verb)(*arguments)
    assert calls.writes == []
    assert "Invoke" not in calls


def test_a_layer_that_leaves_release_toml_is_taken_off_the_functions_it_was_attached_to(
    site: Site, dev: Connection
) -> None:
    site.deploy()
    text = (site.root / "release.toml").read_text()
    start, end = text.index("[layers.deps]"), text.index("[functions.ingest]")
    site.write("release.toml", text[:start] + text[end:])
    site.deploy()
    for layers in attached(dev).values():
        assert [each.split(":")[6] for each in layers] == ["another-team-tracing-dev", "news-core-dev"]
    site.write("release.toml", text)
    site.deploy()
    assert all(len(layers) == 3 for layers in attached(dev).values())


def test_going_back_to_a_release_whose_layer_left_release_toml_is_refused_with_what_to_put_back(site: Site) -> None:
    site.deploy()
    text = (site.root / "release.toml").read_text()
    start, end = text.index("[layers.deps]"), text.index("[functions.ingest]")
    site.write("release.toml", text[:start] + text[end:])
    site.deploy()
    with pytest.raises(PlanError, match=r"release.toml has no \[layers.deps\] any more; put that table back"):
        site.rollback()


def test_an_archive_of_the_same_files_that_somebody_else_compressed_is_taken_over(site: Site, dev: Connection) -> None:
    site.upload(dry_run=False)
    stored = dev.s3.get_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip")["Body"].read()
    other = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(stored)) as archive, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as again:
        for entry in archive.infolist():
            kept = zipfile.ZipInfo(entry.filename)
            kept.external_attr, kept.compress_type = entry.external_attr, zipfile.ZIP_DEFLATED
            again.writestr(kept, archive.read(entry))
    dev.s3.put_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip", Body=other.getvalue())
    site.deploy()
    assert digests(dev)["core"] == base64.b64encode(hashlib.sha256(other.getvalue()).digest()).decode()
    site.promote()


def test_an_archive_that_was_stored_without_a_checksum_is_no_other_archive(site: Site, dev: Connection) -> None:
    site.upload()
    stored = dev.s3.get_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip")["Body"].read()
    dev.s3.put_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip", Body=stored)
    site.deploy()


def test_a_bill_of_materials_is_written_once_also_by_the_loser_of_a_race(site: Site, dev: Connection) -> None:
    dev.s3.put_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.cdx.json", Body=b"the winner's")
    site.upload()
    assert dev.s3.get_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.cdx.json")["Body"].read() == b"the winner's"


def test_a_dry_run_refuses_what_the_deployment_would_refuse(site: Site) -> None:
    site.write("src/core/__init__.py", "from deps import NAME\n")
    site.upload()
    text = (site.root / "release.toml").read_text()
    start, end = text.index("[layers.deps]"), text.index("[functions.ingest]")
    site.write("release.toml", text[:start] + text[end:])
    with pytest.raises(BuildError, match="imports deps, which no layer brings"):
        site.deploy(dry_run=True)


def test_a_dry_run_ends_with_2_if_that_is_asked_and_something_is_pending(site: Site) -> None:
    site.upload()
    site.deploy(dry_run=True)
    with pytest.raises(DiffersError) as caught:
        site.deploy(dry_run=True, exit_code=True)
    assert caught.value.code == 2
    site.deploy(exit_code=True)
    site.deploy(dry_run=True, exit_code=True)


def test_callers_who_stay_with_an_older_version_are_named_before_a_deployment(
    site: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    dev.functions.publish_version(FunctionName="news-ingest-dev")
    dev.functions.create_alias(FunctionName="news-ingest-dev", Name="live", FunctionVersion="1")
    dev.functions.create_alias(FunctionName="news-letter-dev", Name="now", FunctionVersion="$LATEST")
    site.deploy()
    shown = capsys.readouterr().out
    assert "[WARNING] Callers of news-ingest-dev:live go on with version 1, which stays as it is" in shown
    assert "news-letter-dev:now" not in shown
    site.deploy()
    assert "Callers" not in capsys.readouterr().out


def test_aliases_that_may_not_be_listed_hinder_no_deployment(site: Site, dev: Connection) -> None:
    with Refusing(dev.functions, "ListAliases", "AccessDeniedException", 403):
        site.deploy()
