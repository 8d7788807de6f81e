"""The rules about rooms that a reader relies on."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import sizes
from tests.examples import RELEASE_TOML, VERSION

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "tasks").rglob("*.py"))
FLOORS = [{"errors"}, {"jobs"}, {"project"}, {"release"}, {"output", "archives", "aws"}, {"engine"}]
"""From the ground up; on the floors above are the verbs, one file each, and the namespace."""
VERBS = {
    "adopt",
    "commands",
    "build",
    "deploy",
    "doctor",
    "promote",
    "prune",
    "report",
    "rollback",
    "history",
    "init",
    "status",
    "verify",
    "version",
    "show",
    "invoke",
    "watch",
}
VALUES = {"tasks.project.model", "tasks.project.runtimes", "tasks.project.versions"}
"""All that `release` may know of `project`."""
SANDBOX = {"errors", "project", "sandbox"}


def name_of(path: Path) -> str:
    """A file's module: `tasks.aws` for tasks/aws/__init__.py."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(path): path for path in MODULES}


def imports(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it; of our own, those that are files."""
    return imported(path.read_text(encoding="utf-8"), name_of(path), package=path.name == "__init__.py")


def imported(text: str, name: str, *, package: bool = False) -> set[str]:
    """The modules that a module of this name imports, be it by their names or by dots, from where it lies."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            above = name.split(".")[: len(name.split(".")) - node.level + package] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            each = {f"{module}.{alias.name}" for alias in node.names}
            found |= each & NAMES.keys() or {module}
    return found


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def floor(module: str) -> int:
    return next((place for place, rooms in enumerate(FLOORS) if room(module) in rooms), len(FLOORS))


def upward(module: str, found: set[str]) -> set[str]:
    """Those of a module's imports that lead to a floor above it."""
    ours = {name for name in found if name.split(".")[0] == "tasks"}
    if room(module) == "sandbox" or floor(module) == len(FLOORS):
        return set()
    return {name for name in ours if floor(name) >= floor(module) and room(name) != room(module)}


@pytest.mark.parametrize("module", NAMES)
def test_imports_point_down_or_stay_in_their_room(module: str) -> None:
    assert upward(module, imports(NAMES[module])) == set()


@pytest.mark.parametrize(
    ("module", "line", "met"),
    [
        ("tasks.release.plan", "from tasks.engine import carry_out", {"tasks.engine"}),
        ("tasks.release.plan", "from ..engine import carry_out", {"tasks.engine"}),
        ("tasks.release.plan", "from .. import engine", {"tasks.engine"}),
        ("tasks.release.plan", "def f():\n    from ..aws import observe", {"tasks.aws.observe"}),
        ("tasks.release.plan", "from ..aws.observe import observe", {"tasks.aws.observe"}),
        ("tasks.jobs", "from . import deploy", {"tasks.deploy"}),
        ("tasks.release.plan", "from . import actions", set()),
        ("tasks.release.plan", "from ..errors import PlanError", set()),
        ("tasks.engine", "from .release.plan import plan", set()),
    ],
)
def test_an_upward_import_is_seen_however_it_is_written(module: str, line: str, met: set[str]) -> None:
    assert upward(module, imported(line, module)) == met


def test_dots_in_a_packages_own_file_lead_to_the_package_itself() -> None:
    assert imported("from . import actions", "tasks.release", package=True) == {"tasks.release.actions"}


@pytest.mark.parametrize("module", [name for name in NAMES if room(name) == "sandbox" and not name.endswith(".verbs")])
def test_the_sandbox_is_a_product_of_its_own(module: str) -> None:
    for other in {name for name in imports(NAMES[module]) if name.startswith("tasks.")}:
        assert room(other) in SANDBOX or other == "tasks.aws.connection", other


def test_nobody_but_its_verbs_and_the_namespace_knows_the_sandbox() -> None:
    knowing = {
        name for name, path in NAMES.items() if any(room(each) == "sandbox" for each in imports(path) if "." in each)
    }
    assert {name for name in knowing if room(name) != "sandbox"} == {"tasks"}


def test_decisions_know_the_projects_values_alone() -> None:
    known = {other for name in NAMES if room(name) == "release" for other in imports(NAMES[name])}
    assert {other for other in known if room(other) == "project"} <= VALUES


def test_no_module_needs_another_that_needs_it() -> None:
    waiting = {name: {other for other in imports(path) if other in NAMES} - {name} for name, path in NAMES.items()}
    while free := {name for name, others in waiting.items() if not others & waiting.keys()}:
        waiting = {name: others for name, others in waiting.items() if name not in free}
    assert waiting == {}


def test_the_list_of_tasks_names_the_file_to_open() -> None:
    verbs = {
        name
        for name in NAMES
        if name.count(".") == 1 and floor(name) == len(FLOORS) and NAMES[name].name != "__init__.py"
    }
    assert {room(name) for name in verbs} == VERBS


def test_modules_are_short_and_lists_of_what_is_longer_only_shrink() -> None:
    found = {place(name): sizes.lines_of(NAMES[name]) for name in NAMES if room(name) != "sandbox"}
    check({name: lines for name, lines in found.items() if lines > sizes.MODULE}, sizes.MODULES)


def test_functions_are_short_and_take_few_parameters() -> None:
    found = {
        f"{place(name)}:{function}": facts
        for name in NAMES
        if room(name) != "sandbox"
        for function, facts in sizes.functions_in(NAMES[name]).items()
    }
    check({name: lines for name, (lines, _) in found.items() if lines > sizes.FUNCTION}, sizes.FUNCTIONS)
    check({name: given for name, (_, given) in found.items() if given > sizes.PARAMETERS}, sizes.WIDE)


def place(module: str) -> str:
    return NAMES[module].relative_to(ROOT / "tasks").as_posix()


def check(found: dict[str, int], allowed: dict[str, int]) -> None:
    """Nothing is larger than it was allowed to be, and what is not large any more is no exception any more."""
    assert {name: size for name, size in found.items() if size > allowed.get(name, 0)} == {}
    assert allowed.keys() - found.keys() == set(), "take these off the list in tests/sizes.py"


def test_boto3_has_one_room() -> None:
    users = {
        path.parent.name for path in MODULES if {"boto3", "botocore"} & {each.split(".")[0] for each in imports(path)}
    }
    assert users == {"aws"}


def test_only_the_console_prints() -> None:
    assert [
        name for name, path in NAMES.items() if re.search(r"(?<![.\w])print\(", path.read_text(encoding="utf-8"))
    ] == ["tasks.output.lines"]


def test_decisions_do_no_input_or_output_and_know_no_clock() -> None:
    outside = {"os", "pathlib", "subprocess", "time", "datetime", "sys", "urllib", "shutil", "tempfile"}
    for path in (ROOT / "tasks" / "release").glob("*.py"):
        assert not {name.split(".")[0] for name in imports(path)} & outside, path.name


@pytest.mark.parametrize(
    ("command", "more"),
    [
        (
            ["--list"],
            {"packaging", "msgspec", "elftools", "cyclonedx", "filelock", "webbrowser"}
            | {"tasks.output.documents", "tasks.output.report"},
        ),
        (["clean", "build-core"], {"watchfiles"}),
    ],
)
def test_listing_and_building_wait_for_no_boto3_moto_or_rich(
    command: list[str], more: set[str], tmp_path: Path
) -> None:
    shutil.copy(ROOT / "tasks.py", tmp_path)
    shutil.copytree(ROOT / "tasks", tmp_path / "tasks")
    (tmp_path / "release.toml").write_text(RELEASE_TOML)
    (tmp_path / "VERSION").write_text(VERSION)
    for layer in ("core", "deps"):
        (tmp_path / "src" / layer).mkdir(parents=True)
        (tmp_path / "src" / layer / "__init__.py").write_text("")
    code = (
        "import sys; from invoke.main import program; program.run(['inv', *sys.argv[1:]], exit=False); "
        f"print(({{'boto3', 'botocore', 'moto', 'rich'}} | {more!r}) & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "set()"
