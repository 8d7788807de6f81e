"""One layer for several runtimes, from real wheels: needs the index once, then the cache of this repository."""

import shutil
import zipfile
from pathlib import Path

import pytest

from tasks.archives.lock import write_lock
from tasks.archives.recipes import recipe_for
from tasks.archives.stage import Stage
from tasks.archives.trial import try_imports
from tasks.archives.workshop import make
from tasks.project.interpreters import find_interpreter
from tasks.project.runtimes import RUNTIMES
from tasks.project.workspace import Workspace
from tests.fakes import silent

ROOT = Path(__file__).parent.parent.parent
DECLARED = [RUNTIMES[name] for name in ("python3.11", "python3.12", "python3.13")]


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository's common-deps, for three runtimes."""
    root = tmp_path_factory.mktemp("three")
    text = (ROOT / "release.toml").read_text().replace('"python3.12"]', '"python3.12", "python3.13"]')
    (root / "release.toml").write_text(text)
    shutil.copy(ROOT / "VERSION", root)
    (root / "src_v2").mkdir()
    shutil.copy(ROOT / "src_v2" / "requirements.txt", root / "src_v2")
    shutil.copy(ROOT / "src_v2" / "requirements.lock", root / "src_v2")
    workspace = Workspace(root)
    project = workspace.project()
    write_lock(root / "src_v2" / "requirements.txt", project.runtimes[0])
    checkout = workspace.checkout()
    return make(checkout, "common-deps", recipe_for(checkout, "common-deps"), silent).path


def test_each_runtime_gets_compiled_libraries_of_its_own_and_shares_the_rest(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    for runtime in DECLARED:
        assert any(f"/{runtime.name}/site-packages/yaml/_yaml" in name for name in names)
    assert "python/requests/api.py" in names
    assert not [name for name in names if "/bin/" in name or "__pycache__" in name]


@pytest.mark.parametrize("runtime", DECLARED, ids=lambda runtime: runtime.name)
def test_yaml_has_its_c_extension_and_charset_normalizer_imports_on_each_runtime(
    archive: Path, runtime: object, tmp_path: Path
) -> None:
    assert isinstance(runtime, type(DECLARED[0]))
    if not find_interpreter(runtime):
        pytest.skip(f"no {runtime.name} on this machine")
    code = "import yaml, charset_normalizer, importlib.metadata as m\nfrom yaml import CSafeLoader\n"
    code += "assert m.version('PyYAML') and m.version('sgmllib3k')\n"
    with zipfile.ZipFile(tmp_path / "check.zip", "w") as package:
        package.writestr("check.py", code)
    modules = ["check", "feedparser", "requests", "bs4", "sgmllib"]
    trial = try_imports(Stage(runtime, "x86_64", [archive], tmp_path / "check.zip"), modules)
    assert trial.failures == ()
