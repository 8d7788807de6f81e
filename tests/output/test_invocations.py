"""What is said of functions that were run."""

from dataclasses import replace

from tasks.output.invocations import smoked_lines
from tasks.release.invocations import Invocation

DONE = Invocation("news-ingest-dev", "", {"statusCode": 200}, "", 0.1)


def test_a_smoke_test_that_does_work_is_told_what_it_did_and_what_to_do() -> None:
    assert list(smoked_lines(DONE)) == ["   [OK] Smoke test: news-ingest-dev starts (0.10 s)"]
    assert list(smoked_lines(replace(DONE, work=("read s3://b/k", "called dynamodb GetItem"))))[1] == (
        "   [WARNING] The smoke test of news-ingest-dev read s3://b/k, called dynamodb GetItem, which is work: let the "
        'handler answer {"smoke": true} at once, or leave `smoke` out for it'
    )
