"""A first release.toml for a folder: what in it can become layers and functions, and what they would be called."""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_APART = {"tests", "test", "docs", "doc", "examples", "scripts", "benchmarks", "tasks", "node_modules", "build", "dist"}
_EVENT = ("event", "context")
_HANDLERS = ("lambda_handler", "handler", "handle", "main", "run")


@dataclass(frozen=True)
class Answers:
    """What somebody says of a project; runtimes by AWS's identifiers, accounts one for each environment."""

    name: str
    runtimes: tuple[str, ...]
    architecture: str
    environments: tuple[str, ...]
    accounts: tuple[str, ...]
    region: str


@dataclass(frozen=True)
class Found:
    """Folders of packages of our own, files of requirements, and handlers (folder -> `module.function`), as paths."""

    packages: tuple[str, ...]
    requirements: tuple[str, ...]
    handlers: Mapping[str, str]


BESIDE = {"requirements.txt": "requirements-inv.txt", "requirements-dev.txt": "requirements-inv-dev.txt"}
"""Where this tool's requirements are in a project that has files of these names."""


def requirements_of(root: Path, name: str) -> str:
    """The file of this tool's requirements, in a project that may have one of that name itself."""
    return BESIDE[name] if (root / BESIDE[name]).exists() else name


def find_parts(root: Path) -> Found:
    """What a folder has."""
    handlers = dict(_handlers(root))
    packages = [path.parent.relative_to(root).as_posix() for path in _files(root, "__init__.py")]
    packages = [each for each in packages if each not in handlers and not _inside(each, packages)]
    lists = [path.relative_to(root).as_posix() for path in _files(root, "requirements.txt")]
    own = [each for each in lists if not _inside(each, handlers)]
    return Found(tuple(packages), tuple(own), handlers)


def _files(root: Path, pattern: str) -> list[Path]:
    """The files of a name, three folders deep, of what may be part of a product."""
    found = [path for depth in range(4) for path in root.glob("*/" * depth + pattern)]
    return sorted(path for path in found if not any(_apart(part) for part in path.relative_to(root).parts[:-1]))


def _apart(folder: str) -> bool:
    return folder.startswith((".", "_")) or folder in _APART or folder.endswith(".egg-info")


def _inside(name: str, folders: Iterable[str]) -> bool:
    """Whether something lies in one of some folders."""
    return any(name.startswith(f"{each}/") for each in folders)


def _handlers(root: Path) -> Iterator[tuple[str, str]]:
    """Folders with a module that defines a function of an event and a context."""
    for path in _files(root, "*.py"):
        folder = path.parent.relative_to(root).as_posix()
        try:
            body = ast.parse(path.read_bytes()).body
        except (SyntaxError, ValueError, OSError):
            continue
        names = [each.name for each in body if isinstance(each, ast.FunctionDef) and _is_handler(each)]
        if names and folder != "." and path.stem.isidentifier() and path.stem != "__init__":
            yield folder, f"{path.stem}.{names[0]}"


def _is_handler(function: ast.FunctionDef) -> bool:
    """Whether a function is called like a handler, and takes what Lambda gives one."""
    return function.name in _HANDLERS and tuple(each.arg.lstrip("_") for each in function.args.args[:2]) == _EVENT


def name_for(path: str) -> str:
    """What a table is called for a folder or a file: lower-case words joined by hyphens."""
    last = path.rstrip("/").removesuffix("/requirements.txt").rpartition("/")[2]
    return re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-") or "deps"


def compose(answers: Answers, found: Found) -> tuple[str, str]:
    """release.toml and VERSION."""
    taken: list[str] = []
    layers = [(_free(name_for(each), taken), "source", each) for each in found.packages]
    layers += [(_free("common-deps", taken), "requirements", each) for each in found.requirements]
    keys = {name: re.sub("-", "_", name).upper() + "_VERSION" for name, _, _ in layers}
    parts = [
        "# What `inv` builds and releases. {env} in a name becomes the environment's name.",
        "",
        "[project]",
        f"name = {_quoted(answers.name)}",
        f"runtimes = [{', '.join(map(_quoted, answers.runtimes))}]",
        f'architecture = "{answers.architecture}"',
        "# smoke = true  # start each function after a deployment, with the event `smoke` of its table",
    ]
    for name, kind, path in layers:
        aws = f'name = "{answers.name}-{name}-{{env}}"'
        parts += ["", f"[layers.{name}]", aws, f'version_key = "{keys[name]}"', f"{kind} = {_quoted(path)}"]
    for folder, handler in found.handlers.items():
        name = _free(name_for(folder), taken)
        parts += ["", f"[functions.{name}]", f'name = "{answers.name}-{name}-{{env}}"']
        parts += [f'runtime = "{answers.runtimes[-1]}"', f"source = {_quoted(folder)}", f'handler = "{handler}"']
    for environment, account in zip(answers.environments, answers.accounts, strict=True):
        parts += ["", f"[environments.{_key(environment)}]", f'account = "{account}"', f'region = "{answers.region}"']
        # whoever may work in one account has other credentials in another
        parts += [f'profile = "{answers.name}-{environment}"'] if len(set(answers.accounts)) > 1 else []
        parts += [f'bucket = "{answers.name}-releases-{account}-{environment}"']
    version = "".join(f"{keys[name]}=0.1.0\n" for name, _, _ in layers)
    return "\n".join(parts) + "\n", version


def _free(name: str, taken: list[str]) -> str:
    """A name that no other table has."""
    wanted, number = name, 1
    while wanted in taken:
        number += 1
        wanted = f"{name}-{number}"
    taken.append(wanted)
    return wanted


def _key(text: str) -> str:
    """As a key of TOML."""
    return text if re.fullmatch(r"[\w-]+", text) else _quoted(text)


def _quoted(text: str) -> str:
    """As a text of TOML."""
    return json.dumps(text, ensure_ascii=False)
