"""A dependency whose build script writes down all that it is handed."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.examples import RELEASE_TOML
from tests.test_namespace import repository  # noqa: F401  (a fixture)

pytestmark = pytest.mark.long

SCRIPT = """
import json, os, pathlib
seen = {"environment": dict(os.environ), "home": os.path.expanduser("~")}
seen["keys"] = pathlib.Path(seen["home"], ".aws", "credentials").exists()
with open(%r, "a", encoding="utf-8") as file:
    file.write(json.dumps(seen) + "\\n")
from setuptools import setup
setup(name="handed-nothing-here", version="1.0", py_modules=["handed"])
"""
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIA-handed",
    "AWS_SECRET_ACCESS_KEY": "secret-handed",
    "AWS_SESSION_TOKEN": "session-handed",
    "GITHUB_TOKEN": "token-handed",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "oidc-handed",
}
INDEX = {"UV_INDEX_OURS_USERNAME": "anna", "UV_INDEX_OURS_PASSWORD": "index-handed"}


def make_sdist(folder: Path, log: Path) -> None:
    """An sdist that says nothing of what it needs, so that resolving it must build it."""
    folder.mkdir()
    texts = {"setup.py": SCRIPT % str(log), "handed.py": "A = 1\n"}
    texts["PKG-INFO"] = "Metadata-Version: 1.1\nName: handed-nothing-here\nVersion: 1.0\n"
    with tarfile.open(folder / "handed_nothing_here-1.0.tar.gz", "w:gz") as archive:
        for name, text in texts.items():
            entry = tarfile.TarInfo(f"handed_nothing_here-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))


def handed(log: Path) -> list[str]:
    """What each run of the script was handed, as text; forgotten afterwards."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def test_a_build_script_is_handed_no_key_no_token_no_home_and_no_index(
    repository: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    log, home, deps = tmp_path / "seen.log", tmp_path / "home", repository / "src" / "deps"
    make_sdist(tmp_path / "links", log)
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text("[default]\naws_secret_access_key = file-handed\n")
    (deps / "__init__.py").unlink()
    (deps / "requirements.txt").write_text("handed-nothing-here==1.0\n")
    text = RELEASE_TOML.replace('source = "src/deps"', 'requirements = "src/deps/requirements.txt"')
    (repository / "release.toml").write_text(text)
    environment = {**os.environ, **SECRETS, **INDEX, "HOME": str(home), "UV_FIND_LINKS": str(tmp_path / "links")}

    def inv(*line: str, cache: str) -> None:
        variables = {**environment, "LAMBDA_LAYERS_CACHE": str(tmp_path / cache), "UV_CACHE_DIR": str(tmp_path / "uv")}
        command = [sys.executable, "-m", "invoke", *line]
        made = subprocess.run(command, cwd=repository, env=variables, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stdout + made.stderr

    inv("lock", cache="one")
    locking = handed(log)
    assert locking
    assert not [line for line in locking for secret in SECRETS.values() if secret in line]
    inv("build", cache="one")
    inv("sandbox", "deploy", "--env", "dev", cache="two")
    building = handed(log)
    assert len(building) > 1
    assert not any(json.loads(line)["keys"] for line in building)
    forbidden = [*SECRETS.values(), "index-handed", "UV_FIND_LINKS", "UV_INDEX", str(home)]
    assert not [word for line in building for word in forbidden if word in line]
