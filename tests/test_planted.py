"""A refusal planted at each write of a deployment and of a promotion on the sandbox: everything is left as it was."""

from collections.abc import Iterator
from typing import Any

import pytest

from tasks.aws.connection import Connection
from tasks.aws.reach import reach
from tasks.errors import ReleaseError
from tasks.project.model import Environment
from tasks.sandbox.faults import Fault, Faults
from tasks.sandbox.server import Server
from tests.examples import DEV, RELEASE_TOML
from tests.front import Site

pytestmark = pytest.mark.long

WRITES = {"PublishLayerVersion": 2, "UpdateFunctionConfiguration": 2, "UpdateFunctionCode": 1}
DEPLOYING = [(name, call) for name, calls in {**WRITES, "PutObject": 22}.items() for call in range(1, calls + 1)]
PROMOTING = [(name, call) for name, calls in {**WRITES, "CopyObject": 7}.items() for call in range(1, calls + 1)]
TRUTHS = ("is as it was before", "Nothing that runs in")


@pytest.fixture
def news(site: Site, server: Server) -> Iterator[Site]:
    """The example project with a package for one of its functions; all is well again after the test."""
    line = 'name = "news-ingest-{env}"\nruntime = "python3.12"\n'
    packaged = RELEASE_TOML.replace(line, f'{line}source = "src/fn"\nhandler = "handler.run"\n')
    site.write("release.toml", packaged)
    site.write("src/fn/handler.py", "def run(event, context):\n    return {}\n")
    yield site
    server.aws.faults = None


def state(there: Connection) -> Any:
    """Everything that runs: functions and configuration, as values."""
    functions = {}
    for name in there.environment.function_names.values():
        found = there.functions.get_function(FunctionName=name)["Configuration"]
        layers = [layer["Arn"] for layer in found["Layers"]]
        functions[name] = (found["Runtime"], found["Handler"], found["CodeSha256"], layers)
    bucket = there.environment.canonical_bucket
    keys = [item["Key"] for item in there.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return functions, {key: there.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def is_open(site: Site, environment: Environment) -> bool:
    """Whether the newest entry is open: its close was refused, and this process still lives."""
    entry = reach(site.command, environment).newest()
    return entry is not None and not entry.closed


@pytest.mark.parametrize(("operation", "call"), DEPLOYING)
def test_a_deployment_that_is_refused_a_write_leaves_everything_as_it_was(
    news: Site, dev: Connection, server: Server, operation: str, call: int
) -> None:
    dev.s3.put_object(Bucket=DEV.canonical_bucket, Key="canonical/scopes.yaml", Body=b"by hand")
    before = state(dev)
    server.aws.faults = Faults((Fault(operation, call=call, status=403, code="AccessDenied"),))
    said = ""
    try:
        news.deploy()
    except ReleaseError as error:
        said = str(error)
    server.aws.faults = None
    if is_open(news, DEV):
        assert "Cannot write entry 1 of the journal" in said
        return
    assert said or operation == "PutObject"
    if said:
        assert state(dev) == before
    news.deploy()
    assert state(dev) != before


@pytest.mark.parametrize(("operation", "call"), PROMOTING)
def test_a_promotion_that_is_refused_a_write_leaves_everything_as_it_was(
    news: Site, stage: Connection, server: Server, operation: str, call: int
) -> None:
    news.deploy()
    before = state(stage)
    server.aws.faults = Faults((Fault(operation, call=call, status=403, code="InvalidRequest"),))
    with pytest.raises(ReleaseError) as raised:
        news.promote()
    server.aws.faults = None
    assert any(truth in str(raised.value) for truth in TRUTHS)
    assert state(stage) == before
    news.promote()
    assert state(stage) != before
