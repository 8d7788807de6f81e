"""Reads YAML and JSON as nodes with their lines, and says what is wrong with a text that cannot be read."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

DEEPEST = 200
"""Levels: Python's own loader gives up a little above, and libyaml's crashes where nobody counts."""
MOST_MERGED = 1_000_000
"""Keys that all `<<` of a document bring: a few lines can ask for billions."""
_LONGEST = 4_300
"""Characters of a number: Python refuses more digits, and takes minutes for as many in another form."""
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
NO_TEXT = yaml.reader.Reader.NON_PRINTABLE
_PLAIN = {*_NUMBERS, f"{_TAG}bool", f"{_TAG}null", f"{_TAG}timestamp"}
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|\n|[^\s,:\[\]{}"]+')
"""The tokens of valid JSON that say something, and the ends of its lines."""


class Constructor(yaml.constructor.SafeConstructor):
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


def yaml_nodes(text: str) -> Iterator[Any]:
    """Each document of YAML, as PyYAML's nodes. Raises what PyYAML raises, and RecursionError for too many levels."""
    # two escapes for one character are what JSON has, and Python's loader takes; libyaml does not
    text = _PAIR.sub(lambda found: json.loads(f'"{found[0]}"'), text)
    _check_depth(text)
    yield from (each for each in yaml.compose_all(text, Loader=_LOADER) if each is not None)


def _check_depth(text: str) -> None:
    """RecursionError if a document is nested more deeply than its loaders can follow."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        # held by tests/archives/test_canonical.py
        if depth > DEEPEST:
            raise RecursionError


def json_node(text: str) -> Any:
    """The nodes of valid JSON, as PyYAML gives them. Raises RecursionError for what is nested too deeply."""
    line, stack = 0, [("", 0, list[Any]())]
    for token in _JSON.finditer(text):
        word, mark = token[0], yaml.Mark("", 0, line, 0, None, 0)
        if word == "\n":
            line += 1
        elif word in "[{":
            stack.append((word, line, []))
            # held by tests/archives/test_canonical.py
            if len(stack) > DEEPEST + 1:
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


def name_of(name: Any) -> Any:
    """What the scalar that names a value is to a dictionary: 1 and "1" are two, true and yes are one."""
    return Constructor().construct_object(name) if name.tag in _PLAIN else name.value


def is_merge(name: Any) -> bool:
    """Whether the name of a value is << and not its own."""
    return bool(name.tag == f"{_TAG}merge")


def merged(node: Any, found: dict[int, int]) -> dict[int, int]:
    """How many keys each mapping of a document has once all `<<` are followed, by the identity of its node."""
    if id(node) in found or node.id == "scalar":
        return found
    found[id(node)] = 0
    size = 0
    for name, value in node.value if node.id == "mapping" else [(None, each) for each in node.value]:
        merged(value, found)
        if name is not None:
            merged(name, found)
            merges = is_merge(name)
            parts = value.value if merges and value.id == "sequence" else [value]
            size += sum(found.get(id(each), 0) for each in parts) if merges else 1
    found[id(node)] = size
    return found


def told(error: yaml.YAMLError, text: str, name: str) -> str:
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
