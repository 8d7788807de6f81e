import hashlib
import io
import random
import zipfile
import zlib
from pathlib import Path

import pytest

from tasks.archives.archive import (
    DEFLATED,
    Member,
    Span,
    archive_sha256,
    members_digest,
    stored,
    stored_file,
    write_archive,
)
from tasks.errors import BuildError

MEMBERS = [
    stored("python/pkg/__init__.py", b"print('hello')\n"),
    stored("python/pkg/\u00e9t\u00e9.py", b""),
    Member("python/pkg/run", hashlib.sha256(b"x").hexdigest(), zlib.crc32(b"x"), 1, b"x", executable=True),
]


def test_an_archive_reads_back_with_any_zip_tool(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.zip", MEMBERS)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("python/pkg/__init__.py") == b"print('hello')\n"


def test_the_order_of_members_changes_nothing(tmp_path: Path) -> None:
    turned = random.Random(7).sample(MEMBERS, len(MEMBERS))  # noqa: S311
    assert write_archive(tmp_path / "a.zip", MEMBERS) == write_archive(tmp_path / "b.zip", turned)
    assert members_digest(MEMBERS) == members_digest(turned)


def test_the_digest_returned_is_that_of_the_bytes_on_disk(tmp_path: Path) -> None:
    digest = write_archive(tmp_path / "a.zip", MEMBERS)
    assert digest == hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest()


def test_names_modes_and_dates_leak_nothing_of_the_machine(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.zip", MEMBERS)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        facts = {entry.filename: (entry.date_time, entry.external_attr >> 16) for entry in archive.infolist()}
    assert facts["python/pkg/__init__.py"] == ((1980, 1, 1, 0, 0, 0), 0o100644)
    assert facts["python/pkg/run"] == ((1980, 1, 1, 0, 0, 0), 0o100755)
    assert list(facts) == sorted(facts)


def test_the_format_is_pinned_to_the_byte(tmp_path: Path) -> None:
    digest = write_archive(tmp_path / "a.zip", MEMBERS)
    assert digest == "a5047f273185275e5745e34fa288c879b314899ff8ae0701ef3dd9b173b076e9"


def test_a_compressed_member_is_copied_as_it_is(tmp_path: Path) -> None:
    contents = b"abc" * 1000
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeezer.compress(contents) + squeezer.flush()
    (tmp_path / "wheel").write_bytes(b"before" + packed + b"after")
    digest, crc = hashlib.sha256(contents).hexdigest(), zlib.crc32(contents)
    span = Span(tmp_path / "wheel", 6, len(packed))
    write_archive(tmp_path / "a.zip", [Member("python/a", digest, crc, len(contents), span, DEFLATED)])
    assert packed in (tmp_path / "a.zip").read_bytes()
    assert zipfile.ZipFile(io.BytesIO((tmp_path / "a.zip").read_bytes())).read("python/a") == contents


def test_a_tree_is_the_same_whatever_compressed_it() -> None:
    contents = b"abc" * 1000
    packed = Member("a", hashlib.sha256(contents).hexdigest(), zlib.crc32(contents), 3000, b"...", DEFLATED)
    assert members_digest([stored("a", contents)]) == members_digest([packed])


def test_path_mode_and_contents_each_change_the_tree() -> None:
    plain = stored("a", b"x")
    runnable = Member("a", plain.sha256, plain.crc, 1, b"x", executable=True)
    trees = {members_digest([each]) for each in (plain, stored("b", b"x"), stored("a", b"y"), runnable)}
    assert len(trees) == 4


def test_a_large_file_gives_the_same_archive_and_is_not_held_in_memory(tmp_path: Path) -> None:
    contents = bytes(range(256)) * 5000
    (tmp_path / "data.bin").write_bytes(contents)
    large, small = stored_file("data.bin", tmp_path / "data.bin"), stored("data.bin", contents)
    assert isinstance(large.packed, Span)
    assert members_digest([large]) == members_digest([small])
    assert archive_sha256([large]) == archive_sha256([small]) == write_archive(tmp_path / "a.zip", [large])


@pytest.mark.parametrize("after", [b"y" * 1_200_000, b"x" * 1_100_000])
def test_a_large_file_that_changes_while_it_is_packed_is_no_archive(tmp_path: Path, after: bytes) -> None:
    (tmp_path / "data.bin").write_bytes(b"x" * 1_200_000)
    member = stored_file("data.bin", tmp_path / "data.bin")
    (tmp_path / "data.bin").write_bytes(after)
    with pytest.raises(BuildError, match="data.bin changed while it was packed; build again"):
        write_archive(tmp_path / "a.zip", [member])
