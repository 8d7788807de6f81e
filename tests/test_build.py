"""Building as a whole: what is checked together, and what is taken back."""

import hashlib
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from tasks.archives import judge, workshop
from tasks.archives.configuration import read_configuration, untracked_configuration
from tasks.archives.manifest import find_built
from tasks.errors import BuildError
from tasks.output.console import Console
from tasks.project.cache import CACHE_VARIABLE
from tasks.project.workspace import Workspace
from tasks.release.artifacts import Kind
from tasks.release.events import Building, Event, Noticed, left_out
from tests.examples import RELEASE_TOML, VERSION

pytestmark = pytest.mark.whole

WITH_PACKAGE = RELEASE_TOML.replace(
    'runtime = "python3.12"', 'runtime = "python3.11"\nsource = "src/fn"\nhandler = "handler.run"'
).replace('["python3.11", "python3.12"]', '["python3.11", "python3.14"]')


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A project of two layers, one of which imports the other, and a function's package."""
    files = {
        "release.toml": WITH_PACKAGE,
        "VERSION": VERSION,
        "canonical/scopes.yaml": "a: 1\n",
        "src/core/__init__.py": "import json\nfrom deps import NAME\n",
        "src/core/sub/work.py": "import boto3\n",
        "src/deps/__init__.py": "NAME = 'deps'\n",
        "src/fn/handler.py": "import core\n\n\ndef run(event, context):\n    return core.NAME\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Workspace(tmp_path)


def build(workspace: Workspace, *names: str) -> list[str]:
    checkout = workspace.checkout()
    return [each.path.name for each in workshop.build(checkout, names or checkout.project.select(""), Console())]


def check(workspace: Workspace) -> None:
    checkout = workspace.checkout()
    judge.check_built(checkout, find_built(checkout, checkout.project.select("")), Console())


def check_one(workspace: Workspace, path: Path, kind: Kind = Kind.LAYER) -> None:
    judge.check_file(workspace.project(), path, kind, Console())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.zip")) if folder.exists() else []


def test_layers_and_packages_are_built_and_imported_on_each_runtime_that_is_here(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    built = build(workspace)
    shown = capsys.readouterr().out
    assert built[:2] == ["core-1.2.4.zip", "deps-1.0.5.zip"]
    assert "python3.11 (4 modules)" in shown or "[SKIP] Not tried on python3.11" in shown
    assert "[SKIP] Not tried on python3.14: no Python 3.14 here" in shown or "python3.14 (4" in shown


def test_a_package_holds_the_handler_alone_and_has_its_version_from_its_contents(workspace: Workspace) -> None:
    build(workspace)
    (path,) = (workspace.build / "functions").glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["handler.py"]
    assert path.stat().st_size < 10_000


def test_a_package_has_the_version_under_its_key_if_it_names_one(workspace: Workspace) -> None:
    text = WITH_PACKAGE.replace('handler = "handler.run"', 'handler = "handler.run"\nversion_key = "FN_VERSION"')
    (workspace.root / "release.toml").write_text(text)
    (workspace.root / "VERSION").write_text(VERSION + "FN_VERSION=3.0.0\n")
    assert build(workspace)[2] == "ingest-3.0.0.zip"


def test_a_package_that_bundles_a_layers_module_is_refused_because_it_would_hide_the_layer(
    workspace: Workspace,
) -> None:
    (workspace.root / "src" / "fn" / "core").mkdir()
    (workspace.root / "src" / "fn" / "core" / "__init__.py").write_text("")
    with pytest.raises(BuildError, match="package of function ingest holds core, which would hide the layer core"):
        build(workspace)
    assert names(workspace.build / "functions") == []


def test_an_import_that_no_layer_satisfies_is_refused_without_any_interpreter(workspace: Workspace) -> None:
    (workspace.root / "src" / "core" / "late.py").write_text("def f():\n    import yaml\n")
    with pytest.raises(BuildError, match=r"src/core/late.py, line 2: imports yaml, which no layer brings"):
        build(workspace)
    assert names(workspace.build / "layers") == []


def test_a_module_that_cannot_be_imported_is_refused_and_nothing_is_left_behind(workspace: Workspace) -> None:
    (workspace.root / "src" / "core" / "bad.py").write_text("raise RuntimeError('at import')\n")
    with pytest.raises(BuildError, match=r"that are named:\n   core/bad.py, line 1: RuntimeError: at import"):
        build(workspace)
    assert names(workspace.build / "layers") == names(workspace.build / "functions") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def other(event, context): ...\n", "defines no run, but the handler is handler.run"),
        ("def make():\n    def run(event, context): ...\n", "defines no run"),
        ("class Handler:\n    def run(event, context): ...\n", "defines no run"),
        ("def run(:\n", "handler.py, line 1"),
    ],
)
def test_a_handler_that_is_not_there_is_found_at_build_time(workspace: Workspace, text: str, message: str) -> None:
    (workspace.root / "src" / "fn" / "handler.py").write_text(text)
    with pytest.raises(BuildError, match=message):
        build(workspace, "ingest")


