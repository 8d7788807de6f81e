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
from tasks.archives.sources import parse_source
from tasks.errors import BuildError, listed
from tasks.project.model import Project

_RAW = re.compile(r"""^[rR](["']).*\1$""", re.DOTALL)
_LARGEST = 10_000_000
"""Bytes: what is larger is data, and takes longer to parse than anybody waits for a build."""
_DEEPEST = 200
"""Levels: Python's own loader gives up a little above, and libyaml's crashes where nobody counts."""
_MOST_MERGED = 1_000_000
"""Keys that all `<<` of a document bring: a few lines can ask for billions."""
_LONGEST = 4_300
"""Characters of a number: Python refuses more digits, and takes minutes for as many in another form."""
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
_NO_TEXT = yaml.reader.Reader.NON_PRINTABLE
_PLAIN = {*_NUMBERS, f"{_TAG}bool", f"{_TAG}null", f"{_TAG}timestamp"}
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|\n|[^\s,:\[\]{}"]+')
"""The tokens of valid JSON that say something, and the ends of its lines."""


class _Constructor(yaml.constructor.SafeConstructor):
    """What yaml.safe_load makes of a document; whatever it stumbles over is said with its line."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Return what a node stands for. Raises ConstructorError, where the loader raises whatever comes up."""
        # held by tests/archives/test_canonical.py
        if node.id == "scalar" and node.tag in _NUMBERS and len(node.value) > _LONGEST:
            raise yaml.constructor.ConstructorError(None, None, "a number is too long to be read", node.start_mark)
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
            shown = repr(node.value[:40]) if isinstance(node.value, str) else node.tag  # whose nodes may be endless
            text = f"{shown} cannot be read ({str(error)[:80]})"
            raise yaml.constructor.ConstructorError(None, None, text, node.start_mark) from error


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
            found = _problems(_json_node(text), "", known, project, set())
            yield from (f"{key}, line {line}: {problem}" for line, problem in sorted(set(found)))
        else:
            yield from _parsed_yaml(key, text, known, project, read_elsewhere=file.name in project.allowed)
    except json.JSONDecodeError as error:
        yield f"{key}, line {error.lineno}: {error.msg.removesuffix(' at')}"
    except yaml.YAMLError as error:
        yield f"{key}{_told(error, text, file.name)}"
    except ValueError:
        yield f"{key}: a number is too long to be read"
    except RecursionError:
        yield f"{key}: is nested more than {_DEEPEST} levels deep"


def _told(error: yaml.YAMLError, text: str, name: str) -> str:
    """The line of an error of PyYAML's, and what is wrong there, in words that lead on."""
    mark, problem = getattr(error, "problem_mark", None), str(getattr(error, "problem", error))
    if mark is None:
        return f": {problem}"
    if text.splitlines()[mark.line : mark.line + 1] and "cannot start any token" in problem:
        at = text.splitlines()[mark.line][mark.column : mark.column + 1]
        problem = "a tab, where YAML has spaces" if at == "\t" else f"{at!r} cannot begin a value; put it in quotes"
    if "could not determine a constructor" in problem:
        tag = problem.split("tag ")[-1].strip("'")
        if tag == f"{_TAG}value":
            return f", line {mark.line + 1}: '=' alone cannot be read; put it in quotes"
        problem = f"yaml.safe_load does not know the tag {tag}; if your own loader does, say so under [allowed] in "
        problem += f'release.toml: "{name}" = "..."'
    return f", line {mark.line + 1}: {problem}"


def _parsed_yaml(key: str, text: str, known: set[str], project: Project, read_elsewhere: bool) -> Iterator[str]:
    """What is wrong in YAML. Raises what PyYAML raises, and RecursionError for what is nested too deeply.

    What is `read_elsewhere`, by a loader of their own, may have tags that yaml.safe_load does not know.
    """
    if found := _NO_TEXT.search(text):
        yield f"{key}, line {text.count(chr(10), 0, found.start()) + 1}: {found[0]!a} may not stand in YAML"
        return
    # two escapes for one character are what JSON has, and Python's loader takes; libyaml does not
    text = _PAIR.sub(lambda found: json.loads(f'"{found[0]}"'), text)
    _check_depth(text)
    for document in yaml.compose_all(text, Loader=_LOADER):
        if document is None:
            continue
        problems = sorted(set(_problems(document, "", known, project, set())))
        yield from (f"{key}, line {line}: {problem}" for line, problem in problems)
        # held by tests/archives/test_canonical.py
        if sum(_merged(document, {}).values()) > _MOST_MERGED and "<<" in text:
            yield f"{key}: its << bring more than {_MOST_MERGED:,} keys"
        # held by tests/archives/test_canonical.py
        elif not read_elsewhere:
            _Constructor().construct_document(document)


def _json_node(text: str) -> Any:
    """The nodes of valid JSON, as PyYAML gives them. Raises RecursionError for what is nested too deeply."""
    line, stack = 0, [("", 0, list[Any]())]
    for token in _JSON.finditer(text):
        word, mark = token[0], yaml.Mark("", 0, line, 0, None, 0)
        if word == "\n":
            line += 1
        elif word in "[{":
            stack.append((word, line, []))
            # held by tests/archives/test_canonical.py
            if len(stack) > _DEEPEST + 1:
                raise RecursionError
        elif word in "]}":
            kind, began, inside = stack.pop()
            mark = yaml.Mark("", 0, began, 0, None, 0)
            pairs = list(zip(inside[::2], inside[1::2], strict=True)) if kind == "{" else []
            each = yaml.MappingNode(f"{_TAG}map", pairs, mark) if kind == "{" else None
            stack[-1][2].append(each or yaml.SequenceNode(f"{_TAG}seq", inside, mark))
        else:
            value = json.loads(word) if word[0] == '"' else word
            stack[-1][2].append(yaml.ScalarNode(f"{_TAG}str", value, mark))
    return stack[0][2][0]


def _check_depth(text: str) -> None:
    """RecursionError if a document is nested more deeply than its loaders can follow."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        # held by tests/archives/test_canonical.py
        if depth > _DEEPEST:
            raise RecursionError


def _merged(node: Any, found: dict[int, int]) -> dict[int, int]:
    """How many keys each mapping of a document has once all `<<` are followed, by the identity of its node."""
    if id(node) in found or node.id == "scalar":
        return found
    found[id(node)] = 0
    size = 0
    for name, value in node.value if node.id == "mapping" else [(None, each) for each in node.value]:
        _merged(value, found)
        if name is not None:
            _merged(name, found)
            merges = name.tag == f"{_TAG}merge"
            parts = value.value if merges and value.id == "sequence" else [value]
            size += sum(found.get(id(each), 0) for each in parts) if merges else 1
    found[id(node)] = size
    return found


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
            if name.id == "scalar" and name.tag != f"{_TAG}merge":
                # as dictionaries see it: 1 and "1" are two, true and yes are one
                meant = _Constructor().construct_object(name) if name.tag in _PLAIN else shown
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
