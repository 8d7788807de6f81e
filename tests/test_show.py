import json
import shutil

import pytest

from tasks import show
from tasks.archives.contents import read_contents
from tasks.aws.connection import connect
from tasks.errors import AwsError, ConfigError, DiffersError, PlanError
from tasks.output.contents import say_difference
from tasks.project.files import file_sha256
from tasks.release.artifacts import base64_digest, tree_of
from tasks.release.contents import Difference, compare
from tasks.show import locate
from tests.aws.answers import Refusing
from tests.conftest import After
from tests.examples import DEV, STAGE, arn, zipped
from tests.front import Site

pytestmark = pytest.mark.whole


@pytest.fixture
def released(after: After) -> Site:
    """The site after `release_twice`."""
    return after(release_twice)


def release_twice(site: Site) -> None:
    """A site whose core was released as 1.2.4 and, changed, as 1.2.5; dev runs the latter."""
    site.deploy()
    (site.workspace.root / "src" / "core" / "new.py").write_text("")
    (site.workspace.root / "VERSION").write_text("CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    site.deploy()


def test_a_name_stands_for_what_was_built(released: Site) -> None:
    assert locate(released.command, "core") == {"core": released.workspace.build / "layers" / "core-1.2.5.zip"}


def test_a_file_stands_for_itself(site: Site) -> None:
    assert [str(path) for path in locate(site.command, "some/file.zip").values()] == ["some/file.zip"]


def test_an_environment_stands_for_the_layers_it_runs(released: Site) -> None:
    found = locate(released.command, "dev")
    assert list(found) == ["core", "deps"]
    assert file_sha256(found["core"]) == file_sha256(released.workspace.build / "layers" / "core-1.2.5.zip")
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
    with pytest.raises(PlanError, match="core 9.9.9 is published nowhere"):
        locate(released.command, "core@9.9.9")
    with pytest.raises(PlanError, match="9 does not exist; for what runs there, run: inv show dev"):
        locate(released.command, arn(DEV, "core", 9))
    with pytest.raises(PlanError, match="No function of stage runs core; run: inv promote --to stage"):
        locate(released.command, "stage")


def test_bytes_that_are_not_those_lambda_has_are_never_shown_as_them(released: Site) -> None:
    shutil.rmtree(released.workspace.cache / "files", ignore_errors=True)
    connect(DEV, released.endpoint).s3.put_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip", Body=b"others")
    with pytest.raises(AwsError, match="layers/core-1.2.4.zip in dev has other bytes than arn:"):
        locate(released.command, "core@1.2.4")


def ended(released: Site, *names: str) -> int:
    """The exit code of `inv compare`."""
    try:
        show.compare(released.context, *names)
    except DiffersError as error:
        return error.code
    return 0


def test_two_environments_that_run_the_same_are_said_to(released: Site, capsys: pytest.CaptureFixture[str]) -> None:
    released.promote(version="1.2.5")
    capsys.readouterr()
    assert ended(released, "dev", "stage") == 0
    assert "[OK] dev -> stage: the same functions and configuration" in capsys.readouterr().out


def test_configuration_and_handlers_that_differ_are_part_of_the_comparison(
    released: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    released.promote(version="1.2.5")
    stage = connect(STAGE, released.endpoint)
    stage.s3.put_object(Bucket=STAGE.canonical_bucket, Key="canonical/new.yaml", Body=b"a: 1")
    stage.functions.update_function_configuration(FunctionName="news-ingest-stage", Handler="other.run")
    capsys.readouterr()
    assert ended(released, "dev", "stage") == 2
    shown = capsys.readouterr().out
    assert "   + canonical/new.yaml" in shown
    assert "   ingest: handler " in shown


def test_a_mixed_environment_is_shown_as_mixed_with_who_runs_what(
    released: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    released.promote(version="1.2.5")
    there = connect(DEV, released.endpoint)
    found = there.functions.get_function(FunctionName="news-letter-dev")["Configuration"]["Layers"]
    old = [arn(DEV, "core", 1) if "news-core" in each["Arn"] else each["Arn"] for each in found]
    there.functions.update_function_configuration(FunctionName="news-letter-dev", Layers=old)
    capsys.readouterr()
    assert ended(released, "dev", "stage") == 2
    shown = capsys.readouterr().out
    assert "[ERROR] dev is mixed:" in shown
    assert "   news-letter-dev: core 1.2.4, deps 1.0.5" in shown
    assert "   news-ingest-dev: core 1.2.5, deps 1.0.5" in shown


def test_at_most_twenty_files_are_listed_with_how_many_more(capsys: pytest.CaptureFixture[str]) -> None:
    names = tuple(f"python/a{number}.py" for number in range(30))
    say_difference("a -> b", Difference((), (), (), names, (), (), 1, 1), files=False)
    shown = capsys.readouterr().out
    assert shown.count("python/a") == 20
    assert "+ ... and 10 more; --files lists them" in shown


def test_a_functions_package_can_be_named_and_compared_whoever_made_it(released: Site) -> None:
    released.promote(version="1.2.5")
    stage = connect(STAGE, released.endpoint)
    stage.functions.update_function_code(FunctionName="news-ingest-stage", ZipFile=zipped(handler="x = 1\n"))
    (path,) = locate(released.command, "stage:ingest").values()
    assert list(read_contents(path).files) == ["handler.py"]
    assert ended(released, "dev:ingest", "stage:ingest") == 2
    assert ended(released, "stage:ingest", "stage:ingest") == 0


def test_an_arn_says_which_releases_deployments_and_functions_use_it(
    released: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    released.promote(version="1.2.5")
    capsys.readouterr()
    show.show(released.context, arn(DEV, "core", 2))
    shown = capsys.readouterr().out
    assert "dev: release core 1.2.5, deps 1.0.5 (releases/core-1.2.5/" in shown
    assert "dev: entry 2, deploy, " in shown
    assert "dev: entry 1" not in shown
    assert "dev: runs on news-ingest-dev, news-letter-dev" in shown
    assert "stage: entry 1, promote, " in shown


def test_a_digest_in_any_form_leads_to_its_archive_and_who_uses_it(
    released: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = locate(released.command, "core@1.2.4").values()
    digest = file_sha256(path)
    for form in (digest, digest[:8], base64_digest(digest), tree_of(str(path))[:12]):
        capsys.readouterr()
        show.show(released.context, form, json=True)
        (found,) = json.loads(capsys.readouterr().out)["archives"]
        assert found["name"] == "core 1.2.4"
        assert any("dev: entry 1, deploy" in line for line in found["used"])
        assert not any("runs on" in line for line in found["used"])


def test_a_digest_that_nobody_knows_is_refused(released: Site) -> None:
    with pytest.raises(PlanError, match="No release has the digest 0123456789"):
        show.show(released.context, "0123456789")


def test_an_arn_is_shown_also_where_functions_may_not_be_listed_and_they_are_listed_once(
    released: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    with Refusing(connect(DEV, released.endpoint).functions, "ListFunctions", "AccessDeniedException", 403) as refusing:
        show.show(released.context, arn(DEV, "core", 2))
    shown = capsys.readouterr().out
    assert "dev: runs on news-ingest-dev" in shown
    assert "111122223333: it is not known which other functions carry it" in shown
    assert refusing.asked == 1  # dev and stage are in one account


def test_a_comparison_of_a_mixed_environment_is_a_comparison_for_machines_too(
    released: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    released.promote(version="1.2.5")
    there = connect(DEV, released.endpoint)
    there.functions.update_function_configuration(FunctionName="news-letter-dev", Layers=[])
    capsys.readouterr()
    with pytest.raises(DiffersError):
        show.compare(released.context, "dev", "stage", json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["before"], document["same"]) == ("dev", False)
    assert "news-letter-dev: none of ours" in document["environment"]
