"""What an environment needs on AWS so that everything here works, each with how to mend it. Nothing is changed."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tasks.aws.connection import Connection
from tasks.aws.functions import read_function
from tasks.aws.invoke import check_invocation
from tasks.aws.refusals import DENIED, code_of
from tasks.aws.who import check_caller
from tasks.errors import AwsError, ReleaseError
from tasks.jobs import results
from tasks.project.checkup import Check
from tasks.project.model import Project

_SKEW, _REFUSED_SKEW = 60, 300
"""Seconds: more is worth a word; beyond five minutes AWS refuses what is signed."""
_OURS = ("layers/", "functions/", "releases/", "journal/", "contents/", "before/")
_NARROWER = {"Tag", "Tags", "ObjectSizeGreaterThan", "ObjectSizeLessThan"}
"""What a rule may choose objects by, besides their names."""
_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
"""Storage classes whose objects cannot be read at once."""
_BLOCKED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def check_environment(connection: Connection, project: Project) -> Iterator[Check]:
    """Credentials, clock, buckets and functions, in the order in which to mend them."""
    here = connection.environment
    try:
        yield Check(f"{here.name}: credentials of {check_caller(connection)}")
    except ReleaseError as error:
        yield Check(f"{here.name}: credentials", *_parts(error))
        return
    buckets = [each for each in dict.fromkeys((here.bucket, here.canonical_bucket)) if each]
    for found in results([partial(_bucket, connection, bucket) for bucket in buckets]):
        yield from found
    names = here.function_names.items()
    yield from results([partial(_function, connection, project, key, name) for key, name in names])


def _bucket(connection: Connection, bucket: str) -> list[Check]:
    """One bucket: whether it is there, and as it should be."""
    what, where = f"{connection.environment.name}: s3://{bucket}", {"Bucket": bucket, **connection.owner}
    try:
        with connection.doing(f"list s3://{bucket}"):
            answer = connection.s3.list_objects_v2(**where, MaxKeys=1)
    except ReleaseError as error:
        return [Check(what, *_parts(error))]
    looks: dict[str, Callable[[], tuple[str, str]]] = {
        "versions": lambda: _versions(connection.s3.get_bucket_versioning(**where), bucket),
        "encryption": lambda: _encrypted(connection, where, bucket),
        "public access": lambda: _private(connection, where, bucket),
        "lifecycle": lambda: _lifecycle(connection, where),
    }
    return [_clock(what, answer), *(_seen(connection, f"{what}, {name}", look) for name, look in looks.items())]


def _clock(what: str, answer: Any) -> Check:
    """A bucket that is there, and this machine's clock by S3's."""
    with suppress(TypeError, ValueError):
        there = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
        off = abs((datetime.now(UTC) - there).total_seconds())
        if off > _SKEW:
            return Check(
                f"{what}, clock",
                f"this machine's clock is {off:.0f} seconds off; beyond {_REFUSED_SKEW} AWS refuses every call",
                "set it by a time server",
                serious=off > _REFUSED_SKEW,
            )
    return Check(what)


def _seen(connection: Connection, what: str, look: Callable[[], tuple[str, str]]) -> Check:
    """A look whose refusal is no problem by itself."""
    try:
        with connection.doing(f"look at {what}"):
            problem, remedy = look()
    except AwsError as error:
        # held by tests/test_doctor.py
        if error.aws_code in DENIED:
            return Check(what, f"may not be looked at [{error.aws_code}]", "see: inv doctor --policy", serious=False)
        return Check(what, *_parts(error), serious=False)
    return Check(what, problem, remedy, serious=False)


def _versions(answer: Any, bucket: str) -> tuple[str, str]:
    if answer.get("Status") == "Enabled":
        return "", ""
    command = f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"
    return "are not kept, so what is deleted by mistake is gone", f"run: {command}"


def _encrypted(connection: Connection, where: dict[str, str], bucket: str) -> tuple[str, str]:
    try:
        connection.s3.get_bucket_encryption(**where)
    except ClientError as error:
        if code_of(error) != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        rule = '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
        command = f"aws s3api put-bucket-encryption --bucket {bucket} --server-side-encryption-configuration '{rule}'"
        return "is not set", f"run: {command}"
    return "", ""


def _private(connection: Connection, where: dict[str, str], bucket: str) -> tuple[str, str]:
    found: dict[str, bool] = {}
    try:
        found = connection.s3.get_public_access_block(**where)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if code_of(error) != "NoSuchPublicAccessBlockConfiguration":
            raise
    # held by tests/test_doctor.py `-> True`
    if all(found.get(each) for each in _BLOCKED):
        return "", ""
    settings = ",".join(f"{each}=true" for each in _BLOCKED)
    command = f"aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration {settings}"
    return "is not blocked altogether", f"run: {command}"


def _lifecycle(connection: Connection, where: dict[str, str]) -> tuple[str, str]:
    """A rule that removes what rollback and promotion need."""
    try:
        rules = connection.s3.get_bucket_lifecycle_configuration(**where)["Rules"]
    except ClientError as error:
        if code_of(error) != "NoSuchLifecycleConfiguration":
            raise
        rules = []
    ours = (*_OURS, *(f"{each}/" for each in connection.environment.canonical))
    for rule in rules:
        chosen = rule.get("Filter", {})
        # held by tests/test_doctor.py `**chosen.get('And', {})`
        chosen = {**chosen, **chosen.get("And", {})}
        prefix = chosen.get("Prefix", rule.get("Prefix", ""))
        hit = [each for each in ours if each.startswith(prefix) or prefix.startswith(each)]
        # held by tests/test_doctor.py `-> True`
        if rule.get("Status") != "Enabled" or not hit:
            continue
        some = "some objects" if _NARROWER & set(chosen) else "objects"
        away = {each.get("StorageClass") for each in rule.get("Transitions", [])} & _ARCHIVES
        expires = {key for key in rule.get("Expiration", {}) if key != "ExpiredObjectDeleteMarker"}
        if expires or away:
            does = "deletes" if expires else f"moves to {', '.join(sorted(away))}"
            return (
                f"has a rule ({rule.get('ID', 'without a name')}) that {does} {some} under {', '.join(hit)}",
                "restrict it to other prefixes: releases, rollbacks and the journal need these at once",
            )
    return "", ""


def _function(connection: Connection, project: Project, key: str, name: str) -> Check:
    """One function: whether it is there, and what release.toml says, and may be invoked."""
    what, wanted = f"{connection.environment.name}: function {name}", project.functions[key]
    try:
        found = read_function(connection, name)
        if found is None:
            return Check(what, "does not exist", "create it (CloudFormation, Terraform, the console)", serious=False)
        if found.state.architecture != project.architecture and not wanted.source:
            text = f"is for {found.state.architecture}, and the layers are built for {project.architecture}"
            return Check(what, text, "correct `architecture` in release.toml, or the function")
        # held by tests/test_doctor.py
        if found.state.runtime != wanted.runtime:
            text = f"runs on {found.state.runtime}, and release.toml says {wanted.runtime}"
            advice = "the next deployment changes that; correct release.toml if it must not"
            return Check(what, text, advice, serious=False)
        if found.failed:
            return Check(what, f"its last update failed: {found.failed}", "correct that, then deploy")
        if project.smoke:
            check_invocation(connection, name)
    except ReleaseError as error:
        return Check(what, *_parts(error))
    return Check(what)


def _parts(error: ReleaseError) -> tuple[str, str]:
    """An error's message, and what to do, which stands behind its last semicolon."""
    problem, _, remedy = str(error).rpartition("; ")
    return (problem, remedy) if problem else (remedy, "correct that")
