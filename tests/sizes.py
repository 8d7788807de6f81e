"""How long modules and functions may be, how many parameters a function takes; and what is still larger.

A list of exceptions only shrinks: what is larger than it says fails, and so does what is no exception any more.
"""

import ast
from pathlib import Path

MODULE, FUNCTION, PARAMETERS = 200, 30, 5
"""Lines without the marks of guards; lines of a body without its documentation; a value counts as one parameter."""

MODULES = {
    "aws/functions.py": 245,
    "aws/journal.py": 324,
    "aws/observe.py": 345,
    "aws/perform.py": 267,
    "engine.py": 350,
    "init.py": 217,
    "output/console.py": 202,
    "output/documents.py": 294,
    "release/actions.py": 208,
    "release/events.py": 207,
    "release/findings.py": 259,
    "release/journal.py": 290,
    "release/plan.py": 341,
    "show.py": 299,
}
FUNCTIONS = {
    "archives/together.py:_trial": 32,
    "archives/workshop.py:_make": 33,
    "aws/evidence.py:gather": 35,
    "aws/observe.py:observe": 32,
    "engine.py:carry_out": 44,
    "init.py:init": 44,
    "output/console.py:Console.__call__": 43,
    "project/checkup.py:check_machine": 32,
    "release/policy.py:policy": 52,
    "release/promotion.py:running_release": 35,
    "release/status.py:status_of": 32,
    "show.py:compare": 35,
}
WIDE = {
    "archives/checks.py:check_archive": 7,
    "archives/checks.py:find_problems": 6,
    "archives/sources.py:read_sources": 6,
    "aws/connection.py:_client": 6,
    "deploy.py:bring": 10,
    "deploy.py:deploy": 8,
    "deploy.py:publish": 6,
    "deploy.py:update_lambdas": 7,
    "engine.py:carry_out": 6,
    "init.py:init": 8,
    "invoke.py:invoke": 6,
    "promote.py:promote": 9,
    "rollback.py:rollback": 7,
}


def lines_of(path: Path) -> int:
    """The lines of a module, without the marks of its guards."""
    return sum(not line.lstrip().startswith("# held by ") for line in path.read_text(encoding="utf-8").splitlines())


def functions_in(path: Path) -> dict[str, tuple[int, int]]:
    """Name (with that of its class) -> lines of the body, parameters without `self`."""
    text = path.read_text(encoding="utf-8")
    marks = {number for number, line in enumerate(text.splitlines(), 1) if line.lstrip().startswith("# held by ")}
    found = {}
    for name, node in _functions(ast.parse(text), ""):
        body = node.body[1:] if ast.get_docstring(node) and node.body[1:] else node.body
        length = (node.end_lineno or 0) - body[0].lineno + 1
        length -= sum(body[0].lineno <= mark <= (node.end_lineno or 0) for mark in marks)
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        found[name] = length, sum(each.arg not in ("self", "cls") for each in given)
    return found


def _functions(node: ast.AST, inside: str) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((f"{inside}{child.name}", child))
        name = f"{inside}{child.name}." if isinstance(child, ast.ClassDef | ast.FunctionDef) else inside
        found += _functions(child, name)
    return found
