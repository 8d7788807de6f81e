"""Imports what was built, the way Lambda would, before anything is released.

The layers are unpacked over one another into /opt's likeness, in the order of attachment, and every module is
imported by a clean interpreter of each runtime that has no site-packages of its own. Where a runtime's interpreter is
not on this machine, the static checks stand in: those of `tasks.layers.checks`, and `undeclared` below, which finds
imports that nothing satisfies by reading the sources.
"""

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.layers.interpreters import find_interpreter
from tasks.release.runtimes import Runtime

__all__ = ["PROVIDED", "Trial", "try_imports", "undeclared"]

PROVIDED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3", "awslambdaric")
"""What Lambda's Python runtimes bring: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html"""

_PATIENCE = 300

_CHILD = """
import importlib, importlib.machinery, json, sys
task = json.load(sys.stdin)
sys.path[:0] = task["paths"]
sys.dont_write_bytecode = True
class Provided:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in task["provided"]:
            return importlib.machinery.PathFinder.find_spec(name, task["lender"])
sys.meta_path.append(Provided)
failed = {}
for name in task["modules"]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = f"{type(error).__name__}: {error}"
sys.__stdout__.write("\\n" + json.dumps(failed))
"""


@dataclass(frozen=True)
class Trial:
    """What came of importing on one runtime; `interpreter` is empty where the runtime could not be tried."""

    runtime: str
    interpreter: str
    modules: int
    failures: tuple[str, ...] = ()


def try_imports(runtime: Runtime, layers: Sequence[Path], package: Path | None, modules: Sequence[str]) -> Trial:
    """Import `modules` on a runtime from unpacked layers, later ones over earlier, and a function's package."""
    interpreter = find_interpreter(runtime)
    if not interpreter or not modules:
        return Trial(runtime.name, interpreter, 0)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        for archive, where in [*((layer, "opt") for layer in layers), *([(package, "task")] if package else [])]:
            with zipfile.ZipFile(archive) as opened:  # its names were checked before it got this far
                opened.extractall(scratch / where)
        python = scratch / "opt" / "python"
        paths = [scratch / "task", python / "lib" / runtime.name / "site-packages", python]
        failures = _run(interpreter, [str(path) for path in paths], modules, scratch)
    return Trial(runtime.name, interpreter, len(modules), failures)


def _run(interpreter: str, paths: list[str], modules: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Import in a child process; what failed, one sentence each."""
    boto3 = importlib.util.find_spec("boto3")
    lender = [str(Path(boto3.origin).parent.parent)] if boto3 and boto3.origin else []
    task = {"paths": paths, "modules": list(modules), "provided": PROVIDED, "lender": lender}
    command = [interpreter, "-I", "-S", "-B", "-X", "utf8", "-c", _CHILD]
    try:
        result = subprocess.run(
            command,
            input=json.dumps(task),
            capture_output=True,
            encoding="utf-8",
            cwd=folder,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return (f"importing took more than {_PATIENCE} seconds",)
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        return (f"the interpreter ended with {result.returncode}: {last}",)
    failed: dict[str, str] = json.loads(result.stdout.rpartition("\n")[2])
    return tuple(f"{module}: {reason}" for module, reason in failed.items())


def undeclared(sources: Iterable[Path], brought: Iterable[str]) -> Iterator[str]:
    """The imports in these source files that no layer brings, Python does not have, and Lambda does not provide.

    What may be missing by design is passed over: an import tried with `except ImportError`, or meant for type
    checkers only.
    """
    known = {*brought, *PROVIDED, *sys.stdlib_module_names}
    for path in sources:
        try:
            tree = ast.parse(path.read_bytes(), str(path))
        except SyntaxError as error:
            yield f"{path}, line {error.lineno}: {error.msg}"
            continue
        for line, module in sorted(set(_imports(tree))):
            if module.partition(".")[0] not in known:
                yield f"{path}, line {line}: imports {module}, which no layer brings; add it to the requirements"


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of every absolute import that must succeed."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module
        elif (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)) or (
            isinstance(node, ast.Try)
            and re.search(
                r"ImportError|ModuleNotFoundError",
                " ".join(ast.unparse(each.type) for each in node.handlers if each.type),
            )
        ):
            continue
        else:
            yield from _imports(node)
