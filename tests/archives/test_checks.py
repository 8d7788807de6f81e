import struct
import zipfile
from collections.abc import Container
from pathlib import Path

import pytest

from tasks.archives.checks import check_archive, find_problems
from tasks.errors import BuildError
from tasks.project.runtimes import RUNTIMES
from tasks.release.artifacts import Kind
from tests.examples import PROJECT

BOTH = [RUNTIMES["python3.11"], RUNTIMES["python3.12"]]
X86_64, ARM64 = 62, 183


def library(machine: int = X86_64, glibc: str = "GLIBC_2.17", other: str = "") -> bytes:
    """A minimal shared object that asks for a version of the C library, and for another one: ELF-64, see man 5 elf."""
    names = b"\0libc.so.6\0" + glibc.encode() + b"\0" + other.encode() + b"\0"
    sections = b"\0.dynstr\0.gnu.version_r\0.shstrtab\0.dynamic\0"
    need = struct.pack("<HHLLL", 1, 1, 1, 16, 0) + struct.pack("<LHHLL", 0, 0, 2, 11, 0)
    linked = [1, *([12 + len(glibc)] if other else [])]
    dynamic = b"".join(struct.pack("<QQ", 1, place) for place in linked) + bytes(16)
    bodies = [b"", names, need, sections, dynamic]
    offsets = [64 + sum(len(body) for body in bodies[:place]) for place in range(5)]
    end = offsets[4] + len(dynamic)
    header = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    header += struct.pack("<HHLQQQLHHHHHH", 3, machine, 1, 0, 0, end, 0, 64, 56, 0, 64, 5, 3)
    kinds = [(0, 0, 0, 0), (1, 3, 0, 0), (9, 0x6FFFFFFE, 1, 1), (24, 3, 0, 0), (34, 6, 1, 0)]
    table = b"".join(
        struct.pack("<LLQQQQLLQQ", name, kind, 0, 0, offset, len(body), link, info, 1, 0)
        for (name, kind, link, info), offset, body in zip(kinds, offsets, bodies, strict=True)
    )
    return header + b"".join(bodies) + table


def archive(path: Path, files: dict[str, bytes], mode: int = 0o100644) -> Path:
    """An archive as any tool may make it."""
    with zipfile.ZipFile(path, "w") as made:
        for name, contents in files.items():
            entry = zipfile.ZipInfo("x")
            entry.filename = name
            entry.external_attr = mode << 16 | 0x20
            made.writestr(entry, contents)
    return path


def problems(
    path: Path, *, layer: bool = True, architecture: str = "x86_64", allowed: Container[str] = ()
) -> list[str]:
    return list(find_problems(path, BOTH, architecture, Kind.LAYER if layer else Kind.PACKAGE, allowed))


GOOD = {
    "python/pkg/__init__.py": b"",
    "python/lib/python3.12/site-packages/c.so": library(glibc="GLIBC_2.34"),
    "python/lib/python3.11/site-packages/d.cpython-311-x86_64-linux-gnu.so": library(),
}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"pkg/__init__.py": b""}, "pkg/__init__.py: is not below python/"),
        ({"python/a.cpython-39.pyc": b""}, "a.cpython-39.pyc: is bytecode"),
        ({"python/pkg/__pycache__/a.py": b""}, "is bytecode"),
        ({"python\\pkg\\a.py": b""}, "has a backslash in its name"),
        ({"/python/a.py": b""}, "leads outside the archive"),
        ({"python/../../etc/a.py": b""}, "leads outside the archive"),
        ({"C:/python/a.py": b""}, "leads outside the archive"),
        ({"python/a.pyd": b"MZ"}, "a.pyd: is a binary for Windows or macOS"),
        ({"python/lib.DLL": b"MZ"}, "lib.DLL: is a binary for Windows"),
        ({"python/a.dylib": b""}, "a.dylib: is a binary for Windows or macOS"),
        ({"python/enum/__init__.py": b""}, "enum/__init__.py: would be imported in the place of enum of the standard"),
        ({"python/queue.py": b""}, "queue.py: would be imported in the place of queue of the standard library on"),
        ({"python/lib/python3.12/site-packages/enum.py": b""}, "enum of the standard library on python3.12, so that"),
        ({"python/distutils/__init__.py": b""}, "distutils of the standard library on python3.11, so that"),
        ({}, "it is empty"),
        ({"python/README.txt": b""}, "it has no Python module"),
        ({"python/lib/python3.9/site-packages/a.py": b""}, "is for python3.9, which is not declared"),
        ({"python/a.cpython-311-x86_64-linux-gnu.so": library()}, "compiled for python3.11 alone, but would serve"),
        ({"python/a.so": library(glibc="GLIBC_ABI_DT_RELR")}, "needs glibc 2.36"),
        ({"python/a.so": b"MZ"}, "a.so: is not a Linux library"),
        ({"python/a.so": library(ARM64)}, "a.so: is for aarch64, not for x86_64"),
        ({"python/a.so": library(glibc="GLIBC_2.28")}, "a.so: needs glibc 2.28, and python3.11 has 2.26"),
        (
            {"python/lib/python3.11/site-packages/a.so.1": library(glibc="GLIBC_2.27")},
            "a.so.1: needs glibc 2.27, and python3.11 has 2.26",
        ),
        (
            {"python/lib/python3.12/site-packages/a.so": library(glibc="GLIBC_2.35")},
            "a.so: needs glibc 2.35, and python3.12 has 2.34",
        ),
    ],
)
def test_each_way_in_which_archives_once_failed_is_found(tmp_path: Path, files: dict[str, bytes], problem: str) -> None:
    assert any(problem in found for found in problems(archive(tmp_path / "a.zip", files)))


