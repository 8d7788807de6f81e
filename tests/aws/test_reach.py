"""What an environment's reach keeps for later."""

import pytest

from tasks.aws.connection import Connection
from tasks.aws.perform import Sources
from tasks.aws.reach import Aws
from tasks.project.rehearsals import remembered
from tests.examples import DEV, RELEASE


@pytest.mark.parametrize("endpoint", ["", "http://sandbox:key@127.0.0.1:1"])
def test_what_a_smoke_test_did_is_known_of_the_sandbox_alone(endpoint: str) -> None:
    connection = Connection(DEV, lambda service, patience: (service, patience), endpoint)
    Aws(connection, "news", "me", Sources()).rehearsed(RELEASE, {"ingest": ("read s3://a/b",)})
    assert remembered(RELEASE.identity) == ({"ingest": ("read s3://a/b",)} if endpoint else {})