def lay(workspace: Workspace, handler: str, **files: str) -> None:
    """Have the function begin at this handler, with these files: `a__b` is a/b.py."""
    text = (workspace.root / "release.toml").read_text()
    (workspace.root / "release.toml").write_text(text.replace('"handler.run"', f'"{handler}"'))
    (workspace.root / "src" / "fn" / "handler.py").unlink()
    (workspace.root / "src" / "fn" / "beside.py").write_text("")
    for name, contents in files.items():
        path = workspace.root / "src" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents)


RUN = "def run(event, context): ...\n"
FORMS: list[tuple[str, dict[str, str]]] = [
    ("web.run", {"fn__web__init": RUN}),
    ("web.app.run", {"fn__web__app": RUN}),
    ("web/app.run", {"fn__web__app": RUN}),
    ("app.run", {"fn__app": "from core.web import *\n", "core__web": RUN}),
    ("core.web.run", {"core__web": RUN}),
    ("app.run", {"fn__app": "globals()['run'] = print\n"}),
]


@pytest.mark.parametrize(("handler", "files"), FORMS, ids=[handler for handler, _ in FORMS])
def test_each_form_of_a_handler_that_lambda_takes_is_taken(
    workspace: Workspace, handler: str, files: dict[str, str]
) -> None:
    lay(workspace, handler, **files)
    init = workspace.root / "src" / "fn" / "web" / "init.py"
    if init.exists():
        init.rename(init.with_name("__init__.py"))
    build(workspace, "ingest")


def test_a_handler_finds_its_own_files_from_where_it_stands(workspace: Workspace) -> None:
    (workspace.root / "src" / "fn" / "rates.txt").write_text("1")
    (workspace.root / "src" / "fn" / "handler.py").write_text(f"RATES = open('rates.txt').read()\n{RUN}")
    build(workspace, "ingest")


def test_a_handlers_module_that_is_not_there_is_found_at_build_time(workspace: Workspace) -> None:
    (workspace.root / "src" / "fn" / "handler.py").rename(workspace.root / "src" / "fn" / "main.py")
    with pytest.raises(BuildError, match="src/fn/handler.py is not in the package, but the handler is handler.run"):
        build(workspace, "ingest")


def test_a_handlers_module_that_git_does_not_track_is_found_missing_since_it_stays_out(workspace: Workspace) -> None:
    (workspace.root / "src" / "fn" / "other.py").write_text("")
    for command in (["init"], ["add", ".", ":!src/fn/handler.py"]):
        subprocess.run(["git", *command], cwd=workspace.root, check=True, capture_output=True)  # noqa: S607
    with pytest.raises(BuildError, match="src/fn/handler.py is not in the package.*; git add it"):
        build(workspace, "ingest")