def test_a_name_of_the_standard_library_may_be_allowed_and_a_folder_of_data_is_none(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {**GOOD, "python/enum.py": b"", "python/email/letter.txt": b""})
    assert len(problems(path)) == 1
    for name in ("enum.py", "python/enum.py"):
        assert problems(path, allowed={name}) == []


def test_a_sound_archive_has_no_problem(tmp_path: Path) -> None:
    assert problems(archive(tmp_path / "a.zip", GOOD)) == []


def test_an_older_library_serves_every_runtime(tmp_path: Path) -> None:
    assert problems(archive(tmp_path / "a.zip", {"python/a.abi3.so": library(glibc="GLIBC_2.26")})) == []


def test_arm64_is_a_machine_like_any_other(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"python/a.so": library(ARM64)})
    assert problems(path, architecture="arm64") == []


def test_the_same_name_twice_is_found(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"python/a.py": b"", "python/b.py": b""})
    path.write_bytes(path.read_bytes().replace(b"python/b.py", b"python/a.py"))
    assert problems(path) == ["python/a.py: is there 2 times"]


@pytest.mark.parametrize(
    ("mode", "problem"),
    [(0o100600, "has mode 0600, so Lambda could not read it"), (0o120777, "is a link or a special file")],
)
def test_what_lambda_could_not_read_is_found(tmp_path: Path, mode: int, problem: str) -> None:
    assert problem in problems(archive(tmp_path / "a.zip", {"python/a.py": b""}, mode))[0]


def test_an_archive_from_windows_has_no_modes_and_that_is_fine(tmp_path: Path) -> None:
    assert problems(archive(tmp_path / "a.zip", {"python/a.py": b""}, 0)) == []


def test_a_truncated_archive_is_found(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", GOOD)
    path.write_bytes(path.read_bytes()[:-30])
    assert "not a ZIP archive, or damaged" in problems(path)[0]


def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"python/a.py": b"contents"})
    path.write_bytes(path.read_bytes().replace(b"contents", b"CONTENTS"))
    assert "python/a.py: is damaged" in problems(path)[0]


def test_a_missing_archive_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(BuildError, match="does not exist, or is a folder"):
            check_archive(path, str(path), PROJECT, BOTH, Kind.LAYER)


def test_a_file_packed_by_another_method_or_damaged_while_packed_is_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as made:
        made.writestr("python/a.py", "A = 1")
    assert any("packed by another method" in problem for problem in problems(tmp_path / "a.zip"))
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("python/a.py", "A = 1\n" * 100)
    contents = (tmp_path / "b.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(contents[:41] + b"\xff\xff\xff" + contents[44:])
    assert any("is damaged" in problem for problem in problems(tmp_path / "b.zip"))


@pytest.mark.whole
def test_what_unpacks_to_more_than_lambda_allows_is_found_without_unpacking_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made, made.open("python/zeros", "w") as file:
        for _ in range(251):
            file.write(bytes(1 << 20))
    assert any("more than Lambda's 262,144,000" in problem for problem in problems(path))


def test_only_the_contents_of_what_is_known_to_be_sound_are_not_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"python/a.so": b"no library", "python/b.so": b"no library", "c.py": b""})
    found = list(find_problems(path, BOTH, "x86_64", Kind.LAYER, sound={"python/a.so", "c.py"}))
    assert [each.partition(":")[0] for each in found] == ["c.py", "python/b.so"]


def test_a_functions_package_needs_no_python_folder(tmp_path: Path) -> None:
    assert problems(archive(tmp_path / "a.zip", {"handler.py": b""}), layer=False) == []


def test_an_unfit_archive_is_refused_with_everything_that_is_wrong(tmp_path: Path) -> None:
    files = {f"pkg/{number}.pyc": b"" for number in range(8)}
    with pytest.raises(BuildError, match=r"(?s)x.zip is not fit for Lambda.*pkg/0.pyc: is not below.*and 6 more"):
        check_archive(archive(tmp_path / "a.zip", files), "x.zip", PROJECT, BOTH, Kind.LAYER)


@pytest.mark.parametrize(
    ("name", "contents", "refused"),
    [
        ("python/pkg/.env", b"A=1", True),
        ("python/pkg/key.pem", b"-----BEGIN " + b"PRIVATE KEY-----\n", True),
        ("python/certifi/cacert.pem", b"-----BEGIN CERTIFICATE-----\n", False),
        ("python/botocore/credentials.py", b"", False),
    ],
)
def test_a_secret_inside_a_wheel_is_found_and_its_certificates_are_none(
    tmp_path: Path, name: str, contents: bytes, *, refused: bool
) -> None:
    path = archive(tmp_path / "a.zip", {"python/a.py": b"", name: contents})
    assert [f"{name} must never ship" in problem for problem in problems(path)] == [True] * refused
    allowed = {name.removeprefix("python/"): "public"}
    assert list(find_problems(path, BOTH, "x86_64", Kind.LAYER, allowed)) == []
