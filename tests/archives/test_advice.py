"""What to do is said for each cause of its own."""

import pytest

from tasks.archives.advice import on_failure, on_ignored

GONE = "a.py, line 1: ModuleNotFoundError: No module named "


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (f"{GONE}'yaml'", "git add what is missing if it is yours, else add it to the requirements"),
        (f"{GONE}'core.lib'", "run: git add --force src/core/lib/"),
        (f"{GONE}'core.made'", "run: git add --force src/core/made.py"),
        (
            "core/a.py, line 1: FileNotFoundError: [Errno 2] No such file or directory: '/opt/python/core/rates.json'",
            "run: git add --force src/core/rates.json",
        ),
        (
            "core/a.py, line 1: FileNotFoundError: [Errno 2] No such file or directory: '/opt/python/core/other.json'",
            "git add that file if it is yours",
        ),
        (
            "urllib3/a.py, line 1: ModuleNotFoundError: No module named 'urllib3.packages.six.moves'",
            "urllib3 does not run on python3.12 as it is locked; require another version of it and run: inv lock",
        ),
        ("urllib3/a.py, line 1: AttributeError: x", "urllib3 does not run on python3.12"),
        ("urllib3/a.py, line 1: ModuleNotFoundError: No module named 'six'", "git add what is missing"),
        ("urllib3/a.py, line 1: KeyError: environment variable X is not set", "give that variable a value"),
        ("a.py, line 1: ValueError: no", "correct the lines that are named"),
    ],
)
def test_an_import_that_fails_has_the_remedy_of_its_cause(failure: str, remedy: str) -> None:
    ignored = ("src/core/lib/", "src/core/made.py", "src/core/rates.json")
    assert remedy in on_failure(failure, "python3.12", {"urllib3"}, ignored)


def test_of_many_ignored_files_three_are_named() -> None:
    said = on_ignored("src/core", ["src/core/a", "src/core/b", "src/core/c", "src/core/d", "src/core/e"])
    assert "src/core/a, src/core/b, src/core/c and 2 more; what the code needs, add with: git add --force" in said
