"""Invoke on the sandbox: the function's real package on its real layers, unpacked as Lambda does."""

import atexit
import base64
import importlib.util
import io
import json
import os
import shutil
import sys
import tempfile
import threading
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.errors import ReleaseError
from tasks.project.command import ACCESS_KEY
from tasks.project.interpreters import find_interpreter, runs_here
from tasks.project.runtimes import PROVIDED, RUNTIMES
from tasks.project.twin import compiled_in, make_twin
from tasks.project.workspace import Workspace
from tasks.sandbox.calls import HEADER, Calls, mark_of
from tasks.sandbox.messages import Answer, Call, Refusal
from tasks.sandbox.runtime import Instance

_UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)
_LOG_TAIL = 4096
_LARGEST = 6 * 1024 * 1024
_TOO_LARGE = b'{"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "Response payload size exceeded"}'
_LENT = (*PROVIDED, "snapshot_restore_py", "runtime_client", "simplejson")

_START = """
import importlib.machinery, importlib.util, os, runpy, sys
paths, lender, here, ours = sys.argv[1].split(os.pathsep), sys.argv[2], sys.argv[3], sys.argv[5] == "ours"
sys.path[:0] = paths
sys.dont_write_bytecode = True
lent = set(sys.argv[4].split(","))
class Lent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in lent:
            found = importlib.machinery.PathFinder.find_spec(name, lender.split(os.pathsep))
            if found is None and name == "runtime_client":
                found = importlib.util.spec_from_file_location(name, os.path.join(here, "runtime_client.py"))
            return found
sys.meta_path.append(Lent)
sys.argv = ["awslambdaric", os.environ["_HANDLER"]]
if ours:
    runpy.run_path(os.path.join(here, "bootstrap.py"), run_name="__main__")
else:
    from awslambdaric.lambda_runtime_client import BaseLambdaRuntimeClient
    call = BaseLambdaRuntimeClient.call_rapid
    class Host:
        lambda_runtime_address, _, token = os.environ["AWS_LAMBDA_RUNTIME_API"].partition("/")
    def with_token(_, method, endpoint, *more, **named):
        return call(Host, method, "/" + Host.token + endpoint, *more, **named)
    BaseLambdaRuntimeClient.call_rapid = with_token
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=False)
"""


@dataclass(frozen=True)
class _Running:
    """A function's process, the folder its package and layers are unpacked in, and what its log begins with."""

    key: str
    instance: Instance
    folder: Path
    note: str


class Instances:
    """The functions' processes of one sandbox: one for each function, as it is now.

    `root` is the repository, whose locks say what may stand in for compiled layers. `bootstrap` is set to run functions
    by the bootstrap of this package, as where AWS's runtime client (awslambdaric) cannot be installed.
    """

    def __init__(self, root: Path, *, bootstrap: bool = False) -> None:
        self._root, self._lock = root, threading.Lock()
        self._running: dict[str, _Running] = {}
        self.calls = Calls()
        self._bootstrap = bootstrap or not _site("awslambdaric")
        atexit.register(self.stop)

    def __len__(self) -> int:
        return len(self._running)

    def invoke(self, function: Any, call: Call, address: str, secret: str) -> Answer:
        """Run a function of moto's on an event. Refusal of an event that Lambda refuses, or of an unfit package."""
        _check_event(call.body)
        if call.headers.get("x-amz-invocation-type") == "DryRun":
            return Answer(204)
        running = self._for(function, address, secret)
        outcome = running.instance.invoke(call.body or b"{}")
        headers = {"X-Amz-Executed-Version": "$LATEST", "Content-Type": "application/json"}
        headers[HEADER] = self.calls.since(function.function_arn, outcome.handed)
        payload = outcome.payload
        if len(payload) > _LARGEST:
            payload = _TOO_LARGE
        if outcome.error or len(outcome.payload) > _LARGEST:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if call.headers.get("x-amz-log-type") == "Tail":
            log = running.note.encode() + outcome.log
            headers["X-Amz-Log-Result"] = base64.b64encode(log[-_LOG_TAIL:]).decode()
        return Answer(200, headers, payload)

    def stop(self) -> None:
        """End every process and remove what was unpacked."""
        with self._lock:
            for running in self._running.values():
                _end(running)
            self._running.clear()

    def _for(self, function: Any, address: str, secret: str) -> _Running:
        """The function's warm process; a new one if it has ended, or anything about the function has changed.

        The old one ends once it has answered what it is at.
        """
        digests = [layer.code_sha_256 if layer else "" for layer in (_layer(each["Arn"]) for each in function.layers)]
        facts = [function.code_sha_256, digests, function.environment_vars, function.handler, function.run_time]
        key = repr([function.function_arn, function.timeout, function.memory_size, *facts])
        with self._lock:
            found = self._running.get(function.function_arn)
            if found and found.key == key and found.instance.alive:
                return found
            if found:
                threading.Thread(target=_retire, args=[found], daemon=True).start()
            self._running[function.function_arn] = made = self._start(function, key, address, secret)
            return made

    def _start(self, function: Any, key: str, address: str, secret: str) -> _Running:
        """A new process for a function, in whose folder package and layers are unpacked."""
        folder = _unpacked(function)
        runtime = RUNTIMES.get(function.run_time)
        interpreter, note = find_interpreter(runtime) if runtime else "", ""
        if not interpreter:
            note = f"[sandbox] no {function.run_time} here: run by Python {sys.version.split()[0]} instead\n"
        python = folder / "opt" / "python"
        layered = [python / "lib" / str(function.run_time) / "site-packages", python]
        twins: list[Path] = []
        if not interpreter or not runs_here(function.architectures[0]):
            compiled = compiled_in(layered)
            try:
                twins = [make_twin(interpreter or sys.executable, compiled, self._locks())] if compiled else []
                note += f"[sandbox] in this machine's wheels: {', '.join(sorted(compiled))}\n" if compiled else ""
            except ReleaseError as error:
                note += f"[sandbox] compiled for Lambda, and not for this machine: {error}\n"
        command = [
            *[interpreter or sys.executable, "-S", "-B", "-X", "utf8", "-c", _START],
            os.pathsep.join(str(path) for path in (folder / "task", *twins, *layered)),
            os.pathsep.join([_site("boto3"), "" if self._bootstrap else _site("awslambdaric")]),
            str(Path(__file__).parent),
            ",".join([*_LENT, "awslambdaric"]),
            "ours" if self._bootstrap else "awslambdaric",
        ]
        environment = _environment(function, folder, address, secret)
        return _Running(key, Instance(command, environment, folder / "task", float(function.timeout)), folder, note)

    def _locks(self) -> list[Path]:
        """The locks of this repository."""
        return [self._root / lock for lock in Workspace(self._root).project().locks]


