"""inv init: this tool in another team's project, with a first release.toml."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from invoke import Context, task

from tasks.commands import GROUPS
from tasks.errors import ConfigError
from tasks.output.lines import say
from tasks.project.command import ROOT, changes
from tasks.project.files import cannot_write, read_text
from tasks.project.git import changed_files, read_git
from tasks.project.model import Project
from tasks.project.release_toml import parse_project
from tasks.project.starter import BESIDE, Answers, Found, compose, find_parts, requirements_of
from tasks.project.versions import read_versions

_COPIED = ("tasks.py", "invoke.yaml", *BESIDE, "requirements-inv.lock", ".github/workflows/release.yml")
_MERGED = (".gitignore", ".gitattributes")
_ENVIRONMENTS = ("dev", "stage", "prod")
_PLACEHOLDER = "111111111111"
"""The account where nobody names one."""


@task(
    help={
        "into": "the folder of the project, which is made if there is none",
        "name": "the project's name; its folder's without",
        "runtimes": "Lambda's runtimes, such as python3.12,python3.13 (python3.12)",
        "architecture": "x86_64 or arm64",
        "environments": "in the order of promotion, such as test,live (dev,stage,prod)",
        "accounts": "the AWS account of each environment, or one for all",
        "region": "such as eu-west-3",
    }
)
@changes
def init(  # noqa: PLR0913, PLR0917  (the options of a command line)
    c: Context,  # noqa: ARG001  (what Invoke hands to every task)
    into: str,
    name: str = "",
    runtimes: str = "",
    architecture: str = "x86_64",
    environments: str = "",
    accounts: str = "",
    region: str = "",
) -> None:
    """Put this tool into a project, and propose layers, functions and environments for what is there."""
    root = Path(into).expanduser().resolve()
    git = _check_target(root)
    name = name or _asked("Name of the project", root.name.lower().replace("_", "-"))
    runs_on = _several(runtimes or _asked("Lambda's runtimes", "python3.12"))
    named = _several(environments or _asked("Environments, in the order of promotion", ",".join(_ENVIRONMENTS)))
    given = _several(accounts or _asked("AWS accounts (12 digits; one, or one for each)", _PLACEHOLDER))
    answers = Answers(
        name=name,
        runtimes=runs_on,
        architecture=architecture,
        environments=named,
        accounts=given * len(named) if len(given) == 1 else given,
        region=region or _asked("AWS region", "eu-west-3"),
    )
    if len(set(named)) < len(named):
        raise ConfigError(f"--environments {','.join(named)} names one twice; give each a name of its own")
    if len(answers.accounts) != len(named):
        raise ConfigError(f"--accounts names {len(given)} for {len(named)} environments; name one, or one for each")
    found = find_parts(root)
    if not (found.packages or found.requirements):
        raise ConfigError(
            f"{root} has neither a package (a folder with __init__.py) nor a requirements.txt, so there is no layer to "
            "make; write one of them first"
        )
    text, version = compose(answers, found)
    try:
        project = parse_project(text)
    except ConfigError as error:
        raise ConfigError(f"The release.toml that this gives cannot be used, and was not written: {error}") from error
    _check_names(project)
    files, said = dict(_composed(root, text, version, project)), list[str]()
    for target, contents, line in (*_tool(root), *_merged(root)):
        files[target] = contents
        said += [line] if line else []
    _write(root, files)
    say(*(f"[OK] {name}" for name in files if not name.startswith("tasks/")), "[OK] tasks/", *said)
    if _PLACEHOLDER in answers.accounts:
        say(f"[WARNING] Account {_PLACEHOLDER} is a placeholder: replace it in [environments], in the buckets, too")
    if named != _ENVIRONMENTS:
        say(f"[INFO] .github/workflows/release.yml speaks of {', '.join(_ENVIRONMENTS)}: adapt it before you use it")
    for what, paths in [("Layer of", (*found.packages, *found.requirements)), ("Function in", tuple(found.handlers))]:
        say(*(f"[INFO] {what} {path}" for path in paths))
    commands = next_commands(root, found, named[0], git=git, windows=os.name == "nt")
    say("", "Next, after a look at release.toml:", *(f"   {each}" for each in commands))


def _several(text: str) -> tuple[str, ...]:
    """What commas or spaces stand between."""
    return tuple(text.replace(",", " ").split())


def _check_target(root: Path) -> bool:
    """Whether git knows the folder. ConfigError if something of the project's would be hidden, or mixed up."""
    if root == ROOT or root.is_relative_to(ROOT / "tasks"):
        raise ConfigError(f"{root} has this tool already; name another folder with --into")
    if there := [name for name in ("tasks.py", "tasks", "release.toml") if os.path.lexists(root / name)]:
        raise ConfigError(f"{root} has {', '.join(there)} already; move that away, or update tasks/ by hand")
    if root.exists() and not root.is_dir():
        raise ConfigError(f"{root} is no folder; name another with --into")
    git = read_git(root) if root.exists() else None
    # held by tests/test_init.py
    if changed := changed_files(root) if git else []:
        raise ConfigError(
            f"{root} has changes that are not committed ({changed[0]}, ...); commit or stash them first, so that "
            "you see what init adds"
        )
    return git is not None


