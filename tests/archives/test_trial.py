import hashlib
import platform
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.archives.imports import undeclared
from tasks.archives.known import Known
from tasks.archives.lock import write_lock
from tasks.archives.stage import Stage
from tasks.archives.trial import read_failures, try_imports, watched
from tasks.project.interpreters import find_interpreter, runs_here
from tasks.project.runtimes import PROVIDED, RUNTIMES, standard_library
from tasks.project.twin import make_twin
from tests.archives.wheelhouse import list_wheels, make_wheel

HERE = RUNTIMES["python{}.{}".format(*sys.version_info[:2])]
NOWHERE = replace(HERE, python=(3, 99))
MACHINE = {"aarch64": "arm64"}.get(platform.machine(), "x86_64")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="imports are tried on Linux alone")


KNOWN = {"ours", *PROVIDED, *standard_library(RUNTIMES["python3.12"], sys.stdlib_module_names)}


def archive(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return path


@pytest.mark.parametrize("contents", [None, "", '{"a": ['])
def test_a_result_that_could_not_be_written_is_a_failure_and_no_traceback(tmp_path: Path, contents: str | None) -> None:
    if contents is not None:
        (tmp_path / "result.json").write_text(contents)
    failed = read_failures(tmp_path / "result.json", 1, "Traceback\nOSError: [Errno 28] No space left on device\n")
    assert failed == ("the interpreter ended with 1: OSError: [Errno 28] No space left on device",)


def test_an_interpreter_is_the_version_it_says() -> None:
    assert find_interpreter(HERE)
    assert find_interpreter(NOWHERE) == ""


def test_what_imports_leaves_no_failure(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "import b", "python/b.py": ""})
    trial = try_imports(Stage(HERE, MACHINE, [layer]), ["a", "b"])
    assert (trial.modules, trial.failures) == (2, ())


def test_a_missing_dependency_is_named(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "import sgmllib_of_old"})
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["a"]).failures == (
        "a.py, line 1: ModuleNotFoundError: No module named 'sgmllib_of_old'",
    )


def test_nothing_installed_on_this_machine_helps(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "import pytest"})
    assert "No module named 'pytest'" in try_imports(Stage(HERE, MACHINE, [layer]), ["a"]).failures[0]


def test_what_lambda_provides_is_there(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "import boto3, botocore.config"})
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["a"]).failures == ()


def test_a_layers_own_copy_comes_before_what_lambda_provides(tmp_path: Path) -> None:
    files = {"python/urllib3.py": "OURS = 1", "python/a.py": "from urllib3 import OURS"}
    assert try_imports(Stage(HERE, MACHINE, [archive(tmp_path / "a.zip", files)]), ["a"]).failures == ()


def test_later_layers_lie_over_earlier_ones_and_the_package_comes_first(tmp_path: Path) -> None:
    first = archive(tmp_path / "1.zip", {"python/a.py": "N = 1", "python/b.py": "N = 1"})
    second = archive(tmp_path / "2.zip", {"python/a.py": "N = 2"})
    package = archive(tmp_path / "p.zip", {"b.py": "N = 3", "check.py": "import a, b; assert (a.N, b.N) == (2, 3)"})
    assert try_imports(Stage(HERE, MACHINE, [first, second], package), ["check"]).failures == ()


def test_the_runtimes_own_folder_comes_before_the_common_one(tmp_path: Path) -> None:
    own = f"python/lib/{HERE.name}/site-packages/a.py"
    files = {own: "N = 1", "python/a.py": "N = 2", "python/check.py": "import a; assert a.N == 1"}
    assert try_imports(Stage(HERE, MACHINE, [archive(tmp_path / "a.zip", files)]), ["check"]).failures == ()


def test_a_module_that_ends_the_interpreter_is_a_failure(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "import os; os._exit(3)", "python/b.py": "raise SystemExit"})
    assert "ended with 3" in try_imports(Stage(HERE, MACHINE, [layer]), ["a"]).failures[0]
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["b"]).failures == ("b.py, line 1: SystemExit: ",)


def test_a_module_that_prints_is_no_failure(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "print('{\"x\": 1}')"})
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["a"]).failures == ()


def test_a_runtime_that_is_not_on_this_machine_is_not_tried(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "broken("})
    trial = try_imports(Stage(NOWHERE, MACHINE, [layer]), ["a"])
    assert (trial.modules, trial.failures) == (0, ())


