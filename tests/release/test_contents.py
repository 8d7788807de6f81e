"""What two archives have inside, held against each other."""

from tasks.release.contents import bill_changes


def test_what_changed_between_two_lists_of_distributions() -> None:
    old, new = {"requests": "2.32.3", "six": "1.0", "idna": "3.1"}, {"requests": "2.32.4", "yaml": "6.0", "idna": "3.1"}
    assert bill_changes(old, new) == "requests 2.32.3 -> 2.32.4, + yaml 6.0, - six 1.0"
    assert bill_changes(old, old) == "the same distributions"
