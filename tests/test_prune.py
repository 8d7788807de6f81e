"""Ten releases, two of them running somewhere: what nobody needs goes, and every function still starts."""

import pytest

from tasks import prune, verify
from tasks.aws.connection import Connection
from tasks.aws.invoke import invoke_function
from tasks.aws.journal import Journal
from tasks.errors import ConfigError
from tasks.release.journal import Who
from tests.aws.answers import Refusing
from tests.conftest import Calls
from tests.examples import DEV, RELEASE_TOML
from tests.front import Site

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


@pytest.fixture
def three(site: Site) -> Site:
    """Three releases, the first of them promoted."""
    releases(site, 3, 0)
    return site


def stored(there: Connection, bucket: str = DEV.bucket) -> set[str]:
    found = there.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"] for item in found if item["Key"].startswith(("layers/", "before/", "functions/"))}


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
    } == archives(*gone)
    assert "--yes" not in shown

    prune.prune(site.context, env="dev", yes=True)
    assert versions(dev) == {3, 5, 8, 9, 10}
    assert stored(dev) == archives(2, 4, 7, 8, 9) | DEPS | kept
    assert versions(stage, "news-core-stage") == {1}
    for there, runs in ((dev, 9), (stage, 2)):
        for name in there.environment.function_names.values():
            answer = invoke_function(there, name, "{}")
            assert (answer.error, answer.body) == ("", {"statusCode": 200, "body": runs})
    newest = Journal(dev, "news", Who()).newest()
    assert newest
    assert (newest.what, newest.reason.partition(",")[0]) == ("prune", "deleted 5 layer versions and 10 objects")


def test_after_it_the_environment_is_verified_rolled_back_and_promoted_as_before(three: Site) -> None:
    prune.prune(three.context, env="dev", keep="1", yes=True)
    verify.verify(three.context, env="dev")
    three.rollback()
    three.promote(version="1.0.1")


def test_a_second_time_there_is_nothing_to_delete_in_stage_too(
    three: Site, stage: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    for env in ("dev", "dev", "stage"):
        capsys.readouterr()
        prune.prune(three.context, env=env, keep="1", yes=True)
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
    three: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    three.write("VERSION", "CORE_VERSION=1.0.3\nDEPS_VERSION=1.0.5\n")
    three.deploy()

    def said() -> str:
        capsys.readouterr()
        prune.prune(three.context, env="dev", keep="1")
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
    assert "Kept: everything, since Entry 4 of the journal of dev cannot be read" in said()
