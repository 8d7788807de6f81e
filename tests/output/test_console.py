"""The output of a normal run is the contract of the user's own workflow document."""

import io
import sys

import pytest

from tasks.output import lines
from tests.front import Site

NORMAL_RUN = """\
[DEPLOY] Deploying to dev environment

[INFO] Versions:
   core: 1.2.4
   deps: 1.0.5

============================================================
Deploying core layer...
============================================================
[DEPLOY] Uploading to s3://news-code-dev/layers/core-1.2.4.zip
[DEPLOY] Publishing layer news-core-dev

[SUCCESS] Layer deployed successfully!
   ARN: arn:aws:lambda:eu-west-3:111122223333:layer:news-core-dev:1
   Version: 1

============================================================
Deploying deps layer...
============================================================
[DEPLOY] Uploading to s3://news-code-dev/layers/deps-1.0.5.zip
[DEPLOY] Publishing layer news-deps-dev

[SUCCESS] Layer deployed successfully!
   ARN: arn:aws:lambda:eu-west-3:111122223333:layer:news-deps-dev:1
   Version: 1

============================================================
Updating Lambda layers...
============================================================
   Layer ARNs:
      core: arn:aws:lambda:eu-west-3:111122223333:layer:news-core-dev:1
      deps: arn:aws:lambda:eu-west-3:111122223333:layer:news-deps-dev:1
   Updating news-ingest-dev...
      [OK] Layers updated: + core 1.2.4, + deps 1.0.5
   Updating news-letter-dev...
      [OK] Layers updated: + core 1.2.4, + deps 1.0.5

   [OK] Configuration: 1 added

============================================================
[SUCCESS] Deployment to dev completed successfully!
   2 functions seen on core 1.2.4, deps 1.0.5
============================================================

"""


def test_a_normal_deployment_prints_what_the_workflow_document_shows(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    shown = capsys.readouterr().out
    assert shown[shown.index("[DEPLOY] Deploying") :] == NORMAL_RUN


def test_an_artifact_is_told_with_file_size_and_sha256_once_it_was_made(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write("src/core/__init__.py", "NAME = 'never built before'\n")
    site.deploy()
    assert "[OK] Layer core 1.2.4: .build/layers/core-1.2.4.zip, 0.2 KB, SHA256 " in capsys.readouterr().out


def test_a_deployment_with_nothing_to_do_prints_ten_lines_at_the_most(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    capsys.readouterr()
    site.deploy()
    shown = capsys.readouterr().out.splitlines()
    assert "[SUCCESS] dev is up to date" in shown
    assert len([line for line in shown if "no git repository" not in line]) <= 10


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_character_that_the_console_cannot_show_does_not_crash_because_emoji_once_did(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    lines.say("C:/Donn\u00e9es/\U0001f680")
    stdout.seek(0)
    assert stdout.read().strip().endswith("\\U0001f680")
