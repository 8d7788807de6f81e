"""What a machine and a repository need so that everything here works, each with how to mend it."""

import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tasks.project.files import read_text
from tasks.project.git import read_git
from tasks.project.interpreters import find_interpreter
from tasks.project.model import Project
from tasks.project.starter import BESIDE, requirements_of

_SANDBOX_PARTS = ("moto", "flask", "flask_cors")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; with a problem also what to do about it, and whether work can go on with it."""

    what: str
    problem: str = ""
    remedy: str = ""
    serious: bool = True


def check_machine(root: Path, project: Project) -> Iterator[Check]:
    """Python, the packages of requirements.txt, uv, git, where the repository lies, the Pythons of the runtimes."""
    yield Check(f"Python {'.'.join(map(str, sys.version_info[:3]))} runs inv")
    ours, more = (requirements_of(root, name) for name in BESIDE)
    install = f"run: {sys.executable} -m pip install -r {ours}"
    yield Check(f"the packages of {ours}", ", ".join(_unlike(root / ours)), install)
    found = importlib.util.find_spec("uv")
    yield Check("uv", "" if found else "is not installed", install)
    yield Check("git", "" if shutil.which("git") else "is not installed", "install it from https://git-scm.com")
    known = read_git(root) if shutil.which("git") else None
    yield Check(
        "a git repository",
        "" if known else "is not here, so every file in the sources would be built",
        "run: git init, then git add .",
        serious=False,
    )
    synchronized = re.search(r"(?i)onedrive|dropbox|google drive|icloud", str(root.resolve()))
    yield Check(
        "the folder of the repository",
        f"lies in {synchronized[0]}, which locks files and may not have them here" if synchronized else "",
        "move it to a folder that is not synchronized",
        serious=False,
    )
    for runtime in project.runtimes:
        python = find_interpreter(runtime)
        yield Check(
            f"a Python {runtime.version} to import layers with",
            "" if python else "is not here, so imports are not tried on it",
            f"run: uv python install {runtime.version}",
            serious=False,
        )
    missing = [name for name in _SANDBOX_PARTS if importlib.util.find_spec(name) is None]
    lacks = f"lacks {', '.join(missing)}" if missing else ""
    yield Check("the sandbox", lacks, install.replace(ours, more), serious=False)


def _unlike(requirements: Path) -> Iterator[str]:
    """The pinned packages that are not installed at their version."""
    if not requirements.is_file():
        return
    for line in read_text(requirements, requirements.name, "save it as UTF-8").splitlines():
        if pin := re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^\s;]+)\s*(;.*)?", line):
            try:
                there = version(pin[1])
            except PackageNotFoundError:
                there = "not installed"
            if there != pin[2] and not (pin[3] and there == "not installed"):
                yield f"{pin[1]} is {there}, and {pin[2]} is wanted"
