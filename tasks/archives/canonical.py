"""The gate of the configuration: what is in its files, read before anything is released.

A file that does not parse fails where it is used, weeks later; a pattern that begins with r" parses, compiles and never
matches. So every YAML and JSON file is read here, and named with the line that is wrong.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from tasks.archives.configuration import File
from tasks.archives.nodes import (
    DEEPEST,
    MOST_MERGED,
    NO_TEXT,
    Constructor,
    is_merge,
    json_node,
    merged,
    name_of,
    told,
    yaml_nodes,
)
from tasks.archives.sources import parse_source
from tasks.errors import BuildError, listed
from tasks.project.model import Project

_RAW = re.compile(r"""^[rR](["']).*\1$""", re.DOTALL)
_LARGEST = 10_000_000
"""Bytes: what is larger is data, and takes longer to parse than anybody waits for a build."""


def check_configuration(found: Mapping[str, File], sources: Mapping[str, bytes], project: Project) -> None:
    """BuildError, with file and line, unless the configuration (key in the bucket -> file) holds together.

    `sources` are our own files (path -> contents), whose literal paths of the configuration must exist.
    """
    problems = [problem for key, file in found.items() for problem in _file(key, file, set(found), project)]
    problems += _named_in(sources, found, project)
    if problems:
        raise BuildError(listed("The configuration does not hold together; correct it:", problems))


def _file(key: str, file: File, known: set[str], project: Project) -> Iterator[str]:
    """What is wrong in one file."""
    if PurePosixPath(key).suffix.lower() not in (".yaml", ".yml", ".json"):
        return
    # held by tests/archives/test_canonical.py
    if (size := file.path.stat().st_size) > _LARGEST:
        if file.name not in project.allowed:
            yield (
                f"{key}: has {size:,} bytes, and what is larger than {_LARGEST:,} is not parsed here; split it, or say "
                f'under [allowed] in release.toml why it may be so large: "{file.name}" = "..."'
            )
        return
    try:
        text = file.path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        yield f"{key}: is not UTF-8 text"
        return
    try:
        if key.lower().endswith(".json"):
            json.loads(text)
            found = _problems(json_node(text), "", known, project, set())
            yield from (f"{key}, line {line}: {problem}" for line, problem in sorted(set(found)))
        else:
            yield from _parsed_yaml(key, text, known, project, read_elsewhere=file.name in project.allowed)
    except json.JSONDecodeError as error:
        yield f"{key}, line {error.lineno}: {error.msg.removesuffix(' at')}"
    except yaml.YAMLError as error:
        yield f"{key}{told(error, text, file.name)}"
    except ValueError:
        yield f"{key}: a number is too long to be read"
    except RecursionError:
        yield f"{key}: is nested more than {DEEPEST} levels deep"


def _parsed_yaml(key: str, text: str, known: set[str], project: Project, read_elsewhere: bool) -> Iterator[str]:
    """What is wrong in YAML. Raises what PyYAML raises, and RecursionError for what is nested too deeply.

    What is `read_elsewhere`, by a loader of their own, may have tags that yaml.safe_load does not know.
    """
    if found := NO_TEXT.search(text):
        yield f"{key}, line {text.count(chr(10), 0, found.start()) + 1}: {found[0]!a} may not stand in YAML"
        return
    for document in yaml_nodes(text):
        problems = sorted(set(_problems(document, "", known, project, set())))
        yield from (f"{key}, line {line}: {problem}" for line, problem in problems)
        # held by tests/archives/test_canonical.py
        if sum(merged(document, {}).values()) > MOST_MERGED and "<<" in text:
            yield f"{key}: its << bring more than {MOST_MERGED:,} keys"
        # held by tests/archives/test_canonical.py
        elif not read_elsewhere:
            Constructor().construct_document(document)


def _pattern(text: str) -> Iterator[str]:
    """Why a regular expression would not match what it is meant for."""
    if _RAW.match(text):
        yield f"the pattern begins with {text[:2]}, as in Python; here that is a part of it, and it never matches"
        return
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        yield f"the pattern does not compile ({error})"


def _problems(
    node: Any, key: str, known: set[str], project: Project, seen: set[tuple[int, str]]
) -> Iterator[tuple[int, str]]:
    """What is wrong below a node of PyYAML's, by line: patterns, files that are not there, keys given twice.

    What aliases lead to is looked at once below each key, however many lead there.
    """
    # held by tests/archives/test_canonical.py
    if (id(node), key) in seen:
        return
    seen.add((id(node), key))
    line, inside = node.start_mark.line + 1, []
    if node.id == "sequence":
        inside = [(key, each) for each in node.value]
    elif node.id == "mapping":
        names = set()
        for name, value in node.value:
            shown = str(name.value) if name.id == "scalar" else ""
            if name.id == "scalar" and not is_merge(name):
                meant = name_of(name)
                if meant in names:
                    yield name.start_mark.line + 1, f"{shown} stands there twice, and the first is lost"
                names.add(meant)
            inside.append((shown if shown in project.patterns or shown in project.references else "", value))
    elif key in project.patterns:
        yield from ((line, f"{key}: {problem}") for problem in _pattern(node.value))
    elif key in project.references and "://" not in node.value and node.value not in known:
        yield line, f"{key}: {node.value} is not among the configuration"
    for name, each in inside:
        yield from _problems(each, name, known, project, seen)


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
