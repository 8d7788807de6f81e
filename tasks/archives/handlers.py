"""Where a function begins: which module and which function of it Lambda is to call.

Lambda imports whatever `handler` names, wherever it lies (https://github.com/aws/aws-lambda-python-runtime-interface-client,
bootstrap.py): a module or a package, in the function's package or in a layer, with dots or slashes. Whether it has the
function is decided by importing it; where that cannot be tried, by reading it.
"""

import ast
import zipfile
from collections.abc import Iterable, Iterator, Sequence

from tasks.archives.manifest import Archive
from tasks.archives.sources import parse_source
from tasks.errors import BuildError
from tasks.project.model import Project
from tasks.release.artifacts import site_of


def module_of(handler: str) -> str:
    """Return the module that a handler is in, as it is imported."""
    return handler.rpartition(".")[0].replace("/", ".")


def check_modules(project: Project, packages: Sequence[Archive], layers: Iterable[Archive]) -> None:
    """BuildError unless each handler's module is in its package, or in a layer."""
    in_layers = {path for layer in layers for path in _paths(layer)} if packages else set()
    for package in packages:
        forms = _forms(package)
        # held by tests/test_build.py
        if not _own(project, package) and in_layers.isdisjoint(forms):
            path = f"{project.functions[package.artifact.name].source.rstrip('/')}/{forms[0]}"
            raise BuildError(
                f"{path} is not in the package, but the handler is {package.artifact.handler}; git add it if it is "
                "there, or correct `handler` in release.toml"
            )


def check_untried(project: Project, packages: Iterable[Archive], tried: Iterable[str]) -> None:
    """BuildError unless each package that was not imported, on the runtimes `tried`, defines what its handler names."""
    runtimes = set(tried)
    for package in packages:
        own = _own(project, package)
        if own and runtimes.isdisjoint(package.artifact.runtimes):
            _check_defined(own, package.recipe.sources[own], package.artifact.handler)


def _forms(package: Archive) -> tuple[str, str]:
    """The two files that a handler's module may be."""
    path = module_of(package.artifact.handler).replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"


def _own(project: Project, package: Archive) -> str:
    """The source of a handler's module; empty if it is not in the package."""
    source = project.functions[package.artifact.name].source.rstrip("/")
    return next((path for form in _forms(package) if (path := f"{source}/{form}") in package.recipe.sources), "")


def _paths(layer: Archive) -> list[str]:
    with zipfile.ZipFile(layer.path) as archive:
        return [site_of(name)[1] for name in archive.namelist()]


def _check_defined(path: str, contents: bytes, handler: str) -> None:
    """BuildError unless a module defines the function, or takes in what only importing it shows."""
    try:
        names = set(_defined(parse_source(contents, path)))
    except (BuildError, RecursionError) as error:
        raise BuildError(f"{error}; correct it") from error
    function = handler.rpartition(".")[2]
    if names.isdisjoint({function, "*", "__getattr__"}):
        raise BuildError(f"{path} defines no {function}, but the handler is {handler}; correct it, or release.toml")


def _defined(module: ast.AST) -> Iterator[str]:
    """The names that a module's own lines define, assign or import; not those inside functions and classes."""
    for node in ast.iter_child_nodes(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif not isinstance(node, ast.Lambda):
            yield from _defined(node)
