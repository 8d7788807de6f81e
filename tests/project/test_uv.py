"""What uv, and the build scripts that it runs, are handed."""

from pathlib import Path

from tasks.project.uv import for_building, for_indexes

EVERYTHING = {
    "PATH": "/usr/bin",
    "SystemRoot": "C:\\Windows",
    "LANG": "fr_FR.UTF-8",
    "HOME": "/home/anna",
    "USERPROFILE": "C:\\Users\\anna",
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_PROFILE": "prod",
    "GITHUB_TOKEN": "token",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "token",
    "OPENAI_API_KEY": "key",
    "PGPASSWORD": "password",
    "SSH_AUTH_SOCK": "/run/agent",
    "UV_INDEX_OURS_PASSWORD": "password",
    "UV_DEFAULT_INDEX": "https://anna:password@index.invalid/simple",
    "https_proxy": "http://proxy.invalid:3128",
    "SSL_CERT_FILE": "/etc/ours.pem",
    "NETRC": "/home/anna/.netrc",
    "UV_PUBLISH_TOKEN": "token",
    "UV_GITHUB_TOKEN": "token",
}
SYSTEM = {"PATH", "SystemRoot", "LANG"}
INDEXES = {"UV_INDEX_OURS_PASSWORD", "UV_DEFAULT_INDEX", "https_proxy", "SSL_CERT_FILE", "NETRC"}


def test_who_resolves_is_handed_what_reaches_the_indexes_and_no_other_key() -> None:
    assert for_indexes(EVERYTHING).keys() == SYSTEM | INDEXES | {"HOME", "USERPROFILE"}


def test_who_builds_is_handed_no_key_no_index_and_another_home(tmp_path: Path) -> None:
    handed = for_building(tmp_path, EVERYTHING)
    homes = {"HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP", "TMPDIR", "UV_CACHE_DIR"}
    assert handed.keys() == SYSTEM | homes | {"UV_NO_CONFIG"}
    assert {handed[name] for name in homes} == {str(tmp_path)}


def test_a_keyring_is_handed_everything_since_it_may_need_any_of_it() -> None:
    everything = {**EVERYTHING, "UV_KEYRING_PROVIDER": "subprocess"}
    assert for_indexes(everything) == everything


def test_a_companys_own_authority_is_that_of_its_indexes_too() -> None:
    assert for_indexes({"AWS_CA_BUNDLE": "/etc/ours.pem"}) == {"SSL_CERT_FILE": "/etc/ours.pem"}