def test_a_layer_over_its_budget_is_refused_with_how_to_look_inside(workspace: Workspace) -> None:
    text = WITH_PACKAGE.replace('source = "src/core"', 'source = "src/core"\nmax_unzipped_mb = 1')
    (workspace.root / "release.toml").write_text(text)
    (workspace.root / "src" / "core" / "data.txt").write_text("x" * 1_100_000)
    with pytest.raises(BuildError, match=r"core 1.2.4 has 1.1 MB, more than its budget max_unzipped_mb = 1.*inv show"):
        build(workspace, "core")


def test_imports_are_tried_once_for_the_same_archives(workspace: Workspace) -> None:
    build(workspace)
    notes = {path: path.stat().st_mtime_ns for path in (workspace.cache / "trials").iterdir()}
    build(workspace)
    assert {path: path.stat().st_mtime_ns for path in (workspace.cache / "trials").iterdir()} == notes


def test_a_function_is_tried_again_once_its_package_has_changed(workspace: Workspace) -> None:
    build(workspace)
    handler = workspace.root / "src" / "fn" / "handler.py"
    handler.write_text(handler.read_text() + "raise RuntimeError('at import')\n")
    with pytest.raises(BuildError, match="ingest: handler.py, line 6: RuntimeError: at import"):
        build(workspace)


def test_declaring_another_runtime_makes_another_artifact(workspace: Workspace) -> None:
    build(workspace, "core")
    (workspace.root / "release.toml").write_text(WITH_PACKAGE.replace('"python3.14"', '"python3.13"'))
    (core,) = workshop.build(workspace.checkout(), ["core"], Console())
    assert core.artifact.runtimes == ("python3.11", "python3.13")


def test_check_looks_at_what_was_built(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BuildError, match="run: inv build"):
        check(workspace)
    build(workspace)
    capsys.readouterr()
    check(workspace)
    shown = capsys.readouterr().out
    assert re.search(r"\[OK\] .build/layers/core-1.2.4.zip: nothing wrong; [\d.]+ KB packed, [\d.]+ KB unpacked", shown)
    assert "[OK] Imported on " in shown or "[SKIP] Not tried on " in shown


def test_check_finds_what_somebody_did_to_an_archive_after_it_was_built(workspace: Workspace) -> None:
    build(workspace)
    path = workspace.build / "layers" / "core-1.2.4.zip"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("stray.py", "")
    with pytest.raises(BuildError, match="stray.py|is not what was built|run: inv build"):
        check(workspace)


