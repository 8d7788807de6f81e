import base64

import pytest

from tasks.release.artifacts import Kind, description, hex_digest, parse_description, top_modules
from tests.examples import CORE, package


def test_the_key_is_made_of_layer_and_version_and_never_cut_up_again() -> None:
    assert CORE.key == "layers/core-1.2.4.zip"


def test_a_package_lies_apart_from_the_layers() -> None:
    assert package("ingest").key == "functions/ingest-0000000000000000.zip"
    assert package("ingest").bill_key == "functions/ingest-0000000000000000.cdx.json"


def test_what_an_artifact_is_called() -> None:
    assert (Kind.LAYER.word, Kind.PACKAGE.word) == ("Layer", "Package")


def test_the_top_level_modules_of_an_archive_are_its_packages_files_and_libraries() -> None:
    names = [
        "python/requests/__init__.py",
        "python/requests/api.py",
        "python/six.py",
        "python/requests-2.0.dist-info/METADATA",
        "python/lib/python3.11/site-packages/_yaml.cpython-311-x86_64-linux-gnu.so",
        "python/lib/python3.11/site-packages/yaml/__init__.py",
        "python/numpy.libs/libopenblas.so.0",
        "python/README.txt",
        "python/libfoo.so.1",
        "python/notes.also",
    ]
    assert top_modules(names) == ("_yaml", "requests", "six", "yaml")
    assert top_modules(["handler.py", "vectora_core/__init__.py"]) == ("handler", "vectora_core")


def test_scripts_and_data_are_no_modules() -> None:
    assert top_modules(["python/bin/ruff", "python/share/man/man1/x.1", "python/lib/x.py"]) == ("lib.x",)


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


@pytest.mark.parametrize(
    ("names", "roots"),
    [
        (["acme/core/__init__.py", "acme/core/a.py"], ("acme.core",)),
        (["python/acme/core/__init__.py", "python/acme/one.py"], ("acme.core", "acme.one")),
        (["acme/__init__.py", "acme/core/a.py"], ("acme",)),
        (["acme/__init__.cpython-312-x86_64-linux-gnu.so", "acme/core/a.py"], ("acme",)),
        (["acme/a/b/c.py", "acme/data/x.json"], ("acme.a.b.c",)),
        (["acme/my-tool.py"], ("acme",)),
        (["acme/x.json"], ("acme",)),
        (["a/" * 50 + "b.py"], (".".join("a" * 22),)),
    ],
)
def test_a_namespace_package_is_named_by_what_is_in_it(names: list[str], roots: tuple[str, ...]) -> None:
    assert top_modules(names) == roots
