import base64
from dataclasses import replace

import pytest

from tasks.errors import PlanError
from tasks.release.artifacts import Release, description, hex_digest, parse_description, parse_record, top_modules
from tests.examples import CORE, DEPS, RELEASE, package


def test_the_key_is_made_of_layer_and_version_and_never_cut_up_again() -> None:
    assert CORE.key == "layers/core-1.2.4.zip"


def test_a_record_reads_back_as_the_same_release() -> None:
    assert parse_record(RELEASE.record().encode()) == RELEASE


def test_raising_one_layer_alone_makes_another_release_with_a_key_of_its_own() -> None:
    raised = Release((CORE, replace(DEPS, version="1.0.6")), "abc1234")
    assert RELEASE.key.startswith("releases/core-1.2.4/")
    assert raised.key.startswith("releases/core-1.2.4/")
    assert raised.key != RELEASE.key


@pytest.mark.parametrize("contents", [b"", b"\xff", b"[]", b"{}", b'{"commit": "x", "artifacts": [{"name": "core"}]}'])
def test_a_record_that_is_not_ours_is_refused(contents: bytes) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        parse_record(contents)


def test_a_package_lies_apart_from_the_layers() -> None:
    assert package("ingest").key == "functions/ingest-0000000000000000.zip"
    release = Release((CORE, package("ingest")), "abc1234")
    assert (release.layers, list(release.packages)) == ((CORE,), ["ingest"])


def test_the_top_level_modules_of_an_archive_are_its_packages_files_and_libraries() -> None:
    names = [
        "python/requests/api.py",
        "python/six.py",
        "python/requests-2.0.dist-info/METADATA",
        "python/lib/python3.11/site-packages/_yaml.cpython-311-x86_64-linux-gnu.so",
        "python/lib/python3.11/site-packages/yaml/cyaml.py",
        "python/numpy.libs/libopenblas.so.0",
        "python/README.txt",
        "python/libfoo.so.1",
        "python/notes.also",
    ]
    assert top_modules(names) == ("_yaml", "requests", "six", "yaml")
    assert top_modules(["handler.py", "vectora_core/__init__.py"]) == ("handler", "vectora_core")


def test_a_description_says_version_and_contents_within_lambdas_256_characters() -> None:
    text = description(CORE, "abc1234-dirty")
    assert parse_description(text) == ("1.2.4", CORE.tree[:16])
    assert len(text) < 256


def test_a_description_by_other_hands_says_nothing() -> None:
    assert parse_description("Built from repo - version 1.2.4") == ("", "")


def test_aws_writes_sha256_in_base64() -> None:
    assert hex_digest(CORE.code_sha256) == CORE.sha256
    assert base64.b64decode(CORE.code_sha256).hex() == CORE.sha256


@pytest.mark.parametrize("text", ["", "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=-2"])
def test_the_digest_of_a_multipart_upload_is_not_that_of_the_whole(text: str) -> None:
    assert hex_digest(text) == ""


def test_a_release_reads_as_its_artifacts() -> None:
    assert str(Release((CORE, DEPS), "abc1234")) == "core 1.2.4, deps 1.0.5"