def _check_names(project: Project) -> None:
    """ConfigError for an environment that is called like a task."""
    taken = {what.split()[0] for group in GROUPS.values() for what in group} | {"commands"}
    for name in project.environments:
        if name in taken:
            raise ConfigError(f"An environment cannot be called {name!r}, like a task; give it another name")


def _asked(what: str, otherwise: str) -> str:
    """An answer from whoever is at the keyboard; the default where nobody is, or nothing is typed."""
    if not sys.stdin or not sys.stdin.isatty():
        return otherwise
    try:
        return input(f"{what} [{otherwise}]: ").strip() or otherwise
    except EOFError:
        raise ConfigError("Nothing was answered, so nothing was written; for options run: inv --help init") from None


def _composed(root: Path, text: str, version: str, project: Project) -> Iterator[tuple[str, bytes]]:
    """release.toml and VERSION. ConfigError if there is a VERSION that lacks what is needed."""
    yield "release.toml", text.encode()
    if not os.path.lexists(root / "VERSION"):
        yield "VERSION", version.encode()
        return
    try:
        read_versions(read_text(root / "VERSION", "VERSION", "move it away"), project.version_keys.values())
    except ConfigError as error:
        lines = ", ".join(version.split())
        raise ConfigError(
            f"{root / 'VERSION'} is the project's; add {lines} to it, or move it away ({error})"
        ) from error


def _tool(root: Path) -> Iterator[tuple[str, bytes, str]]:
    """The tool's files, by their names in the project, and what is worth a word."""
    for path in sorted((ROOT / "tasks").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path.relative_to(ROOT).as_posix(), path.read_bytes(), ""
    there = {name: other for name, other in BESIDE.items() if os.path.lexists(root / name)}
    for name in _COPIED:
        source = requirements_of(ROOT, name) if name in BESIDE else name
        text = (ROOT / source).read_text(encoding="utf-8")
        for usual, other in BESIDE.items():  # this project may have them elsewhere, too
            text = text.replace(f"-r {other}", f"-r {usual}").replace(f"-r {usual}", f"-r {there.get(usual, usual)}")
        if name not in there and os.path.lexists(root / name):
            continue  # it is the project's own
        said = f"[INFO] {name} is the project's; this tool's is {there[name]}" if name in there else ""
        yield there.get(name, name), text.encode(), said


def _merged(root: Path) -> Iterator[tuple[str, bytes, str]]:
    """Files of lines that get those of ours which they lack, in their own line endings."""
    for name in _MERGED:
        before = (root / name).read_bytes() if (root / name).is_file() else b""
        lines = (ROOT / name).read_bytes().split(b"\n")
        more = [line for line in lines if line and line not in before.replace(b"\r\n", b"\n").split(b"\n")]
        ending = b"\r\n" if b"\r\n" in before else b"\n"
        if more:
            gap = ending if before and not before.endswith(b"\n") else b""
            added = ", ".join(line.decode() for line in more)
            yield name, before + gap + ending.join(more) + ending, f"[INFO] {name} got {added}" if before else ""


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    """Write all of them, or none: what is new is taken away again if one cannot be written. BuildError says why."""
    before = {name: (root / name).read_bytes() if (root / name).exists() else None for name in files}
    written = list[str]()
    try:
        for name, contents in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            written.append(name)
            (root / name).write_bytes(contents)
    except OSError as error:
        for done in written:
            # held by tests/test_init.py
            _put_back(root / done, before[done])
        raise cannot_write(root / name, error) from error


def _put_back(path: Path, contents: bytes | None) -> None:
    """Make a file what it was; none, if there was none."""
    with suppress(OSError):
        if contents is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(contents)


def next_commands(root: Path, found: Found, environment: str, *, git: bool, windows: bool) -> list[str]:
    """What to type in a project that was given this tool."""
    python, programs = ("py", ".venv\\Scripts\\") if windows else ("python3", ".venv/bin/")
    folder = f'"{root}"' if windows else shlex.quote(str(root))
    tool = requirements_of(root, "requirements-dev.txt")
    commands = [f"cd {folder}", f"{python} -m venv .venv", f"{programs}pip install -r {tool}"]
    commands += [] if git else ["git init"]
    commands += [f"{programs}inv lock"] if found.requirements else []
    commands += ["git add .", 'git commit -m "Release layers with inv"']
    return [*commands, f"{programs}inv sandbox deploy --env {environment}", f"{programs}inv doctor"]