def _check_event(event: bytes) -> None:
    """Refusal of an event that is too large, or that is no JSON: NaN and Infinity are none."""
    if len(event) > _LARGEST:
        raise Refusal(413, "RequestTooLargeException", f"Request must be smaller than {_LARGEST} bytes")
    try:
        json.loads(event or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "InvalidRequestContentException", "Could not parse request body into json") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _retire(running: _Running) -> None:
    """End a process once it has answered what it is at."""
    with running.instance.using:
        _end(running)


def _end(running: _Running) -> None:
    running.instance.stop()
    shutil.rmtree(running.folder, ignore_errors=True)


def _environment(function: Any, folder: Path, address: str, secret: str) -> dict[str, str]:
    """What a function finds in its environment: nothing of this machine, and an AWS that is the sandbox.

    The function's own variables cannot change that: those whose names begin with AWS_ are left out.
    """
    own = {name: value for name, value in function.environment_vars.items() if not name.startswith("AWS_")}
    system = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return {
        **own,
        **system,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY + function.function_arn.split(":")[4],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": address,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_REGION": function.region,
        "AWS_SDK_UA_APP_ID": mark_of(function.function_arn),
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "HOME": str(folder),
        "LAMBDA_TASK_ROOT": str(folder / "task"),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": str(folder / "tmp"),
        "TZ": "UTC",
        "_FUNCTION_ARN": function.function_arn,
        "_HANDLER": function.handler,
    }


def _unpacked(function: Any) -> Path:
    """A folder with the function's package in task/ and its layers over one another in opt/, in order."""
    folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
    try:
        (folder / "tmp").mkdir()
        (folder / "task").mkdir()
        _unpack(function.code_bytes, folder / "task")
        for layer in function.layers:
            version = _layer(layer["Arn"])
            _unpack(version.code_bytes if version else b"", folder / "opt")
    except Refusal:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _layer(arn: str) -> Any:
    """Moto's layer version."""
    from moto.awslambda.models import lambda_backends

    parts = arn.split(":")
    return lambda_backends[parts[4]][parts[3]].layers_versions_by_arn(arn)


def _unpack(contents: bytes, folder: Path) -> None:
    """Unpack an archive. Refusal if it is none, or would write outside the folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(contents)) as archive:
            for name in archive.namelist():
                if name.startswith("/") or ".." in PurePosixPath(name.replace("\\", "/")).parts or ":" in name:
                    raise Refusal(502, "InvalidZipFileException", f"{name} leads outside the package")
            archive.extractall(folder)
            for entry in archive.infolist():
                if entry.external_attr >> 16 & 0o100 and not entry.is_dir():
                    (folder / entry.filename).chmod(0o755)
    except _UNREADABLE:
        raise Refusal(502, "InvalidZipFileException", "Could not unzip") from None


def _site(module: str) -> str:
    """The folder that holds an installed module; empty if there is none."""
    found = importlib.util.find_spec(module)
    return str(Path(found.origin).parent.parent) if found and found.origin else ""
