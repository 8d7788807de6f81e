import io
from typing import Any

from tasks.aws.connection import Connection, client
from tasks.aws.invoke import invoke_function
from tests.aws.recorder import Call, Recorder
from tests.examples import DEV

TIMEOUT = 900


def test_a_slow_function_is_invoked_once_with_a_patience_well_beyond_its_own(sandbox: str) -> None:
    calls: list[Call] = []
    made: list[tuple[str, int]] = []

    def make(service: str, patience: int) -> Any:
        made.append((service, patience))
        return Recorder(
            calls, {"get_function_configuration": {"Timeout": TIMEOUT}, "invoke": {"Payload": io.BytesIO(b"{}")}}
        )

    invoke_function(Connection(DEV, make), "news-ingest-dev", "{}")
    patience = made[-1][1]
    assert patience >= TIMEOUT + 30
    config = client("lambda", DEV, sandbox, patience=patience).meta.config
    assert config.read_timeout == patience
    assert config.retries["total_max_attempts"] == 1