@pytest.mark.parametrize(
    "text",
    [
        "import os, json\nfrom collections.abc import Mapping",
        "import boto3",
        "from . import sibling",
        "from .sibling import x",
        "import ours.sub",
        "try:\n    import tomli\nexcept ImportError:\n    tomli = None",
        "try:\n    import simplejson\nexcept ImportError:\n    import json",
        "import sys\nif sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    import tomli",
        "try:\n    import simplejson\nexcept Exception:\n    simplejson = None",
        "try:\n    import simplejson\nexcept:\n    simplejson = None",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import simplejson",
        "import contextlib\nwith contextlib.suppress(Exception):\n    import simplejson",
        "import os\nif os.name == 'nt':\n    import win32api",
        "import sys\nif sys.platform == 'win32':\n    import win32api",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mypy_boto3",
    ],
)
def test_imports_that_can_succeed_are_declared(text: str) -> None:
    assert list(undeclared({"a.py": text.encode(), "notes.txt": b"import yaml"}, [KNOWN])) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import yaml", "line 1: imports yaml, which no layer brings"),
        ("def f():\n    from requests.adapters import X", "line 2: imports requests.adapters"),
        ("class (", "line 1: invalid syntax"),
        ("try:\n    import a1\nexcept ImportError:\n    import a2", "line 4: imports a2"),
        ("import distutils", "line 1: imports distutils"),
        ("try:\n    import a1\nexcept ValueError:\n    pass", "line 2: imports a1"),
        ("with open('x'):\n    import a1", "line 2: imports a1"),
    ],
)
def test_an_undeclared_import_is_found_without_any_interpreter(text: str, problem: str) -> None:
    (found,) = undeclared({"a.py": text.encode()}, [KNOWN])
    assert problem in found


def test_the_environment_of_this_machine_does_not_reach_what_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "real")
    text = "import os, boto3\nassert 'AWS_PROFILE' not in os.environ\nboto3.client('lambda')\nos.environ['BUCKET']"
    stage = Stage(HERE, MACHINE, [archive(tmp_path / "a.zip", {"python/a.py": text})], variables={"BUCKET": "b"})
    assert try_imports(stage, ["a"]).failures == ()


def test_an_interpreter_of_another_machine_is_none() -> None:
    assert runs_here(MACHINE)
    assert not runs_here("x86_64" if MACHINE == "arm64" else "arm64")


def test_a_module_that_prints_when_it_ends_is_no_failure(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "import atexit; atexit.register(print, 'bye')"})
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["a"]).failures == ()


def test_a_failing_import_names_the_file_and_the_line_at_fault_once(tmp_path: Path) -> None:
    files = {
        "python/pkg/__init__.py": "",
        "python/pkg/assembler.py": "import os\n\ndef f(x: Dict): ...\n",
        "python/pkg/innocent.py": "from pkg import assembler\n",
    }
    layer = archive(tmp_path / "a.zip", files)
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["pkg.innocent", "pkg.assembler"]).failures == (
        "pkg/assembler.py, line 3: NameError: name 'Dict' is not defined (met by 2 modules)",
    )


def test_what_is_compiled_for_another_machine_is_imported_as_its_twin_in_this_machines_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "x86_64" if MACHINE == "arm64" else "arm64"
    wheels, tag = tmp_path / "wheels", f"cp{HERE.version.replace('.', '')}-cp{HERE.version.replace('.', '')}"
    for machine in ("x86_64", "aarch64"):
        files = {"beta/__init__.py": f"MACHINE = {machine!r}\n"}
        make_wheel(wheels, "beta", tag=f"{tag}-manylinux2014_{machine}", files=files)
    monkeypatch.setenv("UV_DEFAULT_INDEX", list_wheels(wheels))
    (tmp_path / "requirements.txt").write_text("beta\n")
    lock, _ = write_lock(tmp_path / "requirements.txt", HERE)
    layer = {
        "python/beta-1.0.dist-info/WHEEL": f"Tag: {tag}-manylinux2014_other\n",
        "python/beta/__init__.py": "raise OSError('cannot be loaded here')",
        "python/pure.py": "",
        "python/check.py": f"import beta, pure\nassert beta.MACHINE == {platform.machine()!r}\n",
    }
    layers = [archive(tmp_path / "a.zip", layer)]
    trial = try_imports(Stage(HERE, other, layers, locks=[lock]), ["check"])
    assert (trial.failures, trial.twins) == ((), ("beta 1.0",))
    untried = try_imports(Stage(HERE, other, layers), ["check"])
    assert (untried.modules, untried.failures) == (0, ())
    assert "no twin: beta 1.0: compiled for Lambda, and not among the locked requirements here" in untried.reason


def test_a_twin_is_made_also_of_what_the_lock_marks_for_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(tmp_path / "wheels", "beta")
    monkeypatch.setenv("UV_DEFAULT_INDEX", list_wheels(tmp_path / "wheels"))
    (tmp_path / "requirements.txt").write_text("beta\n")
    lock, _ = write_lock(tmp_path / "requirements.txt", HERE)
    lock.write_text(lock.read_text().replace("beta==1.0 ", "beta==1.0 ; sys_platform == 'nowhere' "))
    found = make_twin(sys.executable, {"beta": "1.0"}, [lock])
    assert (found / "beta" / "__init__.py").exists()


