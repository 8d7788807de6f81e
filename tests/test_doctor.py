"""What inv doctor finds: nothing where nothing is wrong, and everything that was planted."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from invoke import Config, Context

from tasks import doctor
from tasks.aws.checkup import _lifecycle
from tasks.aws.connection import Connection, connect
from tasks.errors import ConfigError, DiffersError
from tasks.project.checkup import Check, check_machine
from tasks.project.release_toml import parse_project
from tests.aws.answers import Refusing
from tests.examples import DEV, PROJECT, RELEASE_TOML
from tests.front import Site

pytestmark = pytest.mark.whole


def sound(there: Connection) -> None:
    """Buckets as they should be."""
    for bucket in (there.environment.bucket, there.environment.canonical_bucket):
        there.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def expire(there: Connection, prefix: str, **more: object) -> None:
    """A lifecycle rule of the bucket of archives."""
    rule = {"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": 30}, **more}
    there.s3.put_bucket_lifecycle_configuration(Bucket=DEV.bucket, LifecycleConfiguration={"Rules": [rule]})


def found(site: Site, env: str = "dev") -> list[Check]:
    return list(doctor.examined(site.command, [PROJECT.environment(env)]))


def on_aws(site: Site) -> list[str]:
    return [check.what for check in found(site) if check.problem and check.what.startswith("dev:")]


def test_nothing_is_wrong_with_a_sound_environment(site: Site, dev: Connection) -> None:
    sound(dev)
    assert on_aws(site) == []


PLANTED: list[tuple[Callable[[Connection], object], str]] = [
    (lambda dev: dev.s3.put_bucket_versioning(Bucket=DEV.bucket, VersioningConfiguration={"Status": "Suspended"}),
     f"s3://{DEV.bucket}, versions"),
    (lambda dev: dev.s3.delete_public_access_block(Bucket=DEV.bucket), f"s3://{DEV.bucket}, public access"),
    (lambda dev: dev.s3.delete_bucket_encryption(Bucket=DEV.canonical_bucket),
     f"s3://{DEV.canonical_bucket}, encryption"),
    (lambda dev: expire(dev, "lay"), f"s3://{DEV.bucket}, lifecycle"),
    (lambda dev: expire(dev, "journal/news/"), f"s3://{DEV.bucket}, lifecycle"),
    (lambda dev: dev.functions.delete_function(FunctionName="news-letter-dev"), "function news-letter-dev"),
    (lambda dev: dev.functions.update_function_configuration(FunctionName="news-ingest-dev", Runtime="python3.13"),
     "function news-ingest-dev"),
    (lambda dev: dev.s3.delete_bucket(Bucket=DEV.canonical_bucket), f"s3://{DEV.canonical_bucket}"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "what"), PLANTED)
def test_what_was_planted_on_aws_is_named_alone(
    site: Site, dev: Connection, plant: Callable[[Connection], object], what: str
) -> None:
    sound(dev)
    plant(dev)
    assert on_aws(site) == [f"dev: {what}"]


def lifecycle(*rules: dict[str, Any]) -> tuple[str, str]:
    """What is found in a bucket with these rules."""
    from tests.aws.recorder import recorded

    connection, _ = recorded(
        DEV, get_bucket_lifecycle_configuration={"Rules": [{"Status": "Enabled", **each} for each in rules]}
    )
    return _lifecycle(connection, {"Bucket": DEV.bucket})


DAYS = {"Expiration": {"Days": 30}}


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "b"}]}}, **DAYS}, ""),
        ({"Filter": {"Tag": {"Key": "a", "Value": "b"}}, **DAYS}, "deletes some objects under layers/"),
        (
            {"Filter": {"Prefix": "layers/"}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
            "moves to GLACIER",
        ),
        ({"Filter": {"Prefix": "layers/"}, "Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}]}, ""),
        ({"Prefix": "releases/", **DAYS}, "deletes objects under releases/"),
    ],
)
def test_a_rule_is_read_as_s3_reads_it(rule: dict[str, Any], problem: str) -> None:
    found, _ = lifecycle(rule)
    assert problem in found
    assert bool(found) == bool(problem)


def test_a_look_that_fails_ends_nothing(site: Site, dev: Connection) -> None:
    sound(dev)
    with Refusing(dev.s3, "GetBucketEncryption", "NotImplemented", 501):
        problems = [check for check in found(site) if check.problem and "encryption" in check.what]
    assert len(problems) == 2


@pytest.mark.parametrize("more", [{"Status": "Disabled"}, {"Expiration": {"ExpiredObjectDeleteMarker": True}}])
def test_a_rule_that_deletes_nothing_of_ours_is_no_problem(
    site: Site, dev: Connection, more: dict[str, object]
) -> None:
    sound(dev)
    expire(dev, "", **more)
    assert on_aws(site) == []
    expire(dev, "logs/")
    assert on_aws(site) == []


def test_what_may_not_be_looked_at_is_said_and_is_no_error(site: Site, dev: Connection) -> None:
    sound(dev)
    with Refusing(dev.s3, "GetBucketVersioning", "AccessDenied", 403):
        problems = [each for each in found(site) if each.problem and "versions" in each.what]
    assert [(each.serious, each.remedy) for each in problems] == [(False, "see: inv doctor --policy")] * 2


def test_what_is_wrong_with_the_machine_and_the_repository_is_named(tmp_path: Path) -> None:
    root = tmp_path / "OneDrive - Home" / "news"
    root.mkdir(parents=True)
    (root / "requirements.txt").write_text("boto3==0.1 # old\nnothing-of-that-name==1.0\ninvoke>=1\n")
    project = parse_project(RELEASE_TOML.replace('"python3.11", ', '"python3.10", "python3.11", '))
    problems = {check.what: check.problem for check in check_machine(root, project) if check.problem}
    assert "boto3 is 1." in problems["the packages of requirements.txt"]
    assert "and 0.1 is wanted, nothing-of-that-name is not installed" in problems["the packages of requirements.txt"]
    assert "lies in OneDrive" in problems["the folder of the repository"]
    assert "a git repository" in problems


def test_a_stale_lock_and_a_missing_version_are_named_with_what_to_run(site: Site) -> None:
    text = RELEASE_TOML.replace('source = "src/deps"', 'requirements = "src/requirements.txt"')
    site.write("release.toml", text)
    site.write("src/requirements.txt", "requests\n")
    site.write("VERSION", "CORE_VERSION=1.2.4\n")
    problems = {check.what: check.problem for check in found(site) if check.problem}
    assert "run: inv lock" in problems["the lock of src/requirements.txt"]
    assert "DEPS_VERSION" in problems["VERSION"]


def test_credentials_of_another_account_end_the_look_at_an_environment(site: Site) -> None:
    text = RELEASE_TOML.replace("111122223333", "999999999999")
    elsewhere = parse_project(text).environment("dev")
    there = connect(DEV, site.endpoint)
    from dataclasses import replace

    from tasks.aws.checkup import check_environment

    (check,) = check_environment(replace(there, environment=elsewhere), PROJECT)
    assert "belong to account 111122223333" in check.problem
    assert "use another profile" in check.problem + check.remedy


def test_eleven_things_that_are_wrong_at_once_are_all_named(site: Site, dev: Connection, tmp_path: Path) -> None:
    sound(dev)
    for plant, _ in PLANTED[:4]:
        plant(dev)
    dev.functions.delete_function(FunctionName="news-letter-dev")
    dev.functions.update_function_configuration(FunctionName="news-ingest-dev", Runtime="python3.13")
    there = Site(tmp_path / "OneDrive" / "news", site.endpoint)
    shutil.copytree(site.root, there.root)
    there.write("requirements.txt", "boto3==0.1\n")
    there.write("src/requirements.txt", "requests\n")
    there.write("release.toml", RELEASE_TOML.replace('source = "src/deps"', 'requirements = "src/requirements.txt"'))
    there.write("VERSION", "CORE_VERSION=1.2.4\n")
    assert [check.what for check in found(there) if check.problem] == [
        "the packages of requirements.txt",
        "a git repository",
        "the folder of the repository",
        "VERSION",
        "the lock of src/requirements.txt",
        f"dev: s3://{DEV.bucket}, versions",
        f"dev: s3://{DEV.bucket}, public access",
        f"dev: s3://{DEV.bucket}, lifecycle",
        f"dev: s3://{DEV.canonical_bucket}, encryption",
        "dev: function news-ingest-dev",
        "dev: function news-letter-dev",
    ]


def context(site: Site) -> Context:
    return Context(Config(overrides={"sandbox_endpoint": site.endpoint, "root": str(site.root)}))


def test_the_command_ends_with_2_and_says_how_many(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DiffersError):
        doctor.doctor(context(site), env="dev")
    said = capsys.readouterr().out
    assert "to mend, best in this order" in said
    assert (
        f"[WARNING] dev: s3://{DEV.bucket}, versions: are not kept, so what is deleted by mistake is gone; run: aws"
        in said
    )


def test_the_policy_is_one_document_for_one_environment(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    doctor.doctor(context(site), env="stage", policy=True)
    assert "ReadFunctionsBefore" in {each["Sid"] for each in json.loads(capsys.readouterr().out)["Statement"]}
    with pytest.raises(ConfigError, match="add --env with one of: dev, stage, prod"):
        doctor.doctor(context(site), policy=True)
