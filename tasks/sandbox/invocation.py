"""Invoke on the sandbox: the function's real package on its real layers, unpacked as Lambda does."""

import atexit
import base64
import hashlib
import importlib.util
import io
import os
import shutil
import sys
import tempfile
import threading
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.project.interpreters import find_interpreter
from tasks.project.runtimes import PROVIDED, RUNTIMES
from tasks.sandbox.messages import Answer, Call, Refusal
from tasks.sandbox.runtime import Instance

_UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)
_LOG_TAIL = 4096
_LARGEST = 6 * 1024 * 1024
_LENT = (*PROVIDED, "snapshot_restore_py", "runtime_client", "simplejson")

_START = """
import importlib.machinery, os, runpy, sys
paths, lender, stand_in = sys.argv[1].split(os.pathsep), sys.argv[2], sys.argv[3]
sys.path[:0] = paths
sys.dont_write_bytecode = True
lent = set(sys.argv[4].split(","))
class Lent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in lent:
            found = importlib.machinery.PathFinder.find_spec(name, lender.split(os.pathsep))
            if found is None and name == "runtime_client":
                found = importlib.util.spec_from_file_location(name, stand_in)
            return found
import importlib.util
sys.meta_path.append(Lent)
sys.argv = ["awslambdaric", os.environ["_HANDLER"]]
runpy.run_module("awslambdaric", run_name="__main__", alter_sys=False)
"""

_instances: dict[str, Instance] = {}
_folders: dict[str, Path] = {}
_lock = threading.Lock()


def invoke(function: Any, call: Call, url: str) -> Answer:
    """Run a function of moto's on an event. Refusal if its package or a layer cannot be unpacked safely."""
    if not _site("awslambdaric"):
        raise Refusal(501, "NotImplemented", "the sandbox runs functions with awslambdaric, which is for Linux alone")
    if call.headers.get("x-amz-invocation-type") == "DryRun":
        return Answer(204)
    instance, note = _instance(function, url)
    outcome = instance.invoke(call.body or b"{}")
    headers = {"X-Amz-Executed-Version": "$LATEST", "Content-Type": "application/json"}
    payload = outcome.payload
    if len(payload) > _LARGEST:
        payload = b'{"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "Response payload size exceeded"}'
    if outcome.error or len(outcome.payload) > _LARGEST:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if call.headers.get("x-amz-log-type") == "Tail":
        headers["X-Amz-Log-Result"] = base64.b64encode((note + outcome.log)[-_LOG_TAIL:]).decode()
    return Answer(200, headers, payload)


def stop_all() -> None:
    """End every process and remove what was unpacked."""
    with _lock:
        for instance in _instances.values():
            instance.stop()
        for folder in _folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        _instances.clear()
        _folders.clear()


atexit.register(stop_all)


def _instance(function: Any, url: str) -> tuple[Instance, bytes]:
    """The function's warm instance, or a new one if there is none or anything about the function has changed."""
    layers = [_layer(layer["Arn"]) for layer in function.layers]
    digests = [layer.code_sha_256 if layer else "" for layer in layers]
    facts = [function.code_sha_256, digests, function.environment_vars, function.handler, function.run_time]
    key = hashlib.sha256(repr([function.function_arn, url, function.timeout, function.memory_size, *facts]).encode())
    runtime = RUNTIMES.get(function.run_time)
    interpreter = find_interpreter(runtime) if runtime else ""
    instead = f"[sandbox] no {function.run_time} for Linux here: run by Python {sys.version.split()[0]} instead\n"
    with _lock:
        instance = _instances.get(key.hexdigest())
        if instance is None or not instance.alive:
            if instance is not None:
                instance.stop()
            folder = _unpacked(function, key.hexdigest())
            _instances[key.hexdigest()] = instance = _started(function, folder, interpreter or sys.executable, url)
    return instance, b"" if interpreter else instead.encode()


def _started(function: Any, folder: Path, interpreter: str, url: str) -> Instance:
    """A new process for a function whose package and layers are unpacked in `folder`."""
    python = folder / "opt" / "python"
    paths = [folder / "task", python / "lib" / str(function.run_time) / "site-packages", python]
    lender = [_site("boto3"), _site("awslambdaric")]
    command = [
        *[interpreter, "-S", "-B", "-X", "utf8", "-c", _START],
        os.pathsep.join(map(str, paths)),
        os.pathsep.join(lender),
        str(Path(__file__).with_name("runtime_client.py")),
        ",".join([*_LENT, "awslambdaric"]),
    ]
    return Instance(command, _environment(function, folder, url), folder / "task", float(function.timeout))


def _environment(function: Any, folder: Path, url: str) -> dict[str, str]:
    """What a function finds in its environment: nothing of this machine, and an AWS that is the sandbox.

    The function's own variables cannot change that: those whose names begin with AWS_ are left out.
    """
    own = {name: value for name, value in function.environment_vars.items() if not name.startswith("AWS_")}
    system = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return {
        **own,
        **system,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_REGION": function.region,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
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


def _unpacked(function: Any, key: str) -> Path:
    """The function's package in task/, its layers over one another in opt/, in order."""
    if key in _folders:
        shutil.rmtree(_folders[key], ignore_errors=True)
    folder = _folders[key] = Path(tempfile.mkdtemp(prefix="sandbox-"))
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "task").mkdir(exist_ok=True)
    _unpack(function.code_bytes, folder / "task")
    for layer in function.layers:
        version = _layer(layer["Arn"])
        _unpack(version.code_bytes if version else b"", folder / "opt")
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
    except _UNREADABLE:
        raise Refusal(502, "InvalidZipFileException", "Could not unzip") from None


def _site(module: str) -> str:
    """The folder that holds an installed module; empty if there is none."""
    found = importlib.util.find_spec(module)
    return str(Path(found.origin).parent.parent) if found and found.origin else ""
