"""Whatever stands in a file that a user or a program has changed: one message with what to do, and no traceback."""

import io
import os
import struct
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from tasks.archives import lock, manifest, together, workshop
from tasks.archives.checks import find_problems
from tasks.archives.contents import read_contents
from tasks.archives.downloads import list_files
from tasks.archives.imports import undeclared
from tasks.archives.recipes import Recipe
from tasks.archives.wheels import check_record, wheel_members
from tasks.aws.live_package import names_in_directory
from tasks.errors import ReleaseError
from tasks.invoke import read_payload
from tasks.project.runtimes import RUNTIMES
from tasks.project.versions import PARTS, bump
from tasks.project.workspace import Workspace
from tasks.release.artifacts import Kind
from tasks.release.codec import encode
from tasks.release.contents import read_bill
from tasks.release.entries import read_entry
from tasks.release.journal import Entry, Snapshot, Status, Who, entry_changes, snapshot
from tasks.release.release import read_record
from tasks.sandbox.faults import read_faults
from tests.archives.wheelhouse import make_wheel
from tests.examples import CORE, RELEASE, RELEASE_TOML, VERSION, running, zipped

pytestmark = pytest.mark.long
EXAMPLES, SHORTEST = 800, 20
BOTH = [RUNTIMES["python3.11"], RUNTIMES["python3.12"]]
ODD = [
    *(
        '""',
        "0",
        "-1",
        "1e400",
        "nan",
        "inf",
        "true",
        "[]",
        "{}",
        "null",
        '"\\ud800"',
        '"\\u0000"',
        "1979-05-27",
        "[[1]]",
    ),
    *('"../x"', '"/"', '"{env}"', '"' + "x" * 300 + '"', "{a = 1}", '["a", 1]', "[{}]", '{"a": {}}', "1" * 5000, '"é"'),
]
LINES = st.sampled_from(
    ["[a", "]", "=", "\x00", "\ufeff", "'", '"', "# \u2028", "a = 1", "[[x]]", "[x.y.z]", "\r", "%", "==1.0"]
)
FULL_TOML = RELEASE_TOML + (
    '[sandbox.variables]\nA = "b"\n[e2e]\nfunctions = ["ingest"]\nbucket = "b"\nkey = "k"\n[allowed]\n"a.py" = "why"\n'
)
FAULTS = 'seed = 1\npending = 0.5\nrequests_per_second = 5\n[[fault]]\noperation = "Invoke"\ncall = 1\nstatus = 429\n'
REQUIREMENTS = "requests>=2.32  # why\nfeedparser>=6,<7; python_version < '3.14'\n"
PINNED = (
    "requests==2.32.0 ; python_version < '4' \\\n    --hash=sha256:"
    + "a" * 64
    + "\nfeedparser==6.0.11 --hash=sha256:"
    + "b" * 64
    + "\n"
)
PINS = tuple(lock._pins(PINNED, Path("lock")))  # noqa: SLF001
WANTED = [Requirement("requests>=2.32"), Requirement("feedparser>=6,<7; python_version < '3.14'")]
HEAD = f"{lock._MADE_FROM}{lock._fingerprint(WANTED, BOTH[0])}, {lock._digest(PINS)}\n"  # noqa: SLF001
LOCK = HEAD + PINNED
PYLOCK = """lock-version = "1.0"
[[packages]]
name = "a"
version = "1"
wheels = [{url = "http://x/a.whl", hashes = {sha256 = "a"}}]
"""
SOURCE = """import os
from a import b
try:
    import c
except ImportError:
    pass
if True:
    import d
with x():
    import e
"""


