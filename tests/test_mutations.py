"""The marks of guards, and what the mutator takes out for them."""

import ast

import pytest

from tests.mutations import guards, without


def test_every_mark_stands_above_something_that_can_be_taken_out_and_leaves_a_program() -> None:
    found = guards()
    assert found
    assert all(ast.parse(each.text) for each in found)


def left(text: str, part: str = "", line: int = 1) -> str:
    """What is left of a program."""
    tree = ast.parse(text)
    without(tree, line, part)
    return ast.unparse(ast.fix_missing_locations(tree))


@pytest.mark.parametrize(
    ("text", "part", "stays"),
    [
        ("if a:\n    b()\nelse:\n    c()", "", "if False:\n    b()\nelse:\n    c()"),
        ("check(a)", "", "pass"),
        ("a = b(c)", "", "a = None"),
        ("with a:\n    b()", "", "b()"),
        ("if a and b:\n    c()", "a", "if b:\n    c()"),
        ("a = [b for b in c if d if e]", "d", "a = [b for b in c if e]"),
        ("a(b, c=d)", "c=d", "a(b)"),
        ("a(b, c=d)", "b", "a(c=d)"),
        ("a = {'b': c, 'd': e}", "'b': c", "a = {'d': e}"),
        ("a = b if c else d", "c", "a = b if False else d"),
        ("A = 13.0", "13.0 -> 16.0", "A = 16.0"),
        ("a = b(c)", "-> c", "a = c"),
        ("if a(b):\n    c()", "-> True", "if True:\n    c()"),
    ],
)
def test_a_statement_or_a_part_of_it_is_taken_out(text: str, part: str, stays: str) -> None:
    assert left(text, part) == stays


def test_an_exception_is_not_caught() -> None:
    assert left("try:\n    a()\nexcept B:\n    c()\nexcept D:\n    e()", line=3) == "try:\n    a()\nexcept D:\n    e()"


@pytest.mark.parametrize(("text", "part", "line"), [("a()", "", 2), ("a(b)", "c", 1)])
def test_a_mark_above_nothing_is_an_error(text: str, part: str, line: int) -> None:
    with pytest.raises(LookupError):
        left(text, part, line)
