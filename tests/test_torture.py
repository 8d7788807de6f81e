"""A sample of the table of tests/torture.py, and the whole of it among what takes long."""

import pytest

from tests.torture import cases, sample, table

pytestmark = pytest.mark.whole


def test_a_sample_of_all_faults_at_all_calls_breaks_no_promise() -> None:
    _, words = table(sample(60))
    assert words == []


@pytest.mark.long
def test_no_fault_at_any_call_breaks_a_promise() -> None:
    text, words = table(cases())
    print(text)
    assert words == []