@st.composite
def changed(draw: st.DrawFn, text: str | bytes) -> bytes:
    """A file's contents with up to three places changed: bytes, values, lines."""
    contents = text.encode() if isinstance(text, str) else text
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(contents)))
        match draw(st.integers(0, 5)):
            case 0:
                contents = contents[:at] + draw(st.binary(max_size=8)) + contents[at:]
            case 1:
                contents = contents[:at] + contents[at + draw(st.integers(1, 40)) :]
            case 2:
                contents = contents[:at] + contents[max(0, at - draw(st.integers(1, 60))) :]
            case 3:
                contents = value_replaced(contents, at, draw(st.sampled_from(ODD)))
            case 4:
                lines = contents.split(b"\n")
                lines.insert(at % (len(lines) + 1), draw(LINES).encode("utf-8", "surrogatepass"))
                contents = b"\n".join(lines)
            case _:
                byte = draw(st.integers(0, 255))
                contents = contents[:at] + bytes([byte]) + contents[at + 1 :]
    return contents


def value_replaced(contents: bytes, at: int, value: str) -> bytes:
    """A value of TOML or JSON, the next one behind a place, replaced."""
    for sign in (b" = ", b": "):
        start = contents.find(sign, at)
        if start >= 0:
            end = contents.find(b"\n", start)
            comma = b"," if contents[end - 1 : end] == b"," else b""
            return (
                contents[: start + len(sign)] + value.encode() + comma + contents[end if end >= 0 else len(contents) :]
            )
    return contents


def zips() -> list[bytes]:
    """Archives to change: plain, deflated, with modes, with a library."""
    found = [zipped(python__core="A = 1", handler="def run(e, c): ...")]
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr(
                "python/a.so",
                b"\x7fELF\x02\x01\x01"
                + struct.pack("<9x2HI3QI6H", 3, 62, 1, 0, 64, 64, 0, 64, 56, 1, 64, 3, 1)
                + bytes(200),
            )
            archive.writestr("python/x-1.dist-info/METADATA", "Name: x\nVersion: 1\n" * 3)
            archive.writestr("python/x-1.dist-info/WHEEL", "Tag: cp311-cp311-linux_x86_64\n")
        found.append(buffer.getvalue())
    return found


def entry() -> bytes:
    whole = Entry(
        3, "deploy", RELEASE.key, str(RELEASE), "abc1234", Who("arn", "Anna", "laptop"), "2026-02-02 10:00:00 UTC",
        Status.CONFIRMED, RELEASE.key, before=Snapshot(), after=snapshot(running()),
    )  # fmt: skip
    return encode(whole)


def in_file(name: str, use: Callable[[Path], Any]) -> Callable[[Path, bytes], Any]:
    """Use a file that holds some contents."""

    def using(folder: Path, contents: bytes) -> Any:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(contents)
        return use(folder)

    return using


def a_workspace(folder: Path) -> None:
    workspace = Workspace(folder)
    if not (folder / "release.toml").exists():
        (folder / "release.toml").write_text(RELEASE_TOML, encoding="utf-8")
    if not (folder / "VERSION").exists():
        (folder / "VERSION").write_text(VERSION, encoding="utf-8")
    checkout = workspace.checkout()
    for key in checkout.project.version_keys.values():
        for part in PARTS:
            bump(workspace.read("VERSION"), key, part)


def a_lock(folder: Path) -> None:
    for name, text in (("requirements.txt", REQUIREMENTS), ("requirements.lock", LOCK)):
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")
    lock.read_lock(folder / "requirements.txt", BOTH[0])


def an_entry(_: Path, contents: bytes) -> None:
    found = read_entry(contents, "the entry")
    entry_changes(found)
    assert found.title("dev")


def a_note(folder: Path) -> None:
    assert workshop._cached(folder / "a.zip", Recipe("key", list)) is None  # noqa: SLF001
    together._read_trial(folder / "a.json")  # noqa: SLF001


def an_archive(folder: Path) -> None:
    path = folder / "a.zip"
    list(find_problems(path, BOTH, "x86_64", Kind.LAYER))
    read_contents(path)


def a_wheel(folder: Path) -> None:
    path = folder / "x-1.0-py3-none-any.whl"
    check_record(path)
    list(wheel_members(path, "python/"))


