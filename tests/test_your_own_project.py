"""A second team's project, made as the README says, on a machine that cannot run what is compiled for its functions."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RELEASE_TOML = """\ufeff
[project]
name = "weather"
runtimes = ["python3.12"]
architecture = "arm64"
smoke = true

[layers.weather]
name = "weather-lib-{env}"
version_key = "WEATHER_VERSION"
source = "src/weather"

[layers.numbers]
name = "weather-numbers-{env}"
version_key = "NUMBERS_VERSION"
requirements = "src/requirements.txt"

[functions.measure]
name = "weather-measure-{env}"
runtime = "python3.12"
source = "src/functions/measure"
handler = "main.handle"
smoke = '{"smoke": true}'
timeout = 30
memory = 512

[functions.report]
name = "weather-report-{env}"
runtime = "python3.12"
source = "src/functions/report"
handler = "main.handle"

[environments.test]
account = "222233334444"
region = "eu-central-1"
bucket = "weather-code-test"

[environments.live]
account = "555566667777"
region = "us-east-1"
bucket = "weather-code-live"
"""
FILES = {
    "VERSION": "\ufeffWEATHER_VERSION=0.1.0\r\nNUMBERS_VERSION=1.0.0\r\n",
    "release.toml": RELEASE_TOML.replace("\n", "\r\n"),
    "src/requirements.txt": "numpy==2.2.6\r\n",
    "src/weather/__init__.py": "import numpy\n\n\ndef mean(values):\n    return float(numpy.mean(values))\n",
    "src/functions/measure/main.py": (
        "from weather import mean\n\n\n"
        "def handle(event, context):\n"
        "    if event.get('smoke') is True:\n        return {'statusCode': 200}\n"
        "    return {'statusCode': 200, 'mean': mean(event['values']), 'memory': context.memory_limit_in_mb}\n"
    ),
    "src/functions/report/main.py": "import weather\n\n\ndef handle(event, context):\n    return {'statusCode': 400}\n",
}

pytestmark = pytest.mark.long


def run(root: Path, *command: str) -> str:
    """What a command prints; it must end with 0."""
    result = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def inv(root: Path, *arguments: str) -> str:
    return run(root, sys.executable, "-m", "invoke", *arguments)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weather")
    (root / "src" / "weather").mkdir(parents=True)
    (root / "src" / "weather" / "__init__.py").write_text("")
    inv(ROOT, "init", "--into", str(root), "--accounts", "222233334444", "--region", "eu-central-1")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "first"]):
        run(root, "git", *command)
    return root


def test_the_requirements_can_be_installed_without_anything_of_this_repository(project: Path) -> None:
    run(project, sys.executable, "-m", "uv", "pip", "compile", "-q", "--no-deps", "requirements-dev.txt")


@pytest.mark.skipif(os.name == "nt", reason="there arm64 is tried by twins, too, but nothing here says which")
def test_a_project_for_arm64_is_built_deployed_smoked_and_promoted_on_this_machine(project: Path) -> None:
    inv(project, "lock")
    run(project, "git", "add", ".")
    shown = inv(
        project,
        *("sandbox", "deploy", "--env", "test", "smoke", "--env", "test"),
        *("invoke", "--env", "test", "--function", "measure", "--payload", '{"values": [1, 2]}'),
        *("promote", "--to", "live", "--version", "0.1.0"),
    )
    assert "[OK] Imported on python3.12" in shown
    if platform.machine() == "x86_64":
        assert "Tried in this machine's wheels, since Lambda's cannot run here: numpy 2.2.6" in shown
    assert '"mean": 1.5, "memory": "512"' in shown
    assert "weather-report-test starts, and refuses the test event" in shown
    assert "[SUCCESS] Promotion completed successfully!" in shown