def test_what_python_could_read_before_is_read_again_only_where_something_may_be_missing() -> None:
    known = Known()
    source = {"a.py": b"import os\n"}
    assert list(undeclared(source, [KNOWN], known)) == []
    assert known.imports == {hashlib.sha256(b"import os\n").hexdigest(): ["os"]}
    missing = ["a.py, line 1: imports os, which no layer brings"]
    assert list(undeclared(source, [{"sys"}], known)) == missing
    broken = b"def (:\n"
    assert list(undeclared({"a.py": broken}, [KNOWN], Known(imports={hashlib.sha256(broken).hexdigest(): []}))) == []


def test_what_one_of_two_runtimes_lacks_is_missing() -> None:
    assert list(undeclared({"a.py": b"import os\nimport sys\n"}, [{"os", "sys"}, {"sys"}])) == [
        "a.py, line 1: imports os, which no layer brings"
    ]


def test_in_a_folder_of_its_own_only_what_has_changed_is_unpacked_and_compiled(tmp_path: Path) -> None:
    stage = Stage(HERE, MACHINE, [archive(tmp_path / "1.zip", {"python/a.py": "x = 1", "python/b.py": "x = 1"})])
    stage = replace(stage, folder=tmp_path / "stage")
    assert try_imports(stage, ["a", "b"]).failures == ()
    opt = tmp_path / "stage" / "opt" / "python"
    before = (opt / "a.py").stat()
    compiled = {path: path.stat().st_mtime_ns for path in (tmp_path / "stage" / "bytecode").rglob("*.pyc")}
    assert len(compiled) == 2
    changed = archive(tmp_path / "2.zip", {"python/a.py": "x = 1", "python/b.py": "y = 2"})
    assert try_imports(replace(stage, layers=[changed]), ["a", "b"]).failures == ()
    assert (opt / "a.py").stat().st_ino == before.st_ino
    again = {path: path.stat().st_mtime_ns for path in (tmp_path / "stage" / "bytecode").rglob("*.pyc")}
    assert [path.name.partition(".")[0] for path in again if again[path] != compiled[path]] == ["b"]


def test_what_other_archives_have_left_is_not_imported(tmp_path: Path) -> None:
    first = archive(tmp_path / "1.zip", {"python/a.py": "x = 1", "python/gone/b.py": "x = 1"})
    stage = Stage(HERE, MACHINE, [first], folder=tmp_path / "stage")
    assert try_imports(stage, ["a", "gone.b"]).failures == ()
    second = archive(tmp_path / "2.zip", {"python/a.py": "import gone"})
    assert "No module named 'gone'" in try_imports(replace(stage, layers=[second]), ["a"]).failures[0]
    third = archive(tmp_path / "3.zip", {"python/a/__init__.py": "import b", "python/b.py": ""})
    assert try_imports(replace(stage, layers=[third]), ["a"]).failures == ()


def test_what_somebody_has_changed_or_linked_in_that_folder_is_put_right_and_nothing_beyond_it_is_touched(
    tmp_path: Path,
) -> None:
    stage = Stage(HERE, MACHINE, [archive(tmp_path / "1.zip", {"python/a.py": "x = 1"})], folder=tmp_path / "stage")
    try_imports(stage, ["a"])
    precious = tmp_path / "precious"
    (precious / "python").mkdir(parents=True)
    (precious / "python" / "mine.py").write_text("x = 1")
    (tmp_path / "stage" / "opt" / "python" / "a.py").write_text("raise SystemExit")
    assert try_imports(stage, ["a"]).failures == ()
    shutil.rmtree(tmp_path / "stage" / "opt")
    (tmp_path / "stage" / "opt").symlink_to(precious)
    assert try_imports(stage, ["a"]).failures == ()
    assert (precious / "python" / "mine.py").read_text() == "x = 1"
    (tmp_path / "stage" / "opt" / "python" / "linked").symlink_to(precious)
    assert try_imports(stage, ["a"]).failures == ()
    assert (precious / "python" / "mine.py").exists()


def test_what_takes_long_is_told_and_what_takes_too_long_is_ended() -> None:
    told: list[float] = []
    command = [sys.executable, "-c", "import sys, time; sys.stdin.read(); time.sleep(60)"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert watched(child, "x", told.append, tell_every=0.05, patience=0.2) is None
    assert child.returncode != 0
    assert told
    assert told == sorted(told)


def test_what_a_child_says_is_whole_however_often_it_was_waited_for() -> None:
    command = [sys.executable, "-c", "import sys, time; time.sleep(0.3); sys.stderr.write(sys.stdin.read())"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert watched(child, "said", list[float]().append, tell_every=0.05) == "said"
    assert child.returncode == 0
