"""Ten releases, two of them running somewhere: what nobody needs goes, and every function still starts."""

from datetime import timedelta

import pytest
from invoke import Config, Context

from tasks import prune, verify
from tasks.aws.connection import Connection, connect
from tasks.aws.invoke import invoke_function
from tasks.aws.journal import Journal
from tasks.aws.observe import look
from tasks.errors import ConfigError, PlanError
from tasks.release.journal import Entry, Status, Who, snapshot
from tests.aws.answers import Refusing
from tests.conftest import After, Calls
from tests.examples import DEV, PROJECT, RELEASE_TOML
from tests.front import Site
from tests.test_rules import git

pytestmark = pytest.mark.whole

HANDLER = "import core\n\ndef run(event, context):\n    return {'statusCode': 200, 'body': core.NAME}\n"


def releases(site: Site, count: int, promoted: int) -> None:
    """So many releases of core in dev, one of them promoted to stage; the functions import it."""
    text = RELEASE_TOML
    for function in ("ingest", "letter"):
        line = f'name = "news-{function}-{{env}}"\n'
        text = text.replace(line, f'{line}source = "src/{function}"\nhandler = "handler.run"\n')
        site.write(f"src/{function}/handler.py", HANDLER)
    site.write("release.toml", text)
    for number in range(count):
        site.write("VERSION", f"CORE_VERSION=1.0.{number}\nDEPS_VERSION=1.0.5\n")
        site.write("src/core/__init__.py", f"NAME = {number}\n")
        site.deploy()
        if number == promoted:
            site.promote(version=f"1.0.{number}")
    grow_old()


def grow_old() -> None:
    """All objects but the journal's were written an hour earlier than they were: S3's dates have whole seconds."""
    from moto.s3.models import s3_backends

    for bucket in s3_backends[DEV.account]["aws"].buckets.values():
        for key in bucket.keys.values():
            if not key.name.startswith("journal/"):
                key.last_modified -= timedelta(hours=1)


def release_four(site: Site) -> None:
    """Four releases, the first of them promoted: nobody needs the second."""
    releases(site, 4, 0)


@pytest.fixture
def four(after: After) -> Site:
    """The site after `release_four`."""
    return after(release_four)


def stored(there: Connection, bucket: str = DEV.bucket) -> set[str]:
    found = there.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"] for item in found if not item["Key"].startswith(("journal/", "contents/"))}


def versions(there: Connection, layer: str = "news-core-dev") -> set[int]:
    return {each["Version"] for each in there.functions.list_layer_versions(LayerName=layer)["LayerVersions"]}


def other_function(there: Connection, number: int) -> None:
    """A function of another team, which carries one of our layer versions in a published version alone."""
    role = there.functions.get_function(FunctionName="news-ingest-dev")["Configuration"]
    arn = f"arn:aws:lambda:{DEV.region}:{DEV.account}:layer:news-core-dev:{number}"
    code = there.s3.list_objects_v2(Bucket=DEV.bucket, Prefix="layers/deps")["Contents"]
    there.functions.create_function(
        FunctionName="reports", Runtime="python3.12", Handler="x.y", Role=role["Role"], Layers=[arn],
        Code={"S3Bucket": DEV.bucket, "S3Key": next(each["Key"] for each in code if each["Key"].endswith(".zip"))},
    )  # fmt: skip
    there.functions.publish_version(FunctionName="reports")
    there.functions.update_function_configuration(FunctionName="reports", Layers=[])


def archives(*numbers: int) -> set[str]:
    return {f"layers/core-1.0.{number}{end}" for number in numbers for end in (".zip", ".cdx.json")}


DEPS = {"layers/deps-1.0.5.zip", "layers/deps-1.0.5.cdx.json"}


