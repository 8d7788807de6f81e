"""Imports what was built, the way Lambda would, before anything is released.

The layers are unpacked over one another into /opt's likeness, in the order of attachment, and every module is
imported by a clean interpreter of each runtime that has no site-packages of its own. Where a runtime's interpreter is
not on this machine, the static checks stand in: those of `tasks.archives.checks` and `tasks.archives.imports`.
"""

import importlib.util
import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tasks.archives.stage import Stage, unpacked
from tasks.errors import BuildError
from tasks.project.interpreters import find_interpreter, runs_here
from tasks.project.runtimes import PROVIDED
from tasks.project.twin import compiled_in, make_twin
from tasks.release.events import Imported, Noticed

_PATIENCE, _TELL_EVERY = 300.0, 10.0

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "trial",
    "AWS_DEFAULT_REGION": "eu-west-3",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_FUNCTION_NAME": "trial",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_REGION": "eu-west-3",
    "AWS_SECRET_ACCESS_KEY": "trial",
    "LANG": "en_US.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "TZ": ":UTC",
}
"""What a module may find in its environment while it is imported; port 9 answers nobody, so it reaches no AWS."""

CHILD = """
import importlib, importlib.machinery, json, os, sys, traceback
task = json.load(sys.stdin)
sys.path[:0] = task["paths"]
sys.dont_write_bytecode, sys.pycache_prefix = not task["bytecode"], task["bytecode"] or None
class Provided:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in task["provided"]:
            return importlib.machinery.PathFinder.find_spec(name, task["lender"])
sys.meta_path.append(Provided)
def place(error):
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        for path in task["paths"]:
            if frame.filename.startswith(path + os.sep):
                return "%s, line %d: " % (frame.filename[len(path) + 1:].replace(os.sep, "/"), frame.lineno)
    if isinstance(error, SyntaxError) and error.filename:
        return "%s, line %s: " % (os.path.basename(error.filename), error.lineno)
    return ""
def unset(error):
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return isinstance(error, KeyError) and os.path.basename(frame.filename) in ("<frozen os>", "os.py")
failed = {}
for name in task["modules"]:
    with open(task["now"], "w", encoding="utf-8") as file:
        file.write(name)
    try:
        module = importlib.import_module(name)
        function = task["handler"].rpartition(".")[2]
        if function and not hasattr(module, function):
            text = "%s defines no %s, but the handler is %s; correct it, or release.toml"
            failed.setdefault(text % (name, function, task["handler"]), []).append(name)
    except BaseException as error:
        if unset(error):
            text = "the environment variable %s is not set" % error
        else:
            text = "%s: %s" % (type(error).__name__, error)
        failed.setdefault((place(error) or name + ": ") + text, []).append(name)
with open(task["result"], "w", encoding="utf-8") as file:
    json.dump(failed, file)
"""


def try_imports(stage: Stage, modules: Sequence[str]) -> Imported:
    """Import `modules` where a function would."""
    runtime = stage.runtime
    interpreter = find_interpreter(runtime)
    if not interpreter or not modules:
        return Imported(runtime.name, 0, reason=f"no Python {runtime.version} here")
    with unpacked(stage) as scratch:
        python = scratch / "opt" / "python"
        layered = [python / "lib" / runtime.name / "site-packages", python]
        twins = {} if runs_here(stage.architecture) else compiled_in(layered)
        try:
            before = [make_twin(interpreter, twins, stage.locks)] if twins else []
        except BuildError as error:
            return Imported(runtime.name, 0, reason=f"{stage.architecture} cannot run here, and no twin: {error}")
        paths = [str(path) for path in (scratch / "task", *before, *layered)]
        failures = _run(interpreter, paths, modules, scratch, stage)
    names = tuple(f"{name} {version}" for name, version in sorted(twins.items()))
    return Imported(runtime.name, len(modules), names, failures=failures)


def _run(interpreter: str, paths: list[str], modules: Sequence[str], folder: Path, stage: Stage) -> tuple[str, ...]:
    """Import in a child process that knows nothing of this machine's environment; what failed, one sentence each."""
    result, now = folder / "result.json", folder / "now"
    result.unlink(missing_ok=True)
    system = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    with subprocess.Popen(
        [interpreter, "-I", "-S", "-B", "-X", "utf8", "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        cwd=folder / "task" if stage.package else folder,  # as on Lambda
        env={**_ENVIRONMENT, **system, "HOME": str(folder), **stage.variables},
    ) as child:

        def tell(seconds: float) -> None:
            text = f"Still importing {_read(now)} on {stage.runtime.name} ({seconds:.0f} s)"
            stage.report(Noticed(text, warning=False))

        complaint = watched(child, json.dumps(_task(paths, modules, folder, stage)), tell)
    if complaint is None:
        return (f"importing {_read(now)} took more than {_PATIENCE:.0f} seconds",)
    return read_failures(result, child.returncode, complaint)


def _task(paths: list[str], modules: Sequence[str], folder: Path, stage: Stage) -> dict[str, object]:
    """What CHILD is told."""
    boto3 = importlib.util.find_spec("boto3")
    return {
        "paths": paths,
        "modules": modules,
        "provided": PROVIDED,
        "lender": [str(Path(boto3.origin).parent.parent)] if boto3 and boto3.origin else [],
        "result": str(folder / "result.json"),
        "now": str(folder / "now"),
        "handler": stage.handler,
        "bytecode": str(folder / "bytecode") if stage.folder else "",
    }


def watched(
    child: "subprocess.Popen[str]",
    sent: str,
    tell: Callable[[float], None],
    tell_every: float = _TELL_EVERY,
    patience: float = _PATIENCE,
) -> str | None:
    """Return what a child says on stderr, and `tell` now and then how long it takes; None if that is too long."""
    waiting: str | None = sent
    begun = time.monotonic()
    try:
        while True:
            try:
                return child.communicate(waiting, timeout=tell_every)[1]
            except subprocess.TimeoutExpired:
                waiting, seconds = None, time.monotonic() - begun
                if seconds > patience:
                    return None
                tell(seconds)
    finally:
        child.kill()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return "modules"


def read_failures(result: Path, code: int, complaint: str) -> tuple[str, ...]:
    """Return what could not be imported, a sentence each, or how the interpreter ended that left no whole result."""
    try:
        failed: dict[str, list[str]] = json.loads(result.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it ended itself, or the disk was full
        last = (complaint.strip().splitlines() or ["no message"])[-1]
        return (f"the interpreter ended with {code}: {last}",)
    return tuple(text + (f" (met by {len(named)} modules)" if named[1:] else "") for text, named in failed.items())
