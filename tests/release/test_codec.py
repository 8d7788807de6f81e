"""How values are stored and read."""

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.errors import PlanError
from tasks.release.codec import SCHEMA, decode, encode
from tasks.release.release import Release, Setting

ROOT = Path(__file__).parents[2]
CRASHES = """
import sys, threading
sys.setswitchinterval(1e-6)
from tasks.release.codec import decode
from tasks.release.journal import Entry
from tasks.release.release import Release
ENTRY = '{"number": 1, "what": "deploy", "release": "r", "version": "v", "commit": "c", "who": {}, "begun": "b"}'
together = threading.Barrier(8)
def read():
    together.wait()
    decode(ENTRY, Entry, "entry")
    decode('{"artifacts": [], "commit": ""}', Release, "record")
threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("_again", range(4))  # three of four fresh processes crashed
def test_threads_that_read_the_first_document_of_a_kind_at_once_do_not_end_the_process(_again: int) -> None:
    made = subprocess.run([sys.executable, "-c", CRASHES], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")


def test_a_value_reads_back_as_it_was_written() -> None:
    release = Release((), "abc1234", {"ingest": Setting("python3.12")})
    assert decode(encode(release), Release, "record") == (release, SCHEMA)


@pytest.mark.parametrize(
    "contents", ["[]", "{", "[" * 100_000, '{"artifacts": 5}', "1" * 6_000, '{"commit": ""}', '"text"']
)
def test_what_is_no_such_document_is_called_damaged(contents: str) -> None:
    with pytest.raises(PlanError, match="record is damaged or was not written by this tool"):
        decode(contents, Release, "record")


def test_a_document_of_a_newer_version_is_refused_as_that() -> None:
    with pytest.raises(PlanError, match="written by a newer version of this tool"):
        decode('{"schema": 99}', Release, "record")
