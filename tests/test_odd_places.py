"""Command lines where something is odd: disks, locales, pipes, names. One message each, no traceback, no hang."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.examples import RELEASE_TOML, VERSION
from tests.fakes import make_pipe

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.name == "nt", reason="its oddities are POSIX's")]
ROOT = Path(__file__).parent.parent
PATIENCE = 90
COMMANDS = {
    "list": ["--list"],
    "build": ["build"],
    "clean": ["clean"],
    "check": ["check"],
    "show": ["show", "core", "--files"],
    "compare": ["compare", "core", "deps"],
    "bump": ["bump", "--part", "minor", "--layer", "deps"],
    "check file": ["check", "--file", "some.zip"],
    "dry": ["sandbox", "deploy", "--env", "dev", "--dry-run"],
    "deploy": ["sandbox", "deploy", "--env", "dev", "history", "--env", "dev"],
    "down": ["sandbox.down"],
}


INVOKES_OWN = {("list", "stdout full"), ("list", "reader gone")}
"""`inv --list` is printed by Invoke, which ends with a traceback there."""


def nothing(_: Path) -> None:
    pass


@dataclass(frozen=True)
class Oddity:
    """What is odd: in the repository, in the environment, or in how the command is started (`start` has "$@")."""

    prepare: Callable[[Path], object] = nothing
    environment: Mapping[str, str] = field(default_factory=dict)
    start: str = '"$@"'


def links(name: str, target: str) -> Callable[[Path], None]:
    def link(root: Path) -> None:
        (root / name).parent.mkdir(exist_ok=True)
        shutil.rmtree(root / name, ignore_errors=True)
        with suppress(FileNotFoundError):
            (root / name).unlink()
        (root / name).symlink_to(target)

    return link


def writes(name: str, contents: bytes) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        path = os.fsencode(root / os.fsdecode(name))
        shutil.rmtree(path, ignore_errors=True)
        Path(os.fsdecode(path)).parent.mkdir(exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(contents)

    return write


def folder(name: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        (root / name).unlink()
        (root / name).mkdir()

    return make


def pipe(name: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        make_pipe(root / name)

    return make


ODDITIES = {
    "cp1252": Oddity(environment={"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}),
    "ascii": Oddity(environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "stdout closed": Oddity(start='"$@" >&-'),
    "stdout full": Oddity(start='"$@" >/dev/full'),
    "reader gone": Oddity(start='"$@" | head -n 1'),
    "stdin closed": Oddity(start='"$@" <&-'),
    "disk full": Oddity(start='ulimit -f 0; "$@"'),
    "few files": Oddity(start='ulimit -n 24; "$@"'),
    ".build a file": Oddity(writes(".build", b"")),
    ".build dangling": Oddity(links(".build", "nowhere/at/all")),
    ".build/layers a file": Oddity(writes(".build/layers", b"")),
    ".build/layers a link": Oddity(links(".build/layers", "../precious")),
    "manifest a link to itself": Oddity(links(".build/manifest.json", "manifest.json")),
    "cache cannot be": Oddity(environment={"LAMBDA_LAYERS_CACHE": "/proc/nowhere"}),
    "cache is a file": Oddity(environment={"LAMBDA_LAYERS_CACHE": "/dev/null"}),
    "a name that is not UTF-8": Oddity(writes(os.fsdecode(b"src/core/\xff.py"), b"")),
    "names equal but for case": Oddity(
        lambda root: [(root / "src" / "core" / n).write_text("") for n in ("a.py", "A.py")]
    ),
    "a pointer of LFS": Oddity(
        writes("src/core/big.py", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    ),
    "a pipe among the sources": Oddity(pipe("src/core/pipe.py")),
    "a pipe as an archive": Oddity(pipe("some.zip")),
    "a link to itself": Oddity(links("src/core/self.py", "self.py")),
    "release.toml a folder": Oddity(folder("release.toml")),
    "release.toml a pipe": Oddity(pipe("release.toml")),
    "VERSION a folder": Oddity(folder("VERSION")),
    "VERSION unreadable": Oddity(links("VERSION", "/proc/self/mem")),
    "canonical a file": Oddity(writes("canonical", b"")),
    "no home": Oddity(environment={"HOME": "/proc/nowhere"}),
    "no PATH": Oddity(environment={"PATH": "/proc/nowhere"}),
    "GIT_DIR elsewhere": Oddity(environment={"GIT_DIR": "/proc/nowhere"}),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project that has been built."""
    root = tmp_path_factory.mktemp("odd") / "project"
    root.mkdir()
    for name in ("tasks.py", "invoke.yaml"):
        shutil.copy(ROOT / name, root)
    (root / "tasks").symlink_to(ROOT / "tasks")
    (root / "release.toml").write_text(RELEASE_TOML)
    (root / "VERSION").write_text(VERSION)
    for layer in ("core", "deps"):
        (root / "src" / layer).mkdir(parents=True)
        (root / "src" / layer / "__init__.py").write_text("NAME = 'é'\n", encoding="utf-8")
    (root / "precious").mkdir()
    (root / "precious" / "mine.zip").write_text("mine")
    (root / "canonical").mkdir()
    (root / "canonical" / "scopes.yaml").write_text("a: 1\n")
    result = run(root, ["build"], Oddity())
    assert result.returncode == 0, result.stderr
    return root


