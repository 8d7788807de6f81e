"""The configuration is read before it is released."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.archives.canonical import check_configuration
from tasks.archives.configuration import File, read_configuration
from tasks.errors import BuildError
from tasks.project.workspace import Workspace
from tests.archives.test_sources import git
from tests.examples import PROJECT, RELEASE_TOML, VERSION

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


ALIASES = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))


def test_aliases_to_aliases_are_followed_once_each(tmp_path: Path) -> None:
    check(tmp_path, None, a__yaml=f"{ALIASES}b: &b [*b]\n")


def test_a_file_with_anchors_merges_and_dates_passes(tmp_path: Path) -> None:
    check(tmp_path, None, a__yaml="a: &a {x: 1}\nb:\n  <<: *a\n  day: 2026-12-01\n  y: [0x1f, 1e3, ~, .inf]\n")


@pytest.mark.parametrize("name", ["a__json", "a__yaml"])
def test_a_character_may_be_written_as_two_escapes(tmp_path: Path, name: str) -> None:
    check(tmp_path, None, **{name: '{"a": "\\ud83d\\ude00"}'})


def test_one_large_list_may_be_meant_by_many_keys(tmp_path: Path) -> None:
    many = 3_000
    aliases = "".join(f"k{number}: *a\n" for number in range(many))
    check(tmp_path, None, a__yaml=f"x: &a [{'1,' * many}]\n{aliases}")


def test_json_may_be_indented_with_tabs(tmp_path: Path) -> None:
    check(tmp_path, None, a__json='{\n\t"a": [\n\t\t1\n\t]\n}')


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "\\ud83d\\ude00", "b": "\\ud83d"}',
        f'{{"{"k" * 1_500}": 1}}',
        '{"k"\n:\n 1}',
        '{"a": "\x7f"}',
        '{"a": "\\"[", "b": [{}, [], -1.5e3, NaN, true, null]}',
        '"a"',
        "[" * 200 + "]" * 200,
        '{"<<": 1, "=": 2, "1": 3, "~": 4}',
    ],
)
def test_what_is_json_passes_whatever_yaml_says_of_it(tmp_path: Path, text: str) -> None:
    check(tmp_path, None, a__json=text)


def test_two_hundred_levels_are_not_too_many(tmp_path: Path) -> None:
    check(tmp_path, None, a__yaml="[" * 200 + "]" * 200)


def test_lines_of_json_are_counted_as_they_stand(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"canonical/a.json, line 4: scope: gone is not among"):
        check(tmp_path, None, a__json='{\n"a": "\\n{",\n"b": {"c":\n {"scope": "gone"}}}')


@pytest.mark.parametrize("text", ['1: a\n"1": b\n', "x: &x {a: 1}\ny:\n  <<: *x\n  <<: *x\n"])
def test_keys_that_python_tells_apart_are_two(tmp_path: Path, text: str) -> None:
    check(tmp_path, None, a__yaml=text)


def test_a_tag_of_somebodys_own_loader_may_be_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: !Ref x\n")
    found = {"canonical/a.yaml": File(path, "", "config/a.yaml")}
    with pytest.raises(BuildError, match=r'under \[allowed\] in release.toml: "config/a.yaml" = "..."'):
        check_configuration(found, {}, SETTINGS)
    check_configuration(found, {}, replace(SETTINGS, allowed={"config/a.yaml": "read by its own loader"}))


def test_a_large_file_is_refused_unless_it_is_allowed_and_others_have_no_limit(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    path.write_text(f'["{"a" * 10_000_001}"]')
    found = {"canonical/big.json": File(path, "", "config/big.json")}
    with pytest.raises(BuildError, match=r'larger than 10,000,000 is not parsed .* "config/big.json" = "..."'):
        check_configuration(found, {}, SETTINGS)
    check_configuration(found, {}, replace(SETTINGS, allowed={"config/big.json": "a table of rates"}))
    check_configuration({"canonical/big.txt": found["canonical/big.json"]}, {}, SETTINGS)


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
        ("a__yaml", "[" * 100_000, "canonical/a.yaml: is nested more than 200 levels deep"),
        ("a__json", "[" * 100_000, "canonical/a.json: is nested more than 200 levels deep"),
        ("a__yaml", "[" * 201 + "]" * 201, "canonical/a.yaml: is nested more than 200 levels deep"),
        ("a__json", "[" * 201 + "]" * 201, "canonical/a.json: is nested more than 200 levels deep"),
        ("a__json", '{"a":\n"x\ty"}', "canonical/a.json, line 2: Invalid control character"),
        ("a__yaml", "a: 1\nb: \0\n", "canonical/a.yaml, line 2: '\\x00' may not stand in YAML"),
        ("a__yaml", "a:\n\t- 1\n", "canonical/a.yaml, line 2: a tab, where YAML has spaces"),
        ("a__yaml", "a: @b\n", "canonical/a.yaml, line 1: '@' cannot begin a value; put it in quotes"),
        ("a__yaml", "true: a\nyes: b\n", "line 2: yes stands there twice"),
        ("a__json", f'{{"a": {"1" * 6_000}}}', "canonical/a.json: a number is too long to be read"),
        ("a__yaml", f"a: {'1' * 6_000}", "canonical/a.yaml, line 1: a number is too long to be read"),
        ("a__yaml", f"a: 1{':1' * 500_000}", "canonical/a.yaml, line 1: a number is too long to be read"),
        ("a__yaml", "a: &a [x]\nb: &b [*a, *a]\nz: !!int {=: x, y: *b}\n", "line 3: "),
        ("a__yaml", "x: 1\nday: 2026-13-45\n", "line 2: '2026-13-45' cannot be read (month must be in 1..12)"),
        ("a__yaml", "x: 1\n<<: 5\n", "line 2: expected a mapping or list of mappings for merging"),
        ("a__yaml", "? [a]\n: 1\n", "line 1: found unhashable key"),
        ("a__yaml", "a: 1\nb: !Ref x\n", "line 2: yaml.safe_load does not know the tag !Ref; if"),
        ("a__yaml", "a: 0b_\n", "line 1: '0b_' cannot be read"),
        ("a__yaml", "a: !!timestamp x\n", "line 1: 'x' cannot be read"),
        ("a__yaml", "a: !!bool maybe\n", "line 1: 'maybe' cannot be read"),
        ("a__yaml", "a: =\n", "line 1: '=' alone cannot be read"),
        ("a__yaml", f"{MERGES}", "canonical/a.yaml: its << bring more than 1,000,000 keys"),
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_file_whose_name_has_control_characters_is_refused(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    (tmp_path / "canonical").mkdir()
    (tmp_path / "canonical" / "a\x1b[2J.txt").write_text("")
    with pytest.raises(BuildError, match=r"canonical/a\\x1b\[2J.txt: its name has control characters"):
        read_configuration(Workspace(tmp_path).checkout())


def test_a_link_that_git_tracks_is_no_file_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    (tmp_path / "canonical").mkdir()
    (tmp_path / "canonical" / "a.txt").write_text("a")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    assert set(read_configuration(Workspace(tmp_path).checkout())) == {"canonical/a.txt"}
    stored = "2e65efe2a145dda7ee51d1741299f848e5bf752e"  # what git calls the contents of a.txt
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"120000,{stored},canonical/b.txt")
    with pytest.raises(BuildError, match=r"canonical/b.txt is a .*, which no release can hold"):
        read_configuration(Workspace(tmp_path).checkout())
