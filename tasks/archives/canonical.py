"""The gate of the configuration: what is in its files, read before anything is released.

A file that does not parse fails where it is used, weeks later; a pattern that begins with r" parses, compiles and never
matches. So every YAML and JSON file is read here, and named with the line that is wrong.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tasks.archives.configuration import File
from tasks.archives.sources import parse_source
from tasks.errors import BuildError, listed
from tasks.project.model import Project

_RAW = re.compile(r"""^[rR](["']).*\1$""", re.DOTALL)


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
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))  # JSON is YAML, too
        for document in documents:
            found = sorted(_problems(document, "", known, project))
            yield from (f"{key}, line {line}: {problem}" for line, problem in found)
    except UnicodeDecodeError:
        yield f"{key}: is not UTF-8 text"
    except json.JSONDecodeError as error:
        yield f"{key}, line {error.lineno}: {error.msg}"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield f"{key}{f', line {mark.line + 1}' if mark else ''}: {getattr(error, 'problem', error)}"
    except RecursionError:
        yield f"{key}: is nested too deeply"


def _pattern(text: str) -> Iterator[str]:
    """Why a regular expression would not match what it is meant for."""
    if _RAW.match(text):
        yield f"the pattern begins with {text[:2]}, as in Python; here that is a part of it, and it never matches"
        return
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        yield f"the pattern does not compile ({error})"


def _problems(node: Any, key: str, known: set[str], project: Project) -> Iterator[tuple[int, str]]:
    """What is wrong below a node of PyYAML's, by line: patterns, files that are not there, keys given twice."""
    if node is None:
        return
    line, inside = node.start_mark.line + 1, []
    if node.id == "sequence":
        inside = [(key, each) for each in node.value]
    elif node.id == "mapping":
        seen = set()
        for name, value in node.value:
            shown = str(name.value) if name.id == "scalar" else key
            if name.id == "scalar" and shown in seen:
                yield name.start_mark.line + 1, f"{shown} stands there twice, and the first is lost"
            seen.add(shown)
            inside.append((shown, value))
    elif key in project.patterns:
        yield from ((line, f"{key}: {problem}") for problem in _pattern(node.value))
    elif key in project.references and "://" not in node.value and node.value not in known:
        yield line, f"{key}: {node.value} is not among the configuration"
    for name, each in inside:
        yield from _problems(each, name, known, project)


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
