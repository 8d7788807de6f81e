"""Who deploys: AWS's identity and this very process, so that others can tell whether it still lives."""

import os
import platform
import uuid
from pathlib import Path

from tasks.aws.connection import Connection
from tasks.release.journal import Who


def check_caller(connection: Connection) -> str:
    """The ARN of whoever calls AWS here. AwsError unless they belong to the environment's account."""
    with connection.doing(f"ask whose credentials these are, for {connection.environment.name}"):
        caller = str(connection.client("sts", 0).get_caller_identity()["Arn"])
    connection.check_account(caller)
    return caller


def whoami(caller: str, user: str) -> Who:
    """This run: AWS's identity, and this very process."""
    process = os.getpid()
    return Who(caller, user, platform.node(), _machine(), process, _started(process), nonce=uuid.uuid4().hex)


def has_ended(who: Who) -> bool:
    """Whether a process of this machine is over; False for one that cannot be seen from here."""
    if not who.machine or who.machine != _machine():
        return False
    if Path("/proc/self/stat").exists():
        return _started(who.process) != who.started
    if os.name == "nt":
        return False  # there is no harmless way to ask
    try:
        os.kill(who.process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _machine() -> str:
    """What tells this machine, since it was started, and this container from all others; empty if nothing does."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return "" if os.name == "nt" else f"{platform.node()} {uuid.getnode():x}"


def _started(process: int) -> str:
    """When a process was started, in the system's own units; empty if there is none, or nothing says so."""
    try:
        facts = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        return facts.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
