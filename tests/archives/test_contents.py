import json
import os
import zipfile
from pathlib import Path

import pytest

from tasks.archives.contents import read_contents
from tasks.archives.sbom import bill_of_materials
from tasks.errors import BuildError
from tasks.release.contents import Distribution, bill_changes, compare, read_bill
from tests.fakes import make_pipe

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}\n"


def archive(path: Path, files: dict[str, str], **versions: str) -> Path:
    """An archive of some files and distributions."""
    with zipfile.ZipFile(path, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
        for name, version in versions.items():
            text = METADATA.format(name=name, version=version, more="License-Expression: MIT\n")
            made.writestr(f"python/{name}-{version}.dist-info/METADATA", text)
    return path


def test_distributions_are_listed_with_version_and_licence(tmp_path: Path) -> None:
    contents = read_contents(archive(tmp_path / "a.zip", {"python/yaml/a.py": "12345"}, yaml="6.0", requests="2.32"))
    assert contents.distributions == (Distribution("requests", "2.32", "MIT"), Distribution("yaml", "6.0", "MIT"))
    assert contents.packages["yaml"] == 5


@pytest.mark.parametrize(
    ("more", "licence"),
    [
        ("License-Expression: MPL-2.0\n", "MPL-2.0"),
        ("License: BSD License\n", "BSD License"),
        ("Classifier: License :: OSI Approved :: MIT License\n", "MIT License"),
        (f"License: {'words ' * 40}\nClassifier: License :: OSI Approved :: ISC\n", "ISC"),
        ("", ""),
    ],
)
def test_the_licence_is_read_where_it_is_stated(tmp_path: Path, more: str, licence: str) -> None:
    text = METADATA.format(name="a", version="1", more=more)
    path = archive(tmp_path / "a.zip", {"python/a-1.dist-info/METADATA": text})
    assert read_contents(path).distributions[0].licence == licence


def test_a_distribution_that_lies_there_for_each_runtime_is_listed_once(tmp_path: Path) -> None:
    text = METADATA.format(name="a", version="1", more="")
    names = [f"python/lib/python3.{minor}/site-packages/a-1.dist-info/METADATA" for minor in (12, 11)]
    contents = read_contents(archive(tmp_path / "a.zip", dict.fromkeys(names, text)))
    assert contents.distributions == (Distribution("a", "1", "", ("python3.11", "python3.12")),)


def test_two_archives_differ_by_packages_files_and_size(tmp_path: Path) -> None:
    before = read_contents(archive(tmp_path / "a.zip", {"python/x.py": "1", "python/y.py": ""}, a="1.0", b="2.0"))
    after = read_contents(archive(tmp_path / "b.zip", {"python/x.py": "22", "python/z.py": ""}, b="1.9", c="3.0"))
    difference = compare(before, after)
    assert (difference.added, difference.removed) == (("c 3.0",), ("a 1.0",))
    assert difference.changed == ("b 2.0 -> 1.9",)
    assert difference.files_changed == ("python/x.py",)
    assert "python/z.py" in difference.files_added
    assert "python/y.py" in difference.files_removed
    assert difference.unzipped == 1
    assert not difference.empty
    assert compare(before, before).empty


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no")
    with pytest.raises(BuildError, match="not a ZIP archive, is damaged or encrypted"):
        read_contents(tmp_path / "a.zip")
    with pytest.raises(BuildError, match="does not exist, or is no file; name an archive"):
        read_contents(tmp_path / "b.zip")


DISTRIBUTIONS = [Distribution("PyYAML", "6.0.3", "MIT"), Distribution("odd", "1", "Some Licence, or other")]


@pytest.mark.whole  # to import jsonschema takes longer than most tests
def test_a_bill_of_materials_is_valid() -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    bill = bill_of_materials("common-deps", DISTRIBUTIONS, "0123abcd")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None


def test_a_bill_of_materials_is_the_same_wherever_it_is_made() -> None:
    bill = bill_of_materials("common-deps", DISTRIBUTIONS, "0123abcd")
    assert bill == bill_of_materials("common-deps", reversed(DISTRIBUTIONS), "0123abcd")
    assert bill.startswith('{\n  "')
    assert json.loads(bill)["metadata"]["component"]["properties"] == [{"name": "tree-digest", "value": "0123abcd"}]
    assert bill.endswith("}\n")
    components = {each["purl"] for each in json.loads(bill)["components"]}
    assert components == {"pkg:pypi/pyyaml@6.0.3", "pkg:pypi/odd@1"}


def test_bills_of_materials_say_what_changed_between_two_archives() -> None:
    old = read_bill(
        bill_of_materials("a", [Distribution("requests", "2.32.3", ""), Distribution("six", "1.0", "")], "0" * 64)
    )
    new = read_bill(
        bill_of_materials("a", [Distribution("requests", "2.32.4", ""), Distribution("idna", "3.1", "")], "1" * 64)
    )
    assert bill_changes(old, new) == "requests 2.32.3 -> 2.32.4, + idna 3.1, - six 1.0"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"components": [1]}'])
def test_what_is_no_bill_lists_nothing(text: str) -> None:
    assert read_bill(text) == {}


@pytest.mark.whole
def test_what_unpacks_to_gigabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made, made.open("zeros", "w") as file:
        for _ in range(251):
            file.write(bytes(1 << 20))
    with pytest.raises(BuildError, match="unpacks to 263,192,576 bytes, more than Lambda's 262,144,000; not read"):
        read_contents(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_pipe_is_no_archive_and_is_not_waited_for(tmp_path: Path) -> None:
    make_pipe(tmp_path / "a.zip")
    with pytest.raises(BuildError, match="is no file"):
        read_contents(tmp_path / "a.zip")
