"""Projects to measure with: a folder with the tool and sources of a chosen size, committed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import Command, run

ROOT = Path(__file__).parent.parent
INV = str(Path(sys.executable).with_name("inv"))

_HEAD = """
[project]
name = "bench"
runtimes = ["python3.11", "python3.12"]
"""
_LAYER = '\n[layers.{0}]\nname = "bench-{0}-{{env}}"\nversion_key = "{1}_VERSION"\nsource = "src/{0}"\n'
_FUNCTION = '\n[functions.f{0}]\nname = "bench-f{0}-{{env}}"\nruntime = "python3.12"\n'
_PACKAGED = 'source = "src/functions/f{0}"\nhandler = "handler.run"\n'
_ENVIRONMENT = """
[environments.{0}]
account = "123456789012"
region = "eu-west-3"
bucket = "bench-code-{0}"
canonical_bucket = "bench-config-{0}"
"""


def variables(folder: Path, address: str = "") -> dict[str, str]:
    """The environment of a command: a cache of its own, no settings of this user's, and an AWS at an address."""
    found = {
        "PYTHONDONTWRITEBYTECODE": "",
        "LAMBDA_LAYERS_CACHE": str(folder.parent / "cache"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ACCESS_KEY_ID": "AKIABENCHMARK",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "eu-west-3",
    }
    return {**found, "AWS_ENDPOINT_URL": address} if address else found


def git(folder: Path, *command: str) -> None:
    """Run git as nobody in particular."""
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True)  # noqa: S607


def copy_tool(folder: Path) -> None:
    """The tool as it stands."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "tasks", folder / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tasks.py", "invoke.yaml", ".gitignore", ".gitattributes"):
        shutil.copy(ROOT / name, folder / name)


def module(size: int, number: int) -> str:
    """The source of a module of about so many bytes, unlike every other."""
    lines = [f'"""Module {number}."""', ""]
    while sum(map(len, lines)) < size:
        place = len(lines)
        lines += [f"def function_{place}(value: int) -> int:", f"    return value * {number} + {place}", ""]
    return "\n".join(lines)


def layered(folder: Path, files: int, size: int = 8700) -> Path:
    """A project with one first-party layer of so many files."""
    copy_tool(folder)
    (folder / "release.toml").write_text(
        _HEAD + _LAYER.format("core", "CORE") + _FUNCTION.format(0) + _ENVIRONMENT.format("dev")
    )
    (folder / "VERSION").write_text("CORE_VERSION=1.0.0\n")
    source = folder / "src" / "core"
    for number in range(files):
        place = source / f"part{number // 100}"
        if not place.exists():
            place.mkdir(parents=True)
            (place / "__init__.py").write_text("")
        (place / f"module{number}.py").write_text(module(size, number))
    (source / "__init__.py").write_text("")
    return _committed(folder)


def required(folder: Path, count: int) -> Path:
    """A project with one layer of so many small wheels, which lie in a folder beside it."""
    from tests.archives.wheelhouse import list_wheels, make_wheel

    layered(folder, 1)
    wheels = folder.parent / "wheels"
    for number in range(count):
        make_wheel(wheels, f"small{number}", files={f"small{number}/__init__.py": f"NUMBER = {number}\n"})
    list_wheels(wheels)
    text = (folder / "release.toml").read_text()
    (folder / "release.toml").write_text(text.replace('source = "src/core"', 'requirements = "requirements.txt"'))
    (folder / "requirements.txt").write_text("".join(f"small{number}\n" for number in range(count)))
    index = {"UV_DEFAULT_INDEX": (wheels / "simple").as_uri(), "UV_NO_CACHE": "1"}
    for command in ("lock", "build-deps"):
        run(Command([INV, command], folder, {**variables(folder), **index}))
    return folder


def deployable(folder: Path, functions: int, objects: int, *, packages: bool = False) -> Path:
    """A project with two small layers, so many functions and objects of configuration, and two environments."""
    copy_tool(folder)
    text = _HEAD + _LAYER.format("core", "CORE") + _LAYER.format("deps", "DEPS")
    for number in range(functions):
        text += _FUNCTION.format(number) + (_PACKAGED.format(number) if packages else "")
        if packages:
            (folder / f"src/functions/f{number}").mkdir(parents=True)
            (folder / f"src/functions/f{number}/handler.py").write_text(
                f"def run(event, context):\n    return {number}\n"
            )
    if objects:
        text += '\n[configuration]\ncanonical = "canonical"\n'
        (folder / "canonical").mkdir()
        for number in range(objects):
            (folder / "canonical" / f"{number}.yaml").write_text(
                "".join(f"line{place}: {number}\n" for place in range(20))
            )
    (folder / "release.toml").write_text(text + _ENVIRONMENT.format("dev") + _ENVIRONMENT.format("stage"))
    (folder / "VERSION").write_text("CORE_VERSION=1.0.0\nDEPS_VERSION=1.0.0\n")
    for layer in ("core", "deps"):
        (folder / "src" / layer).mkdir(parents=True)
        (folder / "src" / layer / "__init__.py").write_text(f"NAME = {layer!r}\n")
    return _committed(folder)


def _committed(folder: Path) -> Path:
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def inv(folder: Path, *arguments: str, address: str = "") -> None:
    """Run the tool once, unmeasured."""
    run(Command([INV, *arguments], folder, variables(folder, address)))
