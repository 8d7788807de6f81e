"""What is found in a folder, and the release.toml that is made of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.project.release_toml import parse_project
from tasks.project.starter import Answers, Found, compose, find_parts, name_for
from tasks.project.versions import read_versions

ANSWERS = Answers("weather", ("python3.12", "python3.13"), "arm64", ("test", "live"), ("1" * 12, "2" * 12), "eu-west-3")
HANDLER = "import weather\n\ndef handle(event, context):\n    return 1\n"


def write(root: Path, *names: str, text: str = "") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_packages_requirements_and_handlers_are_found(tmp_path: Path) -> None:
    write(tmp_path, "src/weather/__init__.py", "src/weather/sub/__init__.py", "requirements.txt")
    write(tmp_path, "functions/measure/main.py", text=HANDLER)
    write(tmp_path, "functions/measure/__init__.py")
    found = find_parts(tmp_path)
    assert found == Found(("src/weather",), ("requirements.txt",), {"functions/measure": "main.handle"})


@pytest.mark.parametrize("folder", ["tests", ".venv/lib", "docs", "tasks", "__pycache__", "x.egg-info"])
def test_what_is_no_part_of_a_product_is_passed_over(tmp_path: Path, folder: str) -> None:
    write(tmp_path, f"{folder}/__init__.py", f"{folder}/requirements.txt")
    write(tmp_path, f"{folder}/handler.py", text=HANDLER)
    assert find_parts(tmp_path) == Found((), (), {})


def test_a_module_that_no_handler_could_name_and_a_function_of_another_name_are_none(tmp_path: Path) -> None:
    write(tmp_path, "fn/my-handler.py", text=HANDLER)
    write(tmp_path, "pkg/__init__.py", "pkg/api.py", text="def on_event(event, context): pass\n")
    assert find_parts(tmp_path) == Found(("pkg",), (), {})


def test_any_folder_name_makes_a_release_toml_that_can_be_read() -> None:
    text, _ = compose(ANSWERS, Found(('we"ird\u00e9',), (), {}))
    assert next(iter(parse_project(text).layers.values())).source == 'we"ird\u00e9'


def test_environments_in_several_accounts_have_profiles_of_their_own() -> None:
    assert [each.profile for each in parse_project(compose(ANSWERS, FOUND)[0]).environments.values()] == [
        "weather-test",
        "weather-live",
    ]
    same = replace(ANSWERS, accounts=("1" * 12,) * 2)
    assert {each.profile for each in parse_project(compose(same, FOUND)[0]).environments.values()} == {""}


@pytest.mark.parametrize(
    "text", ["def handle(a, b): pass", "class A:\n    def run(self, event, context): pass", "def (", "\0"]
)
def test_what_takes_no_event_is_no_handler(tmp_path: Path, text: str) -> None:
    write(tmp_path, "src/fn/main.py", text=text)
    assert find_parts(tmp_path).handlers == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [("src/My_Package", "my-package"), ("libs/x/requirements.txt", "x"), ("requirements.txt", "requirements-txt")],
)
def test_names_are_lower_case_words_joined_by_hyphens(path: str, name: str) -> None:
    assert name_for(path) == name


FOUND = Found(("src/weather", "other/weather"), ("requirements.txt",), {"functions/measure": "main.handle"})


def test_what_is_composed_can_be_read_and_has_a_version_for_each_layer() -> None:
    text, version = compose(ANSWERS, FOUND)
    project = parse_project(text)
    assert list(project.layers) == ["weather", "weather-2", "common-deps"]
    assert project.functions["measure"].handler == "main.handle"
    assert project.functions["measure"].runtime == "python3.13"
    assert [(each.account, each.bucket) for each in project.environments.values()] == [
        ("1" * 12, "weather-releases-111111111111-test"),
        ("2" * 12, "weather-releases-222222222222-live"),
    ]
    assert set(read_versions(version, project.version_keys.values()).values()) == {"0.1.0"}


def test_a_project_without_functions_is_one() -> None:
    text, _ = compose(ANSWERS, Found(("src/weather",), (), {}))
    assert parse_project(text).functions == {}
