"""The gate of the configuration: what is in its files, read before anything is released.

A file that does not parse fails where it is used, weeks later; a pattern that begins with r" parses, compiles and never
matches. So every YAML and JSON file is read here, and named with the line that is wrong.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.archives.configuration import File
from tasks.archives.sources import parse_source
from tasks.errors import BuildError, listed
from tasks.project.model import Project

_RAW = re.compile(r"""^[rR](["']).*\1$""", re.DOTALL)


@dataclass(frozen=True)
class Value:
    """A scalar in a file: the key it stands under, what it says, and its line."""

    key: str
    text: str
    line: int


def check_configuration(found: Mapping[str, File], sources: Mapping[str, bytes], project: Project) -> None:
    """BuildError, with file and line, unless the configuration (key in the bucket -> file) holds together.

    `sources` are our own files (path -> contents), whose literal paths of the configuration must exist.
    """
    problems = [problem for key, file in found.items() for problem in _file(key, file.path, set(found), project)]
    problems += _named_in(sources, found, project)
    if problems:
        raise BuildError(listed("The configuration does not hold together; correct it:", problems))


def _file(key: str, path: Path, known: set[str], project: Project) -> Iterator[str]:
    """What is wrong in one file."""
    if PurePosixPath(key).suffix.lower() not in (".yaml", ".yml", ".json"):
        return
    contents = path.read_bytes()
    try:
        text = contents.decode("utf-8-sig")
        if key.lower().endswith(".json"):
            json.loads(text)
        yield from _values(key, list(_read(text)), known, project)
    except UnicodeDecodeError:
        yield f"{key}: is not UTF-8 text"
    except json.JSONDecodeError as error:
        yield f"{key}, line {error.lineno}: {error.msg}"
    except _Unreadable as error:
        yield f"{key}{error}"
    except RecursionError:
        yield f"{key}: is nested too deeply"


def _values(key: str, values: Iterable[Value], known: set[str], project: Project) -> Iterator[str]:
    """What is wrong with values: patterns that cannot match, files that are not there, keys given twice."""
    for value in values:
        where = f"{key}, line {value.line}: {value.key}"
        if value.text == _TWICE:
            yield f"{where} stands there twice, and the first is lost"
        elif value.key in project.patterns:
            yield from (f"{where}: {problem}" for problem in _pattern(value.text))
        elif value.key in project.references and "://" not in value.text and value.text not in known:
            yield f"{where}: {value.text} is not among the configuration"


def _pattern(text: str) -> Iterator[str]:
    """Why a regular expression would not match what it is meant for."""
    if _RAW.match(text):
        yield f"the pattern begins with {text[:2]}, as in Python; here that is a part of it, and it never matches"
        return
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        yield f"the pattern does not compile ({error})"


class _Unreadable(Exception):  # noqa: N818  (a problem, told as others are)
    """YAML that cannot be read: where, and why."""


_TWICE = "\0twice"


def _read(text: str) -> Iterator[Value]:
    """Every scalar of a YAML document (JSON is one, too) with its key and line, and every key that is given twice."""
    import yaml

    try:
        for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
            yield from _walk(document, "")
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise _Unreadable(f"{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise _Unreadable(f": {error}") from error


def _walk(node: Any, key: str) -> Iterator[Value]:
    """The scalars below a node of PyYAML's."""
    if node is None:
        return
    if node.id == "scalar":
        yield Value(key, str(node.value), node.start_mark.line + 1)
    elif node.id == "sequence":
        for each in node.value:
            yield from _walk(each, key)
    else:
        seen = set()
        for name, value in node.value:
            shown = str(name.value) if name.id == "scalar" else key
            if name.id == "scalar" and shown in seen:
                yield Value(shown, _TWICE, name.start_mark.line + 1)
            seen.add(shown)
            yield from _walk(value, shown)


def _named_in(sources: Mapping[str, bytes], found: Mapping[str, File], project: Project) -> Iterator[str]:
    """Literal paths of the configuration in our own sources that lead nowhere."""
    for name, contents in sources.items():
        if name.endswith(".py") and any(f"{prefix}/".encode() in contents for prefix in project.configuration):
            for line, text in _literals(parse_source(contents, name)):
                below = any(text.startswith(f"{prefix}/") for prefix in project.configuration)
                if below and PurePosixPath(text).suffix and text not in found and "{" not in text and "*" not in text:
                    yield f"{name}, line {line}: {text} is not among the configuration"


def _literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The texts that a module's lines hold as a whole: no parts of f-strings, no documentation."""
    parts = {id(each) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for each in node.values}
    parts |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value
