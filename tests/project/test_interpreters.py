"""Pythons that can stand in for Lambda's, asked what they are."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.project.cache import CACHE_VARIABLE
from tasks.project.interpreters import find_interpreter
from tasks.project.runtimes import RUNTIMES

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its stand-ins are shell scripts")
RUNTIME = replace(RUNTIMES["python3.12"], python=(3, 99))
find = find_interpreter.__wrapped__


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, alone on PATH, and no Python anywhere else."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("PYENV_ROOT", "HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path


def program(path: Path, answer: object, name: str = "python3.99", status: int = 0) -> Path:
    """A Python that answers, and counts how often it is asked."""
    made = path / name
    made.write_text(f"#!/bin/sh\necho asked >> {path}/asked\necho '{json.dumps(answer)}'\nexit {status}\n")
    made.chmod(0o755)
    return made


def asked(path: Path) -> int:
    return (path / "asked").read_text().count("asked")


def test_a_shim_is_passed_over_for_what_answers_behind_it(path: Path) -> None:
    program(path, ["3.99", "CPython", False, sys.executable])
    assert find(RUNTIME) == sys.executable


@pytest.mark.parametrize(
    "answer",
    [
        ["3.99", "PyPy", False, "/x"],
        ["3.99", "CPython", True, "/x"],
        ["3.98", "CPython", False, "/x"],
        [],
        {"a": 1},
        "pyenv: python3.99: command not found",
    ],
    ids=["PyPy", "free-threaded", "another version", "nothing", "an object", "a complaint"],
)
def test_what_is_not_lambdas_python_does_not_pass_for_it(path: Path, answer: object) -> None:
    program(path, answer)
    assert find(RUNTIME) == ""


def test_a_shim_without_that_version_behind_it_is_none(path: Path) -> None:
    program(path, ["3.99"], status=127)
    assert find(RUNTIME) == ""


def test_an_interpreter_is_asked_once_as_long_as_it_stays_the_same_file(path: Path) -> None:
    made = path / "python3.99"
    program(path, ["3.99", "CPython", False, str(made)])
    assert [find(RUNTIME), find(RUNTIME), asked(path)] == [str(made), str(made), 1]
    program(path, ["3.98", "CPython", False, str(made)])
    os.utime(made, (1, 1))
    assert (find(RUNTIME), asked(path)) == ("", 2)


def test_what_stands_behind_a_shim_is_asked_every_time(path: Path) -> None:
    program(path, ["3.99", "CPython", False, sys.executable])
    assert [find(RUNTIME), find(RUNTIME), asked(path)] == [sys.executable, sys.executable, 2]


def test_a_damaged_note_of_an_answer_is_written_anew(path: Path) -> None:
    made = program(path, ["3.99", "CPython", False, str(path / "python3.99")])
    assert find(RUNTIME) == str(made)
    (note,) = (path / "cache" / "interpreters").iterdir()
    for text in ("[]", "{", '{"x": 1}', "1"):
        note.write_text(text)
        assert find(RUNTIME) == str(made)
    assert asked(path) == 5
