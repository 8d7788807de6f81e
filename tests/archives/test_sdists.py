"""These build for real, with the pinned setuptools from the index."""

import io
import tarfile
from pathlib import Path

import pytest

from tasks.archives.sdists import build_wheel
from tasks.archives.wheels import check_record, wheel_members
from tasks.errors import BuildError

pytestmark = pytest.mark.whole


def make_sdist(folder: Path, setup: str, extra: dict[str, str] | None = None) -> Path:
    """An sdist of one module, in a folder that is named after its hash."""
    files = {"setup.py": setup, "old.py": "A = 1\n", **(extra or {})}
    path = folder / "0f0f" / "old-1.0.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"old-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.mark.long
def test_an_sdist_is_built_pure_and_names_no_builder(tmp_path: Path) -> None:
    setup = "from setuptools import setup; setup(name='old', version='1.0', py_modules=['old'])"
    wheel = build_wheel(make_sdist(tmp_path, setup), tmp_path / "cache")
    names = [member.name for member in wheel_members(wheel, "", built=True)]
    assert sorted(names) == ["old-1.0.dist-info/METADATA", "old-1.0.dist-info/top_level.txt", "old.py"]
    assert build_wheel(tmp_path / "0f0f" / "old-1.0.tar.gz", tmp_path / "cache") == wheel


# setuptools takes a backslash, r, backslash, n out of any setup.py
WINDOWS = """
import builtins, io
given = io.open
def as_on_windows(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *more, **others):
    text = "b" not in mode and ("w" in mode or "a" in mode)
    newline = chr(13) + chr(10) if text and newline is None else newline
    return given(file, mode, buffering, encoding, errors, newline, *more, **others)
builtins.open = io.open = as_on_windows
"""
SETUP = """
from setuptools import setup
from setuptools.command.build_py import build_py

class Build(build_py):
    def run(self):
        super().run()
        with open(f"{self.build_lib}/_version.py", "w") as file:
            file.write("A = 1\\nB = 2\\n")

setup(name="old", version="1.0", py_modules=["old"], license_files=["LICENSE.txt"], long_description="a\\nb\\n",
      long_description_content_type="text/plain", cmdclass={"build_py": Build},
      entry_points={"console_scripts": ["old=old:main"]})
"""


@pytest.mark.long
def test_a_wheel_that_is_built_where_text_has_other_line_ends_is_the_same(tmp_path: Path) -> None:
    found = []
    for system, setup in (("linux", SETUP), ("windows", WINDOWS + SETUP)):
        (tmp_path / system).mkdir()
        sdist = make_sdist(tmp_path / system, setup, {"LICENSE.txt": "as it\r\nis\r\n"})
        wheel = build_wheel(sdist, tmp_path / system / "cache")
        check_record(wheel)
        found.append({each.name: each.contents() for each in wheel_members(wheel, "", built=True)})
    assert found[0] == found[1]
    assert found[1]["_version.py"] == b"A = 1\nB = 2\n"
    licence = next(name for name in found[1] if name.endswith("LICENSE.txt"))
    assert found[1][licence] == b"as it\r\nis\r\n"


def test_an_sdist_that_comes_out_compiled_is_refused(tmp_path: Path) -> None:
    setup = "from setuptools import Extension, setup; setup(name='old', ext_modules=[Extension('c', ['c.c'])])"
    code = '#include <Python.h>\nstatic struct PyModuleDef m = {PyModuleDef_HEAD_INIT, "c"};\n'
    code += "PyMODINIT_FUNC PyInit_c(void) { return PyModule_Create(&m); }\n"
    sdist = make_sdist(tmp_path, setup, {"c.c": code})
    with pytest.raises(BuildError, match="not pure Python|cannot be built"):
        build_wheel(sdist, tmp_path / "cache")
    assert list((tmp_path / "cache" / "built").iterdir()) == []


def test_a_build_backend_that_is_not_pinned_is_refused_with_where_to_pin_it(tmp_path: Path) -> None:
    project = '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
    sdist = make_sdist(tmp_path, "", {"pyproject.toml": project})
    with pytest.raises(BuildError, match="require a version that has wheels .*add its build backend with its hashes"):
        build_wheel(sdist, tmp_path / "cache")
