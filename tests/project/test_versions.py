import pytest

from tasks.errors import ConfigError
from tasks.project.versions import bump, is_version, read_versions

TEXT = "# ours\r\nCORE_VERSION=1.2.3\r\n\r\nCANONICAL_VERSION=2.2\r\nDEPS_VERSION = 1.0.5 \r\n"


def test_keys_are_read_among_comments_blank_lines_crlf_and_other_keys() -> None:
    assert read_versions(TEXT, ["CORE_VERSION", "DEPS_VERSION"]) == {"CORE_VERSION": "1.2.3", "DEPS_VERSION": "1.0.5"}


def test_a_byte_order_mark_from_notepad_is_no_part_of_the_key() -> None:
    assert read_versions("\ufeffCORE_VERSION=1.2.3\n", ["CORE_VERSION"]) == {"CORE_VERSION": "1.2.3"}


def test_a_missing_key_is_named_with_what_to_add() -> None:
    with pytest.raises(ConfigError, match=r"no OTHER_VERSION; add a line such as OTHER_VERSION=1\.0\.0"):
        read_versions(TEXT, ["OTHER_VERSION"])


def test_a_duplicate_key_is_refused_with_its_lines_because_the_second_was_once_ignored() -> None:
    with pytest.raises(ConfigError, match="CORE_VERSION more than once .lines 1 and 3"):
        read_versions("CORE_VERSION=1.2.3\n# more\nCORE_VERSION=1.2.4\n", ["CORE_VERSION"])


@pytest.mark.parametrize("value", ["1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.2.x", "", "1.2.3 # note"])
def test_what_is_not_major_minor_patch_is_refused_with_its_value(value: str) -> None:
    with pytest.raises(ConfigError, match="MAJOR.MINOR.PATCH"):
        read_versions(f"CORE_VERSION={value}\n", ["CORE_VERSION"])


def test_a_key_that_only_begins_like_ours_is_another_key() -> None:
    assert read_versions("CORE_VERSION_OLD=x\nCORE_VERSION=1.0.0\n", ["CORE_VERSION"]) == {"CORE_VERSION": "1.0.0"}


@pytest.mark.parametrize(("part", "new"), [("major", "2.0.0"), ("minor", "1.3.0"), ("patch", "1.2.4")])
def test_bump_raises_one_part_and_clears_those_behind_it(part: str, new: str) -> None:
    assert bump(TEXT, "CORE_VERSION", part)[1:] == ("1.2.3", new)


def test_bump_keeps_every_other_byte() -> None:
    text, _, _ = bump(TEXT, "DEPS_VERSION", "patch")
    assert text == TEXT.replace("1.0.5", "1.0.6")


def test_bump_refuses_an_unknown_part() -> None:
    with pytest.raises(ConfigError, match="Unknown part 'build'; use --part major, minor or patch"):
        bump(TEXT, "CORE_VERSION", "build")


def test_only_three_plain_numbers_are_a_version() -> None:
    assert is_version("10.0.3")
    assert not is_version("1.2.3-rc1")


def test_a_version_of_two_parts_as_the_configuration_has_is_raised_and_stays_one() -> None:
    assert bump("CANONICAL_VERSION=2.2\n", "CANONICAL_VERSION", "minor")[2] == "2.3"
    assert bump("CANONICAL_VERSION=2.2\n", "CANONICAL_VERSION", "major")[2] == "3.0"
    with pytest.raises(ConfigError, match=r"CANONICAL_VERSION=2.2 has no patch; use --part major or minor"):
        bump("CANONICAL_VERSION=2.2\n", "CANONICAL_VERSION", "patch")
