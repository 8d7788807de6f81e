"""What holds for every task."""

import os
import signal
import time

import pytest
from invoke import Config, Context

from tasks.errors import ReleaseError
from tasks.project.command import for_sandbox, shows


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process at once")
def test_to_be_asked_to_end_is_to_be_interrupted() -> None:
    @shows
    def body(_: Context) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(ReleaseError, match="^Interrupted$"):
            body(Context(Config()))
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process at once")
def test_whoever_does_not_want_to_be_asked_to_end_is_left_alone() -> None:
    @shows
    def body(_: Context) -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        return "done"

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert body(Context(Config())) == "done"
    finally:
        signal.signal(signal.SIGTERM, before)


def test_advice_on_the_sandbox_stays_there() -> None:
    assert for_sandbox("x; run: inv verify --env dev") == "x; run: inv sandbox verify --env dev"
    assert for_sandbox("x; run: inv lock") == "x; run: inv lock"
    assert for_sandbox("x; run: aws s3 ls") == (
        "x; after inv sandbox.up, with what inv sandbox.env prints, run: aws s3 ls"
    )
