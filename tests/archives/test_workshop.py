import json
import os
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.archives import workshop
from tasks.archives.archive import stored, write_archive
from tasks.archives.known import known_of
from tasks.archives.lock import write_lock
from tasks.archives.manifest import Archive, clean, find_built, place
from tasks.archives.recipes import recipe_for
from tasks.archives.sbom import bill_of_materials
from tasks.archives.together import all_well, modules_of
from tasks.archives.workshop import make
from tasks.errors import BuildError, ConfigError
from tasks.project.cache import CACHE_VARIABLE
from tasks.project.files import file_sha256
from tasks.project.runtimes import RUNTIMES
from tasks.project.workspace import Workspace
from tasks.release.artifacts import tree_of
from tasks.release.events import Event, Imported, Noticed
from tests.archives.wheelhouse import list_wheels, make_wheel
from tests.fakes import silent

pytestmark = pytest.mark.whole

RELEASE_TOML = """
[project]
name = "news"
runtimes = ["python3.11", "python3.12"]

[layers.core]
name = "news-core-{env}"
version_key = "CORE_VERSION"
source = "src/core"

[layers.deps]
name = "news-deps-{env}"
version_key = "DEPS_VERSION"
requirements = "src/requirements.txt"

[functions.ingest]
name = "news-ingest-{env}"
runtime = "python3.12"

[environments.dev]
account = "111122223333"
region = "eu-west-3"
bucket = "news-code-dev"
canonical_bucket = "news-config-dev"
"""

