"""Finds imports that nothing satisfies, by reading the sources: what is known without running anything."""

import ast
import hashlib
import re
from collections.abc import Container, Iterator, Mapping, Sequence

from tasks.archives.known import Known
from tasks.archives.sources import parse_source
from tasks.errors import BuildError


def undeclared(
    sources: Mapping[str, bytes], brought: Sequence[Container[str]], known: Known | None = None
) -> Iterator[str]:
    """The imports in Python files (path -> contents) that on some runtime no top-level module there satisfies.

    What may be missing by design is passed over: an import that is meant for type checkers or for some versions of
    Python only, or has an alternative under `except ImportError` that can succeed. `brought` are the modules there are,
    runtime by runtime. Of what is `known` only the imports are looked at.
    """
    known = known or Known()
    for name, contents in sources.items():
        if not name.endswith(".py"):
            continue
        digest = hashlib.sha256(contents).hexdigest()
        before = known.imports.get(digest)
        if before is not None and all(each in there for there in brought for each in before):
            continue
        try:
            tree = parse_source(contents, name)
            named = {module.partition(".")[0] for _, module in _missing(tree, ())}
            lacking = [there for there in brought if not all(each in there for each in named)]
            missing = {each for there in lacking for each in _missing(tree, there)}
        except BuildError as error:
            yield str(error)
            continue
        except RecursionError:
            yield f"{name}: is nested too deeply"
            continue
        known.imports[digest] = sorted(named)
        for line, module in sorted(missing):
            yield f"{name}, line {line}: imports {module}, which no layer brings"


def _missing(tree: ast.AST, known: Container[str]) -> Iterator[tuple[int, str]]:
    """Line and name of every absolute import that cannot succeed."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        elif isinstance(node, ast.expr) or _may_be_missing(node):
            continue
        elif isinstance(node, ast.Try) and _catches_import_error(node):
            if list(_missing(ast.Module(node.body, []), known)):
                for handler in node.handlers:
                    yield from _missing(handler, known)
            continue
        else:
            yield from _missing(node, known)
            continue
        yield from ((node.lineno, name) for name in names if name.partition(".")[0] not in known)


_ELSEWHERE = re.compile(r"TYPE_CHECKING|version_info|\bos\.name\b|\bsys\.platform\b|\bplatform\.")
"""Conditions under which an import is meant for somewhere else: a type checker, another Python, another system."""
_CAUGHT = re.compile(r"\b(ImportError|ModuleNotFoundError|Exception|BaseException)\b")
_SUPPRESSED = re.compile(rf"(contextlib\.)?suppress\(.*{_CAUGHT.pattern}")


def _catches_import_error(node: ast.Try) -> bool:
    return any(handler.type is None or _CAUGHT.search(ast.unparse(handler.type)) for handler in node.handlers)


def _may_be_missing(node: ast.AST) -> bool:
    """Whether the imports below are meant for somewhere else, or do no harm where they fail."""
    if isinstance(node, ast.If):
        return _ELSEWHERE.search(ast.unparse(node.test)) is not None
    items = node.items if isinstance(node, ast.With) else []
    return any(_SUPPRESSED.match(ast.unparse(item.context_expr)) for item in items)