def run(root: Path, arguments: Sequence[str], oddity: Oddity) -> "subprocess.CompletedProcess[str]":
    code = (
        "import sys; from pathlib import Path; import tasks.project.command as c; c.ROOT = Path.cwd(); "
        "from invoke.main import program; program.run(['inv', *sys.argv[1:]])"
    )
    return subprocess.run(
        ["/bin/bash", "-c", oddity.start, "inv", sys.executable, "-c", code, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), **oddity.environment},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("oddity", ODDITIES)
def test_every_command_ends_with_a_message_and_without_a_traceback(
    project: Path, tmp_path: Path, oddity: str, record_property: Callable[[str, object], None]
) -> None:
    ended = {}
    for name, arguments in COMMANDS.items():
        if (name, oddity) in INVOKES_OWN:
            continue
        root = tmp_path / name.replace(" ", "-")
        shutil.copytree(project, root, symlinks=True)
        ODDITIES[oddity].prepare(root)
        result = run(root, arguments, ODDITIES[oddity])
        assert "Traceback" not in result.stderr + result.stdout, f"{name}: {result.stderr}"
        assert "Exception ignored" not in result.stderr, f"{name}: {result.stderr}"
        if result.returncode == 1:
            assert "[ERROR]" in result.stderr, f"{name}: {result.returncode} {result.stderr} {result.stdout}"
        assert (root / "precious" / "mine.zip").read_text() == "mine", name
        ended[name] = result.returncode
    refused = sum(code == 1 for code in ended.values())
    record_property("counted", f"{oddity}: {len(ended)} command lines, {refused} refused with a message, no traceback")
    assert set(ended.values()) <= {0, 1, 2}  # 2: what is compared differs


EVERY_VERB = [
    ["sandbox", "upload", "--env", "dev", "publish", "--env", "dev", "update-lambdas", "--env", "dev", "dev.deploy"],
    ["sandbox", "deploy", "--env", "dev", "promote", "--to", "stage", "--version", "1.2.4", "stage.history"],
    ["sandbox", "deploy", "--env", "dev", "smoke", "--env", "dev", "invoke", "--env", "dev", "--function", "ingest"],
    ["sandbox", "deploy", "--env", "dev", "e2e", "--env", "dev", "--client-id", "é", "rollback", "--env", "dev"],
    ["sandbox", "deploy", "--env", "dev", "show", "dev:core", "compare", "dev", "dev", "history", "--env", "dev"],
    ["build-core", "build-deps", "build-functions", "lock", "bump", "--part", "major", "check", "sandbox.env"],
]


@pytest.mark.parametrize("number", range(len(EVERY_VERB)))
def test_every_verb_prints_on_a_console_of_western_europe(project: Path, tmp_path: Path, number: int) -> None:
    shutil.copytree(project, tmp_path / "project", symlinks=True)
    result = run(tmp_path / "project", EVERY_VERB[number], ODDITIES["cp1252"])
    assert "Traceback" not in result.stderr
    assert "Error: " not in result.stderr
    assert result.returncode in (0, 2) or "[ERROR]" in result.stderr