def test_check_takes_any_file(workspace: Workspace, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("core/__init__.py", "")
    with pytest.raises(BuildError, match="core/__init__.py: is not below python/"):
        check_one(workspace, tmp_path / "a.zip")
    build(workspace, "core")
    with pytest.raises(BuildError, match="core/__init__.py, line 2: ModuleNotFoundError: No module named 'deps'"):
        check_one(workspace, workspace.build / "layers" / "core-1.2.4.zip")
    build(workspace)
    check_one(workspace, workspace.build / "layers" / "deps-1.0.5.zip")
    check_one(workspace, next((workspace.build / "functions").glob("*.zip")), Kind.PACKAGE)


def test_one_layer_alone_gets_its_name_only_if_it_works_with_the_others(workspace: Workspace) -> None:
    (workspace.root / "src" / "core" / "late.py").write_text("import yaml\n")
    with pytest.raises(BuildError, match="imports yaml, which no layer brings"):
        build(workspace, "core")
    assert names(workspace.build / "layers") == []


def test_a_handler_may_be_assigned_or_imported(workspace: Workspace) -> None:
    for text in ("def _run(event, context): ...\nrun = _run\n", "from core import json as run\n"):
        (workspace.root / "src" / "fn" / "handler.py").write_text(text)
        assert build(workspace, "ingest")


def test_what_was_tried_and_damaged_in_the_cache_is_tried_again(workspace: Workspace) -> None:
    build(workspace)
    for contents in (b"", b"[]", b'{"x": 1}'):
        for note in (workspace.cache / "trials").iterdir():
            note.write_bytes(contents)
        build(workspace)


@pytest.mark.parametrize("clean", [True, False])
def test_what_was_built_before_is_removed_only_if_that_is_asked_for(workspace: Workspace, clean: bool) -> None:
    build(workspace)
    stray = workspace.build / "layers" / "another-1.0.0.zip"
    stray.write_bytes(b"")
    checkout = workspace.checkout()
    workshop.build(checkout, checkout.project.select(""), Console(), clean=clean)
    assert stray.exists() != clean


def test_what_is_about_to_be_made_and_what_is_left_out_are_told(workspace: Workspace) -> None:
    subprocess.run(["git", "init", "-q"], cwd=workspace.root, check=True)  # noqa: S607
    subprocess.run(["git", "add", "."], cwd=workspace.root, check=True)  # noqa: S607
    (workspace.root / "src" / "core" / "scratch.py").write_text("")
    events: list[Event] = []
    workshop.build(workspace.checkout(), ["core"], events.append)
    assert left_out("src/core/scratch.py") in events
    assert [event.name for event in events if isinstance(event, Building)] == ["core", "deps", "ingest"]


def reasons(workspace: Workspace) -> dict[str, str]:
    events: list[Event] = []
    workshop.build(workspace.checkout(), workspace.project().select(""), events.append)
    return {event.name: event.reason for event in events if isinstance(event, Building)}


def test_why_something_is_built_is_said(workspace: Workspace) -> None:
    assert reasons(workspace) == dict.fromkeys(("core", "deps", "ingest"), "none is built here")
    assert reasons(workspace) == {}
    (workspace.root / "src/core/sub/work.py").unlink()
    (workspace.root / "src/core/__init__.py").write_text("import json\n")
    for name in ("a", "b"):
        (workspace.root / f"src/core/{name}.py").write_text("")
    assert reasons(workspace) == {"core": "changed: core/__init__.py, core/a.py, core/b.py and 1 more"}
    for path in (workspace.cache / "archives").glob("*.zip"):
        path.write_bytes(b"")
    assert set(reasons(workspace).values()) == {"the one that was kept is gone or damaged"}
    text = WITH_PACKAGE.replace("python3.14", "python3.12")
    (workspace.root / "release.toml").write_text(text)
    assert reasons(workspace) == dict.fromkeys(("core", "deps"), "its lock or release.toml changed")


def test_a_handler_that_is_only_used_and_never_defined_is_refused(workspace: Workspace) -> None:
    (workspace.root / "src" / "fn" / "handler.py").write_text("def other(event, context):\n    return run\n")
    with pytest.raises(BuildError, match="defines no run"):
        build(workspace, "ingest")


def test_a_layer_may_be_exactly_as_large_as_its_budget(workspace: Workspace) -> None:
    text = WITH_PACKAGE.replace('source = "src/core"', 'source = "src/core"\nmax_unzipped_mb = 1')
    (workspace.root / "release.toml").write_text(text)
    data = workspace.root / "src" / "core" / "data.txt"
    data.write_text("x")
    others = sum(path.stat().st_size for path in (workspace.root / "src" / "core").rglob("*.py"))
    data.write_text("x" * (1_000_000 - others))
    assert build(workspace, "core") == ["core-1.2.4.zip"]


def test_a_folder_of_configuration_that_does_not_exist_is_named(workspace: Workspace) -> None:
    (workspace.root / "canonical" / "scopes.yaml").unlink()
    (workspace.root / "canonical").rmdir()
    with pytest.raises(BuildError, match=r"Folder not found: .*canonical; check \[configuration\] in release.toml"):
        read_configuration(workspace.checkout())


def test_configuration_is_what_git_tracks_by_its_key_and_digest(workspace: Workspace) -> None:
    assert list(read_configuration(workspace.checkout())) == ["canonical/scopes.yaml"]
    subprocess.run(["git", "init", "-q"], cwd=workspace.root, check=True)  # noqa: S607
    assert read_configuration(workspace.checkout()) == {}
    assert untracked_configuration(workspace.checkout()) == ["canonical/scopes.yaml"]
    subprocess.run(["git", "add", "."], cwd=workspace.root, check=True)  # noqa: S607
    (file,) = read_configuration(workspace.checkout()).values()
    assert file.sha256 == hashlib.sha256(b"a: 1\n").hexdigest()
    assert untracked_configuration(workspace.checkout()) == []


@pytest.mark.parametrize(
    "text",
    [
        "if True:\n    def run(event, context): ...\n",
        "try:\n    from core import NAME as run\nexcept Exception:\n    run = None\n",
        "run, other = print, None\n",
    ],
)
def test_a_handler_may_be_defined_imported_or_assigned_on_the_modules_own_lines(
    workspace: Workspace, text: str
) -> None:
    (workspace.root / "src" / "fn" / "handler.py").write_text(text)
    assert build(workspace, "ingest")


def test_an_import_that_reads_an_unset_variable_is_refused_with_where_to_set_it(workspace: Workspace) -> None:
    (workspace.root / "src" / "core" / "late.py").write_text("import os\nBUCKET = os.environ['CONFIG_BUCKET']\n")
    with pytest.raises(BuildError) as caught:
        build(workspace)
    assert "under [sandbox.variables] in release.toml" in str(caught.value)
    assert "core/late.py, line 2: the environment variable 'CONFIG_BUCKET' is not set" in str(caught.value)


def test_a_stray_file_stays_out_and_is_named_even_if_git_tracks_it(workspace: Workspace) -> None:
    (workspace.root / "src" / "core" / "__init__.py.backup").write_text("old")
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=workspace.root, check=True)  # noqa: S607
    events: list[Event] = []
    workshop.build(workspace.checkout(), ["core"], events.append)
    assert any("backup is left out" in e.text for e in events if isinstance(e, Noticed))
    with zipfile.ZipFile(next((workspace.build / "layers").glob("core-*.zip"))) as archive:
        assert not [name for name in archive.namelist() if "backup" in name]


