import base64

import pytest

from tasks.errors import PlanError
from tasks.release.artifacts import Release, description, hex_digest, parse_description, parse_record
from tests.examples import CORE, DEPS, RELEASE


def test_the_key_is_made_of_layer_and_version_and_never_cut_up_again() -> None:
    assert CORE.key == "layers/core-1.2.4.zip"


def test_a_record_reads_back_as_the_same_release() -> None:
    assert parse_record(RELEASE.record()) == RELEASE


def test_raising_one_layer_alone_makes_another_release_with_a_key_of_its_own() -> None:
    assert RELEASE.key == "releases/core-1.2.4_deps-1.0.5.json"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"commit": "x", "artifacts": {"core": {"layer": "core"}}}'])
def test_a_record_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        parse_record(text)


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
