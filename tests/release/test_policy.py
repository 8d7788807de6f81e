"""The policy permits every call that any command makes, and nothing that none makes."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tasks import adopt, prune, show, status, verify
from tasks.aws.connection import PATIENCE, client
from tasks.errors import DiffersError
from tasks.project.release_toml import parse_project
from tasks.release.policy import policy
from tests.examples import DEV, PROJECT, RELEASE_TOML, STAGE
from tests.front import Site
from tests.test_prune import releases

pytestmark = pytest.mark.whole

Call = tuple[str, str]

ACTIONS = {
    "ListObjectsV2": ["s3:ListBucket"],
    "GetObject": ["s3:GetObject"],
    "HeadObject": ["s3:GetObject"],
    "PutObject": ["s3:PutObject"],
    "CopyObject": ["s3:PutObject"],
    "DeleteObject": ["s3:DeleteObject"],
    "Invoke": ["lambda:InvokeFunction"],
    "GetCallerIdentity": [],
}
"""Operation -> the actions that it needs, where they have other names."""
WITHOUT_RESOURCE = ("ListLayerVersions", "ListFunctions")
DOCTOR = {"s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:GetBucketPublicAccessBlock"}
DOCTOR |= {"s3:GetLifecycleConfiguration"}


def needed(operation: str, request: dict[str, Any]) -> Iterator[Call]:
    """What a call needs: actions, and on what."""
    for action in ACTIONS.get(operation, [f"lambda:{operation}"]):
        yield action, resource(operation, request)
    if operation == "CopyObject":
        source = request["CopySource"]
        yield "s3:GetObject", f"arn:aws:s3:::{source['Bucket']}/{source['Key']}"


def resource(operation: str, request: dict[str, Any]) -> str:
    where = f"arn:aws:lambda:{DEV.region}:{DEV.account}"
    if "Bucket" in request:
        return f"arn:aws:s3:::{request['Bucket']}" + (f"/{request['Key']}" if "Key" in request else "")
    if operation in WITHOUT_RESOURCE:
        return "*"
    if "FunctionName" in request:
        name = request["FunctionName"]
        qualifier = f":{request['Qualifier']}" if "Qualifier" in request else ""
        return name if name.startswith("arn:") else f"{where}:function:{name}{qualifier}"
    if "Arn" in request:
        return str(request["Arn"])
    number = f":{request['VersionNumber']}" if "VersionNumber" in request else ""
    return f"{where}:layer:{request['LayerName']}{number}"


@pytest.fixture
def calls(site: Site) -> Iterator[list[Call]]:
    """Everything that is asked of AWS meanwhile, in dev and stage."""
    found: list[Call] = []
    hooked = {}
    for environment in (DEV, STAGE):
        for service in ("s3", "lambda", "sts"):
            for patience in (0, 20, 3 + 45, PATIENCE):
                made = client(service, environment, site.endpoint, patience)
                hooked[id(made)] = made

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        found.extend(needed(model.name, params))

    for made in hooked.values():
        made.meta.events.register("provide-client-params", note)
    yield found
    for made in hooked.values():
        made.meta.events.unregister("provide-client-params", note)


def everything(site: Site) -> None:
    """Each command that reaches AWS, on dev and stage."""
    releases(site, 4, 0)
    prune.prune(site.context, env="dev", keep="1", yes=True)
    site.write("canonical/scopes.yaml", "a: 1\n")
    site.write("canonical/more.yaml", "b: 1\n")
    site.write("VERSION", "CORE_VERSION=1.0.7\nDEPS_VERSION=1.0.5\n")
    site.deploy()
    (site.root / "canonical" / "more.yaml").unlink()
    site.write("VERSION", "CORE_VERSION=1.0.8\nDEPS_VERSION=1.0.5\n")
    site.deploy(delete=True, yes=True)
    site.promote(version="1.0.8")
    site.rollback()
    site.rollback("stage")
    adopt.adopt(site.context, env="dev", note="checked")
    site.history()
    site.smoke()
    site.invoke("dev", "ingest", "{}")
    with suppress(DiffersError):
        status.status(site.context)
    verify.verify(site.context, env="dev", deep=True)
    show.show(site.context, "dev")
    with suppress(DiffersError):
        show.compare(site.context, "dev", "stage")


def allowed(document: dict[str, Any]) -> list[Call]:
    return [(action, on) for each in document["Statement"] for action in each["Action"] for on in each["Resource"]]


def test_every_call_is_permitted_and_nothing_that_nobody_calls(site: Site, calls: list[Call]) -> None:
    everything(site)
    permitted = allowed(policy(PROJECT, "dev")) + allowed(policy(PROJECT, "stage"))
    refused = {
        call for call in calls if not any(call[0] == action and fnmatchcase(call[1], on) for action, on in permitted)
    }
    assert refused == set()
    called = {action for action, _ in calls}
    assert {action for action, _ in permitted} - called == DOCTOR


def needs(document: dict[str, Any], action: str, on: str) -> bool:
    return any(action == each and fnmatchcase(on, pattern) for each, pattern in allowed(document))


def test_a_layer_of_somebody_else_may_be_attached_again() -> None:
    foreign = f"arn:aws:lambda:{DEV.region}:999999999999:layer:tracing:7"
    assert needs(policy(PROJECT, "dev"), "lambda:GetLayerVersion", foreign)


def test_the_result_of_the_pipeline_may_be_read() -> None:
    text = RELEASE_TOML + '\n[e2e]\nfunctions = ["ingest"]\nbucket = "news-out-{env}"\nkey = "{client_id}/a.md"\n'
    document = policy(parse_project(text), "dev")
    assert needs(document, "s3:GetObject", "arn:aws:s3:::news-out-dev/me/a.md")
    assert not needs(document, "s3:GetObject", "arn:aws:s3:::news-out-stage/me/a.md")


def test_prune_may_know_what_every_other_environment_needs() -> None:
    document = policy(PROJECT, "stage")
    for other in ("dev", "prod"):
        bucket = f"arn:aws:s3:::{PROJECT.environments[other].bucket}"
        assert needs(document, "s3:ListBucket", bucket)
        assert needs(document, "s3:GetObject", f"{bucket}/journal/news/{other}/1.json")
    assert not needs(document, "s3:PutObject", f"{bucket}/journal/news/prod/1.json")


def test_names_are_those_of_the_region() -> None:
    there = policy(parse_project(RELEASE_TOML.replace("eu-west-3", "cn-north-1")), "dev")
    named = [on for each in there["Statement"] if each["Sid"] in ("Objects", "Functions") for on in each["Resource"]]
    assert all(on.startswith("arn:aws-cn:") for on in named)


@pytest.mark.parametrize("count", [2, 8, 9, 60])
def test_each_statement_has_a_name_that_iam_takes_and_all_fit_into_a_policy(count: int) -> None:
    more = "".join(
        f'[functions.worker{number}]\nname = "news-worker{number}-{{env}}"\nruntime = "python3.12"\n'
        for number in range(count - 2)
    )
    document = policy(parse_project(RELEASE_TOML + more), "stage")
    assert all(re.fullmatch("[A-Za-z0-9]+", each["Sid"]) for each in document["Statement"])
    assert len(json.dumps(document, separators=(",", ":"))) < 6144
    for name in ("news-ingest-stage", f"news-worker{count - 3}-stage") if count > 2 else ("news-ingest-stage",):
        assert needs(document, "lambda:UpdateFunctionCode", f"arn:aws:lambda:eu-west-3:111122223333:function:{name}")
