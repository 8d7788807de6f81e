import platform
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.archives.trial import Stage, try_imports, undeclared
from tasks.project.interpreters import find_interpreter
from tasks.project.runtimes import PROVIDED, RUNTIMES, standard_library

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


def test_an_interpreter_is_the_version_it_says() -> None:
    assert find_interpreter(HERE, MACHINE)
    assert find_interpreter(NOWHERE, MACHINE) == ""


def test_what_imports_leaves_no_failure(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "import b", "python/b.py": ""})
    trial = try_imports(Stage(HERE, MACHINE, [layer]), ["a", "b"])
    assert (trial.modules, trial.failures) == (2, ())
    assert trial.interpreter


def test_a_missing_dependency_is_named(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "import sgmllib_of_old"})
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["a"]).failures == (
        "a: ModuleNotFoundError: No module named 'sgmllib_of_old'",
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
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["b"]).failures == ("b: SystemExit: ",)


def test_a_module_that_prints_is_no_failure(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "print('{\"x\": 1}')"})
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["a"]).failures == ()


def test_a_runtime_that_is_not_on_this_machine_is_not_tried(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "broken("})
    trial = try_imports(Stage(NOWHERE, MACHINE, [layer]), ["a"])
    assert (trial.interpreter, trial.failures) == ("", ())


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
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mypy_boto3",
    ],
)
def test_imports_that_can_succeed_are_declared(text: str) -> None:
    assert list(undeclared({"a.py": text.encode(), "notes.txt": b"import yaml"}, KNOWN)) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import yaml", "line 1: imports yaml, which no layer brings"),
        ("def f():\n    from requests.adapters import X", "line 2: imports requests.adapters"),
        ("class (", "line 1: invalid syntax"),
        ("try:\n    import a1\nexcept ImportError:\n    import a2", "line 4: imports a2"),
        ("import distutils", "line 1: imports distutils"),
    ],
)
def test_an_undeclared_import_is_found_without_any_interpreter(text: str, problem: str) -> None:
    (found,) = undeclared({"a.py": text.encode()}, KNOWN)
    assert problem in found


def test_the_environment_of_this_machine_does_not_reach_what_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "real")
    text = "import os, boto3\nassert 'AWS_PROFILE' not in os.environ\nboto3.client('lambda')\nos.environ['BUCKET']"
    stage = Stage(HERE, MACHINE, [archive(tmp_path / "a.zip", {"python/a.py": text})], variables={"BUCKET": "b"})
    assert try_imports(stage, ["a"]).failures == ()


def test_an_interpreter_of_another_machine_is_none() -> None:
    assert find_interpreter(HERE, "x86_64" if MACHINE == "arm64" else "arm64") == ""


def test_a_module_that_prints_when_it_ends_is_no_failure(tmp_path: Path) -> None:
    layer = archive(tmp_path / "a.zip", {"python/a.py": "import atexit; atexit.register(print, 'bye')"})
    assert try_imports(Stage(HERE, MACHINE, [layer]), ["a"]).failures == ()