def test_line_endings_that_differ_from_the_commit_are_told(workspace: Workspace) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    commands = [["init", "-q"], ["config", "core.autocrlf", "true"], ["add", "."], [*identity, "commit", "-qm", "a"]]
    for command in commands:
        subprocess.run(["git", *command], cwd=workspace.root, check=True, capture_output=True)  # noqa: S607
    (workspace.root / "src" / "deps" / "__init__.py").write_bytes(b"NAME = 'deps'\r\n")
    subprocess.run(["git", "add", "."], cwd=workspace.root, check=True, capture_output=True)  # noqa: S607
    events: list[Event] = []
    workshop.build(workspace.checkout(), ["core"], events.append)
    assert any("src/deps/__init__.py: line endings" in e.text for e in events if isinstance(e, Noticed))


def test_without_git_it_is_said_that_all_is_built(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    build(workspace)
    assert "[WARNING] This is no git repository" in capsys.readouterr().out


def test_a_file_that_is_allowed_in_the_sources_passes_in_its_archive_too(workspace: Workspace) -> None:
    (workspace.root / "src" / "core" / ".env").write_text("A=1")
    (workspace.root / "release.toml").write_text(WITH_PACKAGE + '\n[allowed]\n"src/core/.env" = "an example"\n')
    assert build(workspace)
    check(workspace)


def test_a_file_of_the_users_beside_the_archives_stays(workspace: Workspace) -> None:
    build(workspace)
    mine = workspace.build / "layers" / "my-backup.zip"
    mine.write_text("mine")
    workshop.build(workspace.checkout(), workspace.project().select(""), Console(), clean=True)
    assert mine.read_text() == "mine"