def a_list_of_files(folder: Path) -> None:
    (folder / "requirements.lock").write_text(LOCK, encoding="utf-8")
    import hashlib

    key = hashlib.sha256((folder / "requirements.lock").read_bytes()).hexdigest()[:16]
    (folder / "list").rename(folder / "cache-list")
    target = folder / "index" / f"pylock.{key}.toml"
    target.parent.mkdir(exist_ok=True)
    (folder / "cache-list").replace(target)
    list_files(folder / "requirements.lock", [], BOTH[0], folder)


def a_payload(folder: Path) -> None:
    read_payload("", "", str(folder / "payload.json"))


WHEEL = make_wheel(Path(os.environ.get("TMPDIR", "/tmp")) / f"fuzz-{os.getpid()}", "x")  # noqa: S108
INPUTS: dict[str, tuple[list[Any], Callable[[Path, bytes], Any]]] = {
    "VERSION": ([VERSION], in_file("VERSION", a_workspace)),
    "release.toml": ([FULL_TOML], in_file("release.toml", a_workspace)),
    "requirements": ([REQUIREMENTS], in_file("requirements.txt", a_lock)),
    "lock": ([LOCK], in_file("requirements.lock", a_lock)),
    "list of files": ([PYLOCK], in_file("list", a_list_of_files)),
    "manifest": (
        [encode(manifest.Manifest({"core": manifest.Entry(CORE, "k", "c", {})}))],
        in_file(".build/manifest.json", lambda folder: manifest.read_manifest(Workspace(folder))),
    ),
    "cache note": ([encode(CORE)], in_file("a.json", a_note)),
    "record": ([encode(RELEASE)], lambda _, contents: read_record(contents, RELEASE.key)),
    "entry": ([entry()], an_entry),
    "bill": (
        ['{"components": [{"name": "a", "version": "1"}]}'],
        lambda _, contents: read_bill(contents.decode("utf-8", "replace")),
    ),
    "faults": ([FAULTS], in_file("faults.toml", lambda folder: read_faults(folder / "faults.toml"))),
    "archive": (zips(), in_file("a.zip", an_archive)),
    "directory of an archive": (
        zips(),
        lambda _, contents: names_in_directory(contents[contents.find(b"PK\x01\x02") :]),
    ),
    "wheel": ([WHEEL.read_bytes()], in_file("x-1.0-py3-none-any.whl", a_wheel)),
    "source": ([SOURCE], lambda _, contents: list(undeclared({"a.py": contents}, [{"os"}]))),
    "payload": (['{"a": [1, {"b": null}]}'], in_file("payload.json", a_payload)),
}


@pytest.mark.parametrize("name", INPUTS)
def test_no_change_of_a_file_ends_in_a_traceback(
    name: str, tmp_path_factory: pytest.TempPathFactory, record_property: Callable[[str, object], None]
) -> None:
    seeds, use = INPUTS[name]
    top, ended = tmp_path_factory.mktemp("fuzz"), Counter[str]()

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(seeds).flatmap(changed))
    def trial(contents: bytes) -> None:
        ended["all"] += 1
        folder = top / str(ended["all"])
        folder.mkdir()
        try:
            use(folder, contents)
        except ReleaseError as error:
            ended["refused"] += len(str(error)) > SHORTEST
            ended["mute"] += len(str(error)) <= SHORTEST

    trial()
    record_property(
        "counted", f"{name}: {ended['all']} inputs, {ended['refused']} refused with a message, no traceback"
    )
    assert ended["all"] >= EXAMPLES
    assert not ended["mute"]
    assert ended["refused"] or name in ("manifest", "cache note", "bill", "source", "directory of an archive")


DEEP = ["[" * 100_000, "{" * 100_000, '{"a":' * 50_000, "(" * 100_000, "-" * 100_000 + "1", "a = " + "[" * 5000]


@pytest.mark.parametrize("text", DEEP, ids=range(len(DEEP)))
@pytest.mark.parametrize("name", INPUTS)
def test_what_is_nested_a_hundred_thousand_deep_is_refused(name: str, text: str, tmp_path: Path) -> None:
    with suppress(ReleaseError):
        INPUTS[name][1](tmp_path, text.encode())
