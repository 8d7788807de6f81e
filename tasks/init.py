"""inv init: this tool in another team's project, with a first release.toml."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from invoke import Context, task

from tasks.errors import ConfigError
from tasks.output.lines import say
from tasks.project.command import ROOT, changes
from tasks.project.git import read_git
from tasks.project.release_toml import parse_project
from tasks.project.starter import Answers, Found, compose, find_parts
from tasks.project.versions import read_versions

_COPIED = ("tasks.py", "invoke.yaml", "requirements.txt", "requirements-dev.txt", ".github/workflows/release.yml")
_MERGED = (".gitignore", ".gitattributes")
_ENVIRONMENTS = ("dev", "stage", "prod")
_BESIDE = {"requirements.txt": "requirements-inv.txt", "requirements-dev.txt": "requirements-inv-dev.txt"}
"""Where ours goes if the project has a file of that name."""


@task(
    help={
        "into": "the folder of the project, which is made if there is none",
        "name": "the project's name; its folder's without",
        "runtimes": "Lambda's runtimes, such as python3.12,python3.13",
        "architecture": "x86_64 or arm64",
        "environments": "in the order of promotion, such as test,live",
        "accounts": "the AWS account of each environment, or one for all",
        "region": "such as eu-west-3",
    }
)
@changes
def init(  # noqa: PLR0913, PLR0917  (the options of a command line)
    c: Context,  # noqa: ARG001  (what Invoke hands to every task)
    into: str,
    name: str = "",
    runtimes: str = "python3.12",
    architecture: str = "x86_64",
    environments: str = ",".join(_ENVIRONMENTS),
    accounts: str = "",
    region: str = "",
) -> None:
    """Put this tool into a project, and propose layers, functions and environments for what is there."""
    root = Path(into).expanduser().absolute()
    _check_target(root)
    named = tuple(filter(None, environments.split(",")))
    given = tuple(filter(None, (accounts or _asked("AWS account (12 digits)", "111111111111")).split(",")))
    answers = Answers(
        name=name or root.name.lower().replace("_", "-"),
        runtimes=tuple(filter(None, runtimes.split(","))),
        architecture=architecture,
        environments=named,
        accounts=given * len(named) if len(given) == 1 else given,
        region=region or _asked("AWS region", "eu-west-3"),
    )
    if len(answers.accounts) != len(named):
        raise ConfigError(f"--accounts names {len(given)} for {len(named)} environments; name one, or one for each")
    found = find_parts(root)
    if not (found.packages or found.requirements):
        raise ConfigError(
            f"{root} has neither a package (a folder with __init__.py) nor a requirements.txt, so there is no layer to "
            "make; write one of them first"
        )
    text, version = compose(answers, found)
    project = parse_project(text)
    read_versions(version, project.version_keys.values())
    for line in (*_write(root, {"release.toml": text, "VERSION": version}), *_copy(root)):
        say(line)
    if named != _ENVIRONMENTS:
        say(f"[INFO] .github/workflows/release.yml speaks of {', '.join(_ENVIRONMENTS)}: adapt it before you use it")
    _say_next(root, found, named[0])


def _check_target(root: Path) -> None:
    """ConfigError if something of the project's would be hidden, or mixed up with what comes."""
    if root == ROOT or root.is_relative_to(ROOT / "tasks"):
        raise ConfigError(f"{root} has this tool already; name another folder with --into")
    for name in ("tasks.py", "tasks", "release.toml"):
        if (root / name).exists():
            raise ConfigError(f"{root / name} is there already; move it away, or update tasks/ by hand")
    if root.exists() and not root.is_dir():
        raise ConfigError(f"{root} is no folder; name another with --into")
    git = read_git(root) if root.exists() else None
    if git and git.changed:
        raise ConfigError(
            f"{root} has changes that are not committed ({git.changed[0]}, ...); commit or stash them first, so that "
            "you see what init adds"
        )


def _asked(what: str, otherwise: str) -> str:
    """An answer from whoever is at the keyboard; the default where nobody is, or nothing is typed."""
    if not sys.stdin or not sys.stdin.isatty():
        return otherwise
    return input(f"{what} [{otherwise}]: ").strip() or otherwise


def _write(root: Path, texts: dict[str, str]) -> Iterator[str]:
    """Write files that are not there yet; a line about each."""
    for name, text in texts.items():
        path = root / name
        if path.exists():
            yield f"[SKIP] {name} is there already, and stays as it is"
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        yield f"[OK] {name}"


def _copy(root: Path) -> Iterator[str]:
    """Copy the tool; a line about each file that is not simply new."""
    shutil.copytree(ROOT / "tasks", root / "tasks", ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    yield "[OK] tasks/"
    beside = {name: other for name, other in _BESIDE.items() if (root / name).exists()}
    for name in _COPIED:
        text = (ROOT / name).read_text(encoding="utf-8")
        text = text.replace("-r requirements.txt", f"-r {beside.get('requirements.txt', 'requirements.txt')}")
        if name in beside:
            yield f"[INFO] {name} is the project's; this tool's goes to {beside[name]}"
        yield from _write(root, {beside.get(name, name): text})
    for name in _MERGED:
        there = (root / name).read_text(encoding="utf-8") if (root / name).exists() else ""
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        if more := [line for line in lines if line not in there.splitlines()]:
            ending = "" if there.endswith("\n") or not there else "\n"
            (root / name).write_text(there + ending + "\n".join(more) + "\n", encoding="utf-8", newline="\n")
            yield f"[OK] {name}" + (f": added {', '.join(more)}" if there else "")


def _say_next(root: Path, found: Found, environment: str) -> None:
    """What was found, and what to type."""
    for what, paths in [("Layer of", (*found.packages, *found.requirements)), ("Function in", tuple(found.handlers))]:
        say(*(f"[INFO] {what} {path}" for path in paths))
    tool = "requirements-inv-dev.txt" if (root / "requirements-inv-dev.txt").exists() else "requirements-dev.txt"
    commands = [f"cd {root}", "python3 -m venv .venv", f".venv/bin/pip install -r {tool}"]
    commands += [] if (root / ".git").exists() else ["git init"]
    commands += [".venv/bin/inv lock"] if found.requirements else []
    commands += ["git add .", f".venv/bin/inv sandbox deploy --env {environment}", ".venv/bin/inv doctor"]
    say("", "Next, after a look at release.toml:", *(f"   {each}" for each in commands))