COMPILED = ["cp311-cp311-manylinux2014_x86_64", "cp312-cp312-manylinux_2_28_x86_64"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


class Shop:
    """A repository with a layer of sources and one of requirements, whose wheels lie in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.wheels = root / "wheels"
        self.workspace = Workspace(root)
        core = root / "src" / "core"
        core.mkdir(parents=True)
        (core / "__init__.py").write_text("NAME = 'core'\n")
        (root / "release.toml").write_text(RELEASE_TOML)
        (root / "VERSION").write_text("CORE_VERSION=1.2.4\nDEPS_VERSION=1.0.5\n")
        make_wheel(self.wheels, "alpha", requires="beta")
        for tag in [*COMPILED, "cp311-cp311-win_amd64", "py3-none-any"]:
            make_wheel(self.wheels, "beta", tag=tag, files={"beta/__init__.py": f"TAG = {tag!r}\n"})
        self.require("alpha\n")

    def require(self, text: str) -> None:
        """Write requirements and lock them against the wheels that are there now."""
        list_wheels(self.wheels)
        (self.root / "src" / "requirements.txt").write_text(text)
        write_lock(self.root / "src" / "requirements.txt", RUNTIMES["python3.11"])

    def make(self, name: str) -> Archive:
        checkout = self.workspace.checkout()
        return place(checkout, [make(checkout, name, recipe_for(checkout, name), silent)])[0]

    def build(self, name: str) -> Path:
        return self.make(name).path

    def built(self) -> list[str]:
        return sorted(path.name for path in (self.workspace.build / "layers").iterdir())

    def names(self, layer: str) -> list[str]:
        with zipfile.ZipFile(self.build(layer)) as archive:
            return [name for name in archive.namelist() if ".dist-info/" not in name]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that asks no index."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "shop" / "wheels" / "simple").as_uri())
    monkeypatch.setenv("UV_NO_CACHE", "1")
    return Shop(tmp_path / "shop")


def test_what_is_the_same_for_all_runtimes_goes_to_python_and_the_rest_to_each(shop: Shop) -> None:
    assert shop.names("deps") == [
        "python/alpha/__init__.py",
        "python/lib/python3.11/site-packages/beta/__init__.py",
        "python/lib/python3.12/site-packages/beta/__init__.py",
    ]


def test_each_runtime_gets_the_wheel_made_for_it(shop: Shop) -> None:
    with zipfile.ZipFile(shop.build("deps")) as archive:
        text = archive.read("python/lib/python3.12/site-packages/beta/__init__.py").decode()
    assert COMPILED[1] in text


def test_the_layers_import_together_from_the_unpacked_archives_alone(shop: Shop, tmp_path: Path) -> None:
    for layer in ("core", "deps"):
        with zipfile.ZipFile(shop.build(layer)) as archive:
            archive.extractall(tmp_path / "opt")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path / 'opt' / 'python')!r}]; import core, alpha; "
        "from importlib.metadata import version; print(version('alpha'))"
    )
    result = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "1.0\n"


def test_what_a_layer_of_requirements_brings_is_imported_by_its_own_name(shop: Shop) -> None:
    make_wheel(shop.wheels, "gamma", files={"python/__init__.py": "", "gamma/__init__.py": ""})
    shop.require("gamma\n")
    project = shop.workspace.project()
    assert modules_of(project, [shop.make("deps")], RUNTIMES["python3.12"]) == ["gamma", "python"]


@pytest.mark.parametrize(
    ("trials", "well"),
    [
        ([Imported("python3.12", 3), Imported("python3.12", 1)], True),
        ([Imported("python3.12", 0, reason="no twin"), Imported("python3.12", 1)], False),
        ([Imported("python3.12", 3), Imported("python3.12", 0, reason="no twin")], False),
        ([Imported("python3.12", 3, failures=("a",)), Imported("python3.12", 1)], False),
    ],
)
def test_only_what_was_imported_as_a_whole_is_remembered_as_sound(trials: list[Imported], well: bool) -> None:
    assert all_well(trials) == well


def test_building_again_in_another_folder_gives_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    first = {layer: shop.build(layer).read_bytes() for layer in ("core", "deps")}
    shutil.rmtree(shop.root / ".build")
    moved = Workspace(shop.root.rename(tmp_path / "other").absolute())
    shutil.copytree(moved.root / "wheels", shop.wheels)
    again = Shop.__new__(Shop)
    again.root, again.workspace = moved.root, moved
    for layer, contents in first.items():
        assert again.build(layer).read_bytes() == contents


def test_an_unchanged_layer_is_not_built_again_even_after_clean(shop: Shop) -> None:
    assert not shop.make("deps").cached
    clean(shop.workspace)
    shutil.rmtree(shop.wheels)
    assert shop.make("deps").cached


def test_clean_removes_what_was_built(shop: Shop) -> None:
    path = shop.build("core")
    clean(shop.workspace)
    clean(shop.workspace)
    assert not path.exists()
    assert not shop.workspace.manifest.exists()


def test_the_archive_of_another_version_does_not_stay_beside_the_new_one(shop: Shop) -> None:
    old = shop.build("core")
    (shop.root / "VERSION").write_text("CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    deps = shop.build("deps")
    assert shop.build("core").name == "core-1.2.5.zip"
    assert not old.exists()
    assert deps.exists()


def test_a_layer_whose_name_only_begins_alike_is_left_alone(shop: Shop) -> None:
    shop.build("core")
    other = shop.workspace.build / "layers" / "core-extra-1.2.3.zip"
    other.write_bytes(b"")
    shop.build("core")
    assert other.exists()


def test_the_manifest_says_what_is_in_each_layer(shop: Shop) -> None:
    shop.build("core")
    archive = shop.build("deps")
    noted = json.loads(shop.workspace.manifest.read_text())
    deps = noted["entries"]["deps"]
    assert deps["requirements"] == {"alpha": "1.0", "beta": "1.0"}
    assert (deps["artifact"]["version"], deps["artifact"]["size"]) == ("1.0.5", archive.stat().st_size)
    assert deps["artifact"]["runtimes"] == ["python3.11", "python3.12"]
    assert noted["entries"]["core"]["requirements"] == {}
    assert deps["commit"] == "none"


def bring_one_file(shop: Shop, *contents: str) -> None:
    """Require packages that all bring tests/__init__.py, with these contents."""
    for name, text in zip(("gamma", "delta"), contents, strict=True):
        make_wheel(shop.wheels, name, files={f"{name}/__init__.py": "", "tests/__init__.py": text})
    shop.require("gamma\ndelta\n")


@pytest.mark.parametrize("named", ["tests/__init__.py", "python/tests/__init__.py"])
def test_two_packages_that_bring_one_file_are_both_named_unless_that_is_allowed(shop: Shop, named: str) -> None:
    bring_one_file(shop, "A = 1", "A = 2")
    with pytest.raises(BuildError, match=r"(gamma|delta) 1.0 and (gamma|delta) 1.0 both bring tests/__init__.py"):
        shop.build("deps")
    (shop.root / "release.toml").write_text(f'{RELEASE_TOML}\n[allowed]\n"{named}" = "nobody imports it"\n')
    with zipfile.ZipFile(shop.build("deps")) as archive:
        assert archive.namelist().count("python/tests/__init__.py") == 1


def test_two_packages_that_bring_the_same_contents_pass(shop: Shop) -> None:
    bring_one_file(shop, "", "")
    with zipfile.ZipFile(shop.build("deps")) as archive:
        assert archive.namelist().count("python/tests/__init__.py") == 1


@pytest.mark.parametrize("tag", ["cp312-cp312-manylinux2014_x86_64", "cp311-cp311-manylinux_2_28_x86_64"])
def test_no_wheel_for_a_declared_runtime_is_refused_by_name(shop: Shop, tag: str) -> None:
    make_wheel(shop.wheels, "gamma", tag=tag)
    shop.require("gamma\n")
    with pytest.raises(BuildError, match="gamma 1.0 has no wheel for python3.11 on x86_64 .glibc 2.26 or older"):
        shop.build("deps")
    assert list((shop.workspace.build / "layers").glob("*")) == []


def test_a_package_that_this_platform_does_not_need_stays_out(shop: Shop) -> None:
    make_wheel(shop.wheels, "omega")
    shop.require("omega\nalpha; sys_platform == 'win32'\n")
    assert shop.names("deps") == ["python/omega/__init__.py"]


def test_a_build_that_fails_leaves_the_earlier_archive_and_nothing_half_written(shop: Shop) -> None:
    shop.build("core")
    (shop.root / "src" / "core" / "key.pem").write_text("secret")
    with pytest.raises(BuildError, match="key.pem must never ship"):
        shop.build("core")
    assert shop.built() == ["core-1.2.4.cdx.json", "core-1.2.4.zip"]


def test_without_a_build_the_layer_file_is_not_found(shop: Shop) -> None:
    with pytest.raises(BuildError, match=r"Layer file not found: .build/layers/core-1.2.4.zip; run: inv build"):
        find_built(shop.workspace.checkout(), ["core"])


def test_a_built_layer_is_found_as_it_was_built(shop: Shop) -> None:
    built = shop.make("core")
    assert find_built(shop.workspace.checkout(), ["core"])[0].artifact == built.artifact


def test_an_archive_older_than_its_sources_is_refused_because_stale_zips_were_once_released(shop: Shop) -> None:
    shop.build("core")
    (shop.root / "src" / "core" / "__init__.py").write_text("NAME = 'changed'\n")
    with pytest.raises(BuildError, match="core-1.2.4.zip is older than what it is built from; run: inv build"):
        find_built(shop.workspace.checkout(), ["core"])


def test_an_archive_that_was_exchanged_is_refused_because_presence_and_name_prove_nothing(shop: Shop) -> None:
    shop.build("core").write_bytes(b"something else")
    with pytest.raises(BuildError, match="is not the archive that was built"):
        find_built(shop.workspace.checkout(), ["core"])


def test_a_damaged_archive_in_the_cache_is_built_again(shop: Shop) -> None:
    good = shop.build("core").read_bytes()
    for path in (shop.workspace.cache / "archives").glob("*.zip"):
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert shop.build("core").read_bytes() == good


def test_a_manifest_that_is_not_ours_counts_as_none(shop: Shop) -> None:
    shop.build("core")
    shop.workspace.manifest.write_text("[]")
    with pytest.raises(BuildError, match="Layer file not found"):
        find_built(shop.workspace.checkout(), ["core"])


def test_a_repository_without_version_says_so(shop: Shop) -> None:
    (shop.root / "VERSION").unlink()
    with pytest.raises(ConfigError, match="VERSION not found"):
        shop.build("core")


@pytest.mark.parametrize("pattern", ["*.json", "*.cdx.json", "*.zip"])
@pytest.mark.parametrize("contents", [b"", b"[]", b'{"a": 1}', None])
def test_whatever_is_damaged_in_the_cache_is_made_again(shop: Shop, pattern: str, contents: bytes | None) -> None:
    good = shop.build("core").read_bytes()
    bill = shop.make("core").bill.read_bytes()
    for path in (shop.workspace.cache / "archives").glob(pattern):
        path.unlink() if contents is None else path.write_bytes(contents)
    made = shop.make("core")
    assert (made.path.read_bytes(), made.bill.read_bytes(), made.cached) == (good, bill, False)


@pytest.mark.parametrize("thorough", [False, True])
def test_a_note_in_the_cache_that_was_changed_with_its_archive_is_not_believed(shop: Shop, *, thorough: bool) -> None:
    good = shop.build("core").read_bytes()
    (path,) = (shop.workspace.cache / "archives").glob("*.zip")
    digest = write_archive(path, [stored("python/core/__init__.py", b"NAME = 'evil'\n")])
    note = json.loads(path.with_suffix(".json").read_text())
    note["sha256"] = digest
    if thorough:
        note["tree"] = tree_of(str(path))
        bill = bill_of_materials("core", [], note["tree"])
        path.with_suffix(".cdx.json").write_text(bill)
    path.with_suffix(".json").write_text(json.dumps(note))
    assert shop.build("core").read_bytes() == good


def test_a_layer_with_the_sdk_that_every_runtime_has_is_told_so(shop: Shop) -> None:
    make_wheel(shop.wheels, "boto3", "1.40.1")
    shop.require("boto3\n")
    events: list[Event] = []
    checkout = shop.workspace.checkout()
    for _ in range(2):
        make(checkout, "deps", recipe_for(checkout, "deps"), events.append)
    assert [e.text[:24] for e in events if isinstance(e, Noticed)] == ["deps brings boto3 1.40.1"]


def test_what_was_found_sound_is_remembered_and_what_was_not_is_not(shop: Shop) -> None:
    tag = "py3-none-manylinux2014_x86_64"
    make_wheel(shop.wheels, "gamma", tag=tag, files={"gamma/__init__.py": "", "gamma/a.so": "no library"})
    shop.require("alpha\ngamma\n")
    for _ in range(2):
        with pytest.raises(BuildError, match=r"gamma/a.so: is not a Linux library"):
            shop.build("deps")
    assert known_of(shop.workspace).sound == set()
    shop.require("alpha\n")
    with zipfile.ZipFile(shop.build("deps")) as archive:
        assert len(known_of(shop.workspace).sound) == len(archive.namelist())


def test_what_was_sound_for_some_runtimes_is_looked_at_again_for_others(shop: Shop) -> None:
    shop.build("deps")
    before = set(known_of(shop.workspace).sound)
    text = RELEASE_TOML.replace('["python3.11", "python3.12"]', '["python3.11", "python3.12", "python3.13"]')
    (shop.root / "release.toml").write_text(text)
    shop.require("alpha\n")
    with zipfile.ZipFile(shop.build("deps")) as archive:
        assert len(known_of(shop.workspace).sound - before) == len(archive.namelist())


def test_what_was_kept_is_judged_again_where_the_rules_are_others(shop: Shop) -> None:
    tag = "py3-none-manylinux2014_x86_64"
    make_wheel(shop.wheels, "gamma", tag=tag, files={"gamma/__init__.py": "", "gamma/a.so": "no library"})
    shop.require("alpha\n")
    shop.build("deps")
    known, checkout = known_of(shop.workspace), shop.workspace.checkout()
    path = shop.workspace.cache / "archives" / f"{recipe_for(checkout, 'deps').key}.zip"
    assert known.judged
    known.judged.clear()  # as if a check had been added since
    note = json.loads(path.with_suffix(".json").read_text())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("python/bad.pyc", "")
    note["sha256"] = file_sha256(path)
    path.with_suffix(".json").write_text(json.dumps(note))
    with pytest.raises(BuildError, match=r"bad.pyc: is bytecode"):
        shop.build("deps")


def test_two_builds_at_once_lose_no_entry_of_the_manifest(shop: Shop) -> None:
    def build(name: str) -> None:
        for _ in range(5):
            workshop.build(shop.workspace.checkout(), [name], silent)

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(build, name) for name in ("core", "deps")]:
            done.result()
        assert {each.artifact.name for each in find_built(shop.workspace.checkout(), ["core", "deps"])} == {
            "core",
            "deps",
        }


def test_a_build_that_is_refused_takes_no_archive_away(shop: Shop) -> None:
    good = shop.build("core")
    (shop.root / "src" / "core" / "__init__.py").write_text("raise RuntimeError\n")
    with pytest.raises(BuildError):
        workshop.build(shop.workspace.checkout(), ["core", "deps"], silent, clean=True)
    assert good.exists()


@pytest.mark.parametrize("name", [".build", ".build/layers"])
@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_what_is_in_the_way_of_archives_is_named(shop: Shop, name: str, kind: str) -> None:
    path = shop.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine") if kind == "file" else path.symlink_to(shop.root / "nowhere" / "at" / "all")
    with pytest.raises(BuildError, match=r"\.build.* cannot be written"):
        workshop.build(shop.workspace.checkout(), ["core"], silent)
    assert path.is_symlink() or path.read_text() == "mine"


def test_clean_removes_nothing_that_a_link_points_to(shop: Shop) -> None:
    mine = shop.root / "mine"
    mine.mkdir()
    (mine / "precious").write_text("")
    shop.workspace.build.mkdir()
    (shop.workspace.build / "layers").symlink_to(mine)
    clean(shop.workspace)
    assert (mine / "precious").exists()


@pytest.mark.skipif(os.name == "nt", reason="making a link needs a privilege on Windows")
@pytest.mark.parametrize("name", [".build", ".build/layers"])
def test_a_build_removes_nothing_that_lies_behind_a_link(shop: Shop, name: str) -> None:
    precious = shop.root / "precious"
    mine = [precious / "mine.zip", precious / "folder" / "mine.txt", precious / "layers" / "folder" / "mine"]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    (shop.root / name).parent.mkdir(exist_ok=True)
    (shop.root / name).symlink_to(precious)
    workshop.build(shop.workspace.checkout(), ["core"], silent, clean=True)
    clean(shop.workspace)
    assert [path.read_text() for path in mine] == ["mine"] * 3