def test_what_no_function_release_or_way_back_needs_is_listed_and_deleted_and_nothing_else(
    site: Site, dev: Connection, stage: Connection, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    releases(site, 10, 2)
    other_function(dev, 5)
    kept = {key for key in stored(dev) if key.startswith(("functions/", "before/"))}
    records = {key for key in stored(dev) if key.startswith("releases/")}
    assert len(kept) == 5  # a package of each function and its bill; what stage's only release has replaced
    calls.clear()
    capsys.readouterr()
    prune.prune(site.context, env="dev")
    shown = capsys.readouterr().out
    assert calls.writes == []
    gone = (0, 1, 3, 5, 6)  # 2 runs in stage, 4 is what the other function carries, 7 to 9 are the last three
    assert [line.split(":")[7].split()[0] for line in shown.splitlines() if line.startswith("   arn")] == [
        str(number + 1) for number in reversed(gone)
    ]
    assert {
        line.partition("s3://news-code-dev/")[2].partition(",")[0] for line in shown.splitlines() if "   s3" in line
    } == archives(*gone) | {key for key in records if int(key[len("releases/core-1.0.")]) in gone}
    assert "news-core-dev:5, since reports carries it" in shown
    assert "--yes" not in shown

    prune.prune(site.context, env="dev", yes=True)
    assert versions(dev) == {3, 5, 8, 9, 10}
    assert stored(dev) == archives(2, 7, 8, 9) | archives(4) | DEPS | kept | {
        key for key in records if int(key[len("releases/core-1.0.")]) not in gone
    }
    assert versions(stage, "news-core-stage") == {1}
    for there, runs in ((dev, 9), (stage, 2)):
        for name in there.environment.function_names.values():
            answer = invoke_function(there, name, "{}")
            assert (answer.error, answer.body) == ("", {"statusCode": 200, "body": runs})
    assert (newest(dev).what, newest(dev).reason.partition(",")[0]) == (
        "prune",
        "deleted 5 layer versions and 15 objects",
    )


def test_after_it_the_environment_is_verified_rolled_back_and_promoted_as_before(four: Site) -> None:
    prune.prune(four.context, env="dev", keep="1", yes=True)
    verify.verify(four.context, env="dev")
    four.rollback()
    four.promote(version="1.0.2")


def test_a_second_time_there_is_nothing_to_delete_in_stage_too(
    four: Site, stage: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    for env in ("dev", "dev", "stage"):
        capsys.readouterr()
        prune.prune(four.context, env=env, keep="1", yes=True)
    assert "stage holds nothing that could be deleted" in capsys.readouterr().out
    assert versions(stage, "news-core-stage") == {1}


def test_keep_is_a_number_from_one_up(site: Site) -> None:
    with pytest.raises(ConfigError, match="--keep '0'"):
        prune.prune(site.context, env="dev", keep="0")


def grant(there: Connection) -> None:
    there.functions.add_layer_version_permission(
        LayerName="news-core-dev", VersionNumber=2, StatementId="s", Action="lambda:GetLayerVersion", Principal="*"
    )


def put(there: Connection, key: str) -> None:
    there.s3.put_object(Bucket=DEV.bucket, Key=key, Body=b"{")


def newest_key(there: Connection) -> str:
    return str(there.s3.list_objects_v2(Bucket=DEV.bucket, Prefix="journal/news/dev/")["Contents"][0]["Key"])


def test_what_may_be_needed_by_somebody_is_kept_and_said(
    four: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> str:
        capsys.readouterr()
        prune.prune(four.context, env="dev", keep="1")
        return capsys.readouterr().out

    assert "news-core-dev:2 (core 1.0.1)" in said()
    with Refusing(dev.functions, "GetLayerVersionPolicy", "AccessDeniedException", 403):
        assert "news-core-dev:2, since lambda:GetLayerVersionPolicy is missing" in said()
    with Refusing(dev.functions, "ListFunctions", "AccessDeniedException", 403):
        assert "[WARNING] Kept: everything, since lambda:ListFunctions is missing" in said()
    grant(dev)
    assert "news-core-dev:2, since it is granted to somebody else" in said()
    assert "dev holds nothing" in said()
    put(dev, "journal/other/dev/999999998.json")
    assert "Kept: objects, since other has a journal in s3://news-code-dev too" in said()
    put(dev, newest_key(dev))
    assert "Kept: everything, since it is not known what dev needs: entry 4 of its journal cannot be read" in said()
    assert "[INFO] dev holds nothing" in said()


def newest(there: Connection) -> Entry:
    found = Journal(there, "news", Who()).newest()
    assert found
    return found


def cut_off(there: Connection, release: str, what: str = "deploy", emergency: str = "") -> None:
    """A deployment that ended in the middle."""
    journal = Journal(there, "news", Who(caller="dead", nonce="dead"))
    with journal.take(Entry(0, what, release, "core 9.9.9", "none", Who(), "", emergency=emergency)) as held:
        held.note(snapshot(look(there)))
        held.close(Status.ABANDONED, None, "killed")


def test_a_deployment_that_was_cut_off_comes_first_also_where_it_was_of_what_runs(four: Site, dev: Connection) -> None:
    cut_off(dev, newest(dev).runs)
    with pytest.raises(PlanError, match="was cut off"):
        prune.prune(four.context, env="dev", keep="1", yes=True)
    assert newest(dev).status is Status.ABANDONED


def test_a_pruning_that_was_cut_off_hinders_nobody(four: Site, dev: Connection, calls: Calls) -> None:
    cut_off(dev, "", "prune")
    calls.clear()
    four.promote(version="1.0.3")
    four.write("VERSION", "CORE_VERSION=1.0.4\nDEPS_VERSION=1.0.5\n")
    four.deploy()
    assert calls.count("UpdateFunctionConfiguration") == 2 + 2  # nothing is made sure of, since nothing was sent
    cut_off(dev, "", "prune")
    four.rollback()
    cut_off(dev, "", "prune")
    prune.prune(four.context, env="dev", yes=True)
    assert newest(dev).status is Status.CONFIRMED


def test_after_it_what_runs_is_promoted_with_the_commit_it_was_deployed_from(
    site: Site, dev: Connection, stage: Connection
) -> None:
    site.write(".gitignore", ".build\n")
    for number in range(3):
        site.write("VERSION", f"CORE_VERSION=1.0.{number}\nDEPS_VERSION=1.0.5\n")
        site.write("src/core/__init__.py", f"NAME = {number}\n")
        git(site.root, "init", "-q")
        git(site.root, "add", ".")
        git(site.root, "commit", "-qm", "change")
        site.deploy()
    commit = newest(dev).commit
    site.write("src/core/__init__.py", "NAME = 77\n")
    prune.prune(site.context, env="dev", keep="1", yes=True)
    site.promote(version="1.0.2")
    assert newest(stage).commit == commit
    assert "-" not in commit


def test_a_bucket_that_environments_share_keeps_its_objects(site: Site, dev: Connection) -> None:
    put(dev, "journal/news/qa/999999998.json")
    releases(site, 3, 9)
    before = stored(dev)
    prune.prune(site.context, env="dev", keep="1", yes=True)
    assert stored(dev) == before
    assert versions(dev) == {2, 3}


def test_where_deleting_is_not_permitted_nothing_is_lost_and_the_journal_says_so(four: Site, dev: Connection) -> None:
    before = versions(dev)
    once = dev.client("s3", 20)
    with (
        Refusing(once, "DeleteObject", "AccessDenied", 403) as refusing,
        pytest.raises(PlanError, match="Deleted before that: nothing"),
    ):
        prune.prune(four.context, env="dev", keep="1", yes=True)
    assert refusing.asked == 1
    assert versions(dev) == before
    assert newest(dev).status is Status.UNDONE


def test_what_was_deleted_before_a_refusal_is_named(four: Site, dev: Connection) -> None:
    with (
        Refusing(dev.once, "DeleteLayerVersion", "ServiceException", 500) as refusing,
        pytest.raises(PlanError, match="Deleted before that: s3://news-code-dev/"),
    ):
        prune.prune(four.context, env="dev", keep="1", yes=True)
    assert refusing.asked == 1
    assert newest(dev).status is Status.CONFIRMED
    assert "Deleted before that" in newest(dev).reason


def test_an_environment_that_cannot_be_read_may_need_everything(four: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with Refusing(connect(PROJECT.environments["prod"], four.endpoint).s3, "ListObjectsV2", "AccessDenied", 403):
        prune.prune(four.context, env="dev", keep="1")
    assert "Kept: everything, since it is not known what" in capsys.readouterr().out


def test_a_record_that_is_gone_may_have_named_anything(
    four: Site, dev: Connection, stage: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    key = newest(stage).runs
    stage.s3.delete_object(Bucket="news-code-stage", Key=key)
    prune.prune(four.context, env="dev", keep="1")
    assert f"it is not known what stage needs: its record {key} is gone" in capsys.readouterr().out
    assert dev.environment.name == "dev"


def test_invokes_own_dry_run_deletes_nothing(four: Site, calls: Calls) -> None:
    settings = {"sandbox_endpoint": four.endpoint, "root": str(four.root), "run": {"dry": True}}
    calls.clear()
    prune.prune(Context(Config(overrides=settings)), env="dev", keep="1", yes=True)
    assert [name for name in calls if name.startswith("Delete")] == []


def test_what_was_pruned_can_be_deployed_again(four: Site, dev: Connection) -> None:
    prune.prune(four.context, env="dev", keep="1", yes=True)
    assert versions(dev) == {1, 3, 4}
    four.write("VERSION", "CORE_VERSION=1.0.1\nDEPS_VERSION=1.0.5\n")
    four.write("src/core/__init__.py", "NAME = 1\n")
    four.deploy()
    verify.verify(four.context, env="dev")
