"""The configuration is read before it is released."""

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.archives.canonical import check_configuration
from tasks.archives.configuration import File
from tasks.errors import BuildError
from tests.examples import PROJECT

SETTINGS = replace(PROJECT, patterns=("pattern",), references=("scope",))


def check(folder: Path, sources: dict[str, bytes] | None = None, **files: str) -> None:
    found = {}
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(text.encode())
        found[f"canonical/{path.name}"] = File(path, "")
    check_configuration(found, sources or {}, SETTINGS)


def test_what_holds_together_passes(tmp_path: Path) -> None:
    check(
        tmp_path,
        {"src/a.py": b"X = 'canonical/a.yaml'\n"},
        a__yaml="pattern: 'a+'\nscope: canonical/b.json\nurl: 1\nlist:\n  - pattern: '^b$'\n",
        b__json='{"pattern": ["a", "b"], "nested": {"a": null}}',
        c__txt="{ not read",
    )


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a__yaml", "a: [1\nb: 2\n", "canonical/a.yaml, line 2"),
        ("a__yaml", "a: 1\n\ta: 2\n", "canonical/a.yaml, line 2"),
        ("a__json", '{"a": 1,\n}', "canonical/a.json, line 2"),
        ("a__yaml", "a: 1\nb: 2\na: 3\n", "canonical/a.yaml, line 3: a stands there twice, and the first is lost"),
        ("a__json", '{"a": 1,\n "a": 2}', "canonical/a.json, line 2: a stands there twice"),
        ("a__yaml", 'x:\n  pattern: r"a+"\n', 'line 2: pattern: the pattern begins with r", as in Python'),
        ("a__yaml", "pattern: \"r'a+'\"\n", "the pattern begins with r', as in Python"),
        ("a__yaml", "pattern:\n - a\n - '(b'\n", "line 3: pattern: the pattern does not compile"),
        ("a__yaml", "scope: canonical/nowhere.yaml\n", "line 1: scope: canonical/nowhere.yaml is not among"),
        ("a__yaml", "a: !!python/object:os.system {}\nb: [", "canonical/a.yaml, line"),
        ("a__yaml", "[" * 100_000, "canonical/a.yaml"),
    ],
)
def test_what_would_fail_later_is_named_with_file_and_line(tmp_path: Path, name: str, text: str, problem: str) -> None:
    with pytest.raises(BuildError) as caught:
        check(tmp_path, None, **{name: text})
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("A = 'canonical/gone.yaml'\n", True),
        ("def f():\n    return 'canonical/gone.yaml'\n", True),
        ("def f(x):\n    return f'canonical/{x}.yaml'\n", False),
        ('"""Reads canonical/gone.yaml."""\nA = "see canonical/gone.yaml"\n', False),
        ("A = 'canonical/'\nB = 'canonical/{name}.yaml'\n", False),
    ],
)
def test_a_path_that_the_sources_name_must_exist(tmp_path: Path, source: str, *, found: bool) -> None:
    if not found:
        check(tmp_path, {"src/a.py": source.encode()}, a__yaml="a: 1\n")
        return
    with pytest.raises(BuildError, match="src/a.py, line .: canonical/gone.yaml is not among the configuration"):
        check(tmp_path, {"src/a.py": source.encode()}, a__yaml="a: 1\n")
