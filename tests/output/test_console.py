"""The output of a normal run is the contract of the user's own workflow document."""

import io
import re
import sys

import pytest

from tasks.output import console
from tasks.project.command import Site
from tasks.releasing import DEPLOY, release_built

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
   Recording release s3://news-code-dev/releases/core-1.2.4/KEY.json
   Updating news-ingest-dev...
      [OK] Layers updated
   Updating news-letter-dev...
      [OK] Layers updated

============================================================
[SUCCESS] Deployment to dev completed successfully!
============================================================

"""


def test_a_normal_deployment_prints_what_the_workflow_document_shows(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    release_built(site, "dev", DEPLOY, dry_run=False)
    shown = capsys.readouterr().out
    shown = re.sub(r"[0-9a-f]{16}\.json", "KEY.json", shown)
    assert shown[shown.index("[DEPLOY] Deploying") :] == NORMAL_RUN


def test_a_layer_that_is_published_already_is_shown_with_its_arn(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    release_built(site, "dev", DEPLOY, dry_run=False)
    (site.workspace.root / "src" / "core" / "new.py").write_text("")
    (site.workspace.root / "VERSION").write_text("CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    capsys.readouterr()
    release_built(site, "dev", DEPLOY, dry_run=False)
    assert "[SKIP] Already published\n   ARN: arn:aws:lambda:eu-west-3:111122223333:layer:news-deps-dev:1" in (
        capsys.readouterr().out
    )


def test_a_built_layer_is_shown_with_file_version_size_and_sha256(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    release_built(site, "dev", DEPLOY, dry_run=False)
    shown = capsys.readouterr().out
    assert (
        "[SUCCESS] Layer core built successfully!\n   File: .build/layers/core-1.2.4.zip\n   Version: 1.2.4\n" in shown
    )
    assert "   Size: 0.00 MB\n   SHA256: " in shown


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_character_that_the_console_cannot_show_does_not_crash_because_emoji_once_did(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    console.say("C:/Donn\u00e9es/\U0001f680")
    stdout.seek(0)
    assert stdout.read().strip().endswith("\\U0001f680")
