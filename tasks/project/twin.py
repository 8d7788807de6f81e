"""Twins: this machine's wheels in place of those that are compiled for Lambda, where the latter cannot be loaded.

A layer holds modules compiled for Linux of one architecture. On Windows, macOS or another architecture, and in
another minor version of Python, the same locked versions are installed for this machine and lie before the layer on the
path. Everything else is taken from the layer itself.
"""

import hashlib
import json
import platform
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from tasks.errors import BuildError
from tasks.project.cache import cache_folder, use
from tasks.project.files import move
from tasks.project.uv import run_uv

_TAG = re.compile(r"^Tag: (?P<tag>\S+)", re.MULTILINE)


def compiled_in(sites: Iterable[Path]) -> dict[str, str]:
    """The distributions in some folders that are not pure Python: name, as indexes compare it, -> version."""
    found: dict[str, str] = {}
    for wheel in (wheel for site in sites for wheel in site.glob("*.dist-info/WHEEL")):
        tags = _TAG.findall(wheel.read_text(encoding="utf-8", errors="replace"))
        if not tags or not all(tag.endswith("-none-any") for tag in tags):
            name, _, version = wheel.parent.name.removesuffix(".dist-info").partition("-")
            found[canonicalize_name(name)] = version
    return found


def make_twin(interpreter: str, compiled: Mapping[str, str], locks: Iterable[Path]) -> Path:
    """A folder with these distributions for an interpreter of this machine, by the hashes of a lock.

    BuildError if no lock has them at these versions, or there are no wheels of them for this machine.
    """
    lines = _locked(compiled, locks)
    facts = [interpreter, Path(interpreter).stat().st_mtime_ns, platform.platform(), lines]
    folder = cache_folder() / "twins" / hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as aside:
            wanted, made = Path(aside) / "wanted.txt", Path(aside) / "made"
            wanted.write_text("\n".join(lines), encoding="utf-8")
            options = ["--target", str(made), "--no-deps", "--require-hashes", "--only-binary", ":all:"]
            run_uv(["pip", "install", "-r", str(wanted)], options, folder=Path(aside), interpreter=interpreter)
            try:
                move(made, folder)
            except OSError:
                if not folder.is_dir():  # else somebody else was faster
                    raise
    use(folder)
    return folder


def _locked(compiled: Mapping[str, str], locks: Iterable[Path]) -> list[str]:
    """The lines of the locks that pin these distributions, with their hashes."""
    pinned: dict[tuple[str, str], str] = {}
    for lock in locks:
        text = re.sub(r"\\\r?\n", " ", lock.read_text(encoding="utf-8")) if lock.is_file() else ""
        for line in text.splitlines():
            if found := re.match(r"([A-Za-z0-9_.-]+)==(\S+)", line):
                # without its marker: what is in the layer is needed, wherever it is tried
                hashes = " ".join(re.findall(r"--hash=sha256:[0-9a-f]{64}", line))
                pinned[canonicalize_name(found[1]), found[2]] = f"{found[1]}=={found[2]} {hashes}"
    missing = [f"{name} {version}" for name, version in compiled.items() if (name, version) not in pinned]
    if missing:
        raise BuildError(f"{', '.join(missing)}: compiled for Lambda, and not among the locked requirements here")
    return [pinned[each] for each in sorted(compiled.items())]
