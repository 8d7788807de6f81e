import shutil

import pytest

from tasks.archives.contents import read_contents
from tasks.errors import AwsError, ConfigError, PlanError
from tasks.project.files import file_sha256
from tasks.release.contents import compare
from tasks.show import locate
from tests.examples import DEV, arn
from tests.front import Site


@pytest.fixture
def released(site: Site) -> Site:
    """A site whose core was released as 1.2.4 and, changed, as 1.2.5; dev runs the latter."""
    site.deploy()
    (site.workspace.root / "src" / "core" / "new.py").write_text("")
    (site.workspace.root / "VERSION").write_text("CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    site.deploy()
    return site


def test_a_name_stands_for_what_was_built(released: Site) -> None:
    assert locate(released.command, "core") == {"core": released.workspace.layers / "core-1.2.5.zip"}


def test_a_file_stands_for_itself(site: Site) -> None:
    assert [str(path) for path in locate(site.command, "some/file.zip").values()] == ["some/file.zip"]


def test_an_environment_stands_for_the_layers_it_runs(released: Site) -> None:
    found = locate(released.command, "dev")
    assert list(found) == ["core", "deps"]
    assert file_sha256(found["core"]) == file_sha256(released.workspace.layers / "core-1.2.5.zip")
    assert locate(released.command, "dev:core") == {"core": found["core"]}


def test_an_arn_stands_for_that_very_layer_version(released: Site) -> None:
    (old,) = locate(released.command, arn(DEV, "core", 1)).values()
    (new,) = locate(released.command, arn(DEV, "core", 2)).values()
    assert compare(read_contents(old), read_contents(new)).files_added == ("python/core/new.py",)


def test_a_released_version_is_found_where_it_was_released_first(released: Site) -> None:
    (old,) = locate(released.command, "core@1.2.4").values()
    assert "python/core/new.py" not in read_contents(old).files


@pytest.mark.parametrize("what", ["nothing", "core@new", "qa:core", "arn:aws:lambda:eu-west-3:111122223333:layer:x:1"])
def test_what_stands_for_nothing_is_refused_with_what_would(site: Site, what: str) -> None:
    with pytest.raises(ConfigError, match="names no archive; use a file|is no layer version of this project"):
        locate(site.command, what)


def test_what_was_never_released_is_refused(released: Site) -> None:
    with pytest.raises(PlanError, match="core 9.9.9 was never released"):
        locate(released.command, "core@9.9.9")
    with pytest.raises(PlanError, match="9 does not exist; for what runs there, run: inv show dev"):
        locate(released.command, arn(DEV, "core", 9))
    with pytest.raises(PlanError, match="No function of stage runs core; run: inv promote --to stage"):
        locate(released.command, "stage")


def test_bytes_that_are_not_those_lambda_has_are_never_shown_as_them(released: Site) -> None:
    from tasks.aws.connection import connect

    shutil.rmtree(released.workspace.cache / "files", ignore_errors=True)
    connect(DEV, released.endpoint).s3.put_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip", Body=b"others")
    with pytest.raises(AwsError, match="layers/core-1.2.4.zip in dev has other bytes than arn:"):
        locate(released.command, "core@1.2.4")
