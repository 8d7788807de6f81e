import hashlib
from pathlib import Path

import pytest

from tasks.archives.wheels import best_wheel, check_record, runtime_tags, wheel_members
from tasks.errors import BuildError
from tasks.project.runtimes import RUNTIMES
from tasks.release.events import Event, Noticed
from tests.archives.wheelhouse import make_wheel

ON_311 = runtime_tags(RUNTIMES["python3.11"], "x86_64")
ON_312 = runtime_tags(RUNTIMES["python3.12"], "x86_64")


def names(path: Path, *, built: bool = False) -> list[str]:
    return [member.name for member in wheel_members(path, "python/", built=built)]


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-manylinux_2_28_x86_64",
        "cp311-cp311-manylinux_2_17_aarch64",
        "cp312-cp312-manylinux2014_x86_64",
        "cp311-cp311-musllinux_1_2_x86_64",
        "cp311-cp311-macosx_11_0_arm64",
        "cp311-cp311-win_amd64",
        "cp311-cp311-linux_x86_64",
        "cp314-cp314t-manylinux2014_x86_64",
    ],
)
def test_a_wheel_of_another_platform_c_library_or_python_never_fits_python311(tag: str) -> None:
    assert best_wheel([f"pkg-1.0-{tag}.whl"], ON_311) is None


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-manylinux2014_x86_64",
        "cp311-cp311-manylinux_2_26_x86_64",
        "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64",
        "cp37-abi3-manylinux1_x86_64",
        "py3-none-any",
        "py2.py3-none-any",
        "py3-none-manylinux2014_x86_64",
    ],
)
def test_a_wheel_that_python311_on_lambda_can_load_fits(tag: str) -> None:
    assert best_wheel([f"pkg-1.0-{tag}.whl"], ON_311)


def test_a_newer_c_library_fits_from_python312_on() -> None:
    assert best_wheel(["pkg-1.0-cp312-cp312-manylinux_2_34_x86_64.whl"], ON_312)
    assert best_wheel(["pkg-1.0-cp312-cp312-manylinux_2_35_x86_64.whl"], ON_312) is None


def test_the_compiled_wheel_of_this_python_is_better_than_a_pure_one() -> None:
    offered = ["pkg-1.0-py3-none-any.whl", "pkg-1.0-cp311-cp311-manylinux2014_x86_64.whl"]
    assert best_wheel(offered, ON_311) == offered[1]


def test_a_wheel_is_as_good_as_its_best_tag() -> None:
    many = "a-1.0-cp311-cp311-manylinux_2_26_x86_64.manylinux_2_5_x86_64.whl"
    one = "a-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
    assert best_wheel([one, many], runtime_tags(RUNTIMES["python3.11"], "x86_64")) == many


def test_no_tag_is_of_the_machine_that_builds() -> None:
    platforms = {tag.platform for tag in runtime_tags(RUNTIMES["python3.12"], "arm64")}
    assert all(each == "any" or each.endswith("_aarch64") for each in platforms)


def test_the_higher_build_number_wins() -> None:
    offered = ["pkg-1.0-2-py3-none-any.whl", "pkg-1.0-10-py3-none-any.whl", "pkg-1.0-py3-none-any.whl"]
    assert best_wheel(offered, ON_311) == offered[1]


def test_a_file_that_is_no_wheel_by_its_name_is_passed_over() -> None:
    assert best_wheel(["pkg.whl", "pkg-1.0.tar.gz"], ON_311) is None


def test_metadata_entry_points_and_licences_stay_and_the_installers_notes_go(tmp_path: Path) -> None:
    info = "pkg-1.0.dist-info"
    files = {
        "pkg/__init__.py": "",
        "pkg/__pycache__/a.cpython-39.pyc": "",
        "pkg/b.pyc": "",
        f"{info}/entry_points.txt": "",
        f"{info}/licenses/LICENSE": "MIT",
        f"{info}/INSTALLER": "pip",
        f"{info}/REQUESTED": "",
        f"{info}/direct_url.json": "{}",
    }
    kept = ["METADATA", "WHEEL", "entry_points.txt", "licenses/LICENSE"]
    expected = ["python/pkg/__init__.py", *(f"python/{info}/{name}" for name in kept)]
    assert sorted(names(make_wheel(tmp_path, "pkg", files=files))) == sorted(expected)


def test_scripts_data_and_libraries_move_to_their_place_and_headers_stay_out_and_are_named(tmp_path: Path) -> None:
    files = {
        "pkg-1.0.data/scripts/tool": "#!/usr/bin/perl",
        "pkg-1.0.data/headers/pkg.h": "",
        "pkg-1.0.data/data/share/x": "",
        "pkg-1.0.data/purelib/pkg/__init__.py": "",
        "pkg-1.0.data/platlib/pkg/core.py": "",
    }
    said: list[Event] = []
    members = wheel_members(make_wheel(tmp_path, "pkg", files=files), "python/", said.append)
    found = [each.name for each in members if "dist-info" not in each.name]
    assert found == ["python/bin/tool", "python/share/x", "python/pkg/__init__.py", "python/pkg/core.py"]
    text = "pkg-1.0-py3-none-any.whl: 1 C headers stay out of the layer, since nothing is compiled on Lambda"
    assert said == [Noticed(text, warning=False)]


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize(
    ("script", "there"),
    [
        ("#!python\nx = 1\n", "#!/var/lang/bin/python3\nx = 1\n"),
        ("#!pythonw -E\nx = 1\n#!python\n", "#!/var/lang/bin/python3\nx = 1\n#!python\n"),
        ("#!/bin/sh\n#!python\n", "#!/bin/sh\n#!python\n"),
        ("\x7fELF", "\x7fELF"),
    ],
)
def test_a_script_can_be_run_and_names_the_python_of_lambda(
    tmp_path: Path, script: str, there: str, *, built: bool
) -> None:
    wheel = make_wheel(tmp_path, "pkg", files={"pkg-1.0.data/scripts/tool": script, "pkg.py": "#!python\n"})
    found = {each.name: (each.sha256, each.executable) for each in wheel_members(wheel, "", built=built)}
    assert found["bin/tool"] == (hashlib.sha256(there.encode()).hexdigest(), True)
    assert found["pkg.py"] == (hashlib.sha256(b"#!python\n").hexdigest(), False)


def test_what_names_the_builder_stays_out_of_a_wheel_that_was_built_here(tmp_path: Path) -> None:
    assert "python/pkg-1.0.dist-info/WHEEL" not in names(make_wheel(tmp_path, "pkg"), built=True)


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil.py", "pkg\\evil.py", "C:/evil.py"])
def test_a_wheel_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BuildError, match="leads outside"):
        check_record(make_wheel(tmp_path, "pkg", files={name: ""}))


def test_a_file_that_is_not_what_record_says_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg", record={"pkg/__init__.py": "sha256=" + "A" * 43})
    with pytest.raises(BuildError, match=r"pkg/__init__.py is not what the wheel's RECORD says"):
        check_record(wheel)


def test_a_file_that_record_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="RECORD"):
        check_record(make_wheel(tmp_path, "pkg", record={"pkg/__init__.py": ""}))


def test_a_truncated_wheel_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg")
    wheel.write_bytes(wheel.read_bytes()[:200])
    with pytest.raises(BuildError, match="is damaged"):
        check_record(wheel)
