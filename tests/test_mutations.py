"""The list of guards to take out keeps up with the code that it takes them out of."""

import ast

import pytest

from tests.mutations import LISTED, ROOT, Mutation


@pytest.mark.parametrize("mutation", LISTED, ids=str)
def test_every_guard_of_the_list_is_where_it_says_and_leaves_a_program(mutation: Mutation) -> None:
    assert ast.parse(mutation.text(ROOT))
