"""What runs after an emergency or a change by hand becomes what should run."""

import json
from dataclasses import replace

import pytest

from tasks import verify
from tasks.aws.connection import Connection
from tasks.aws.journal import Journal
from tasks.errors import ConfigError, DiffersError, PlanError, ReleaseError
from tasks.release.deployed import Deployed
from tasks.release.journal import ADOPTED, Entry, Snapshot, Status, Who, rollback_target
from tests.conftest import Calls
from tests.examples import functions
from tests.front import Site
from tests.test_status import run as status_of

pytestmark = pytest.mark.whole


def edit(there: Connection) -> None:
    there.functions.update_function_configuration(FunctionName="news-ingest-dev", Handler="other.run")
    there.s3.put_object(Bucket="news-config-dev", Key="canonical/scopes.yaml", Body=b"a: 2\n")


def newest(there: Connection) -> Entry:
    found = Journal(there, "news", Who()).newest()
    assert found
    return found


def test_what_was_changed_by_hand_is_shown_and_adopted_and_then_verified(
    site: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    edit(dev)
    with pytest.raises(DiffersError):
        verify.verify(site.context, env="dev")
    capsys.readouterr()
    site.adopt(note="raised by hand")
    shown = capsys.readouterr().out
    assert "news-ingest-dev was changed by hand since entry 1: handler" in shown
    assert "s3://news-config-dev was changed by hand since entry 1: canonical/scopes.yaml" in shown
    entry = newest(dev)
    assert (entry.what, entry.runs) == ("adopt", ADOPTED)
    assert entry.reason.splitlines()[0] == "raised by hand"
    assert "news-ingest-dev was changed by hand since entry 1: handler" in entry.reason
    verify.verify(site.context, env="dev")


def test_adopting_writes_to_the_journal_alone(site: Site, dev: Connection, calls: Calls) -> None:
    site.deploy()
    edit(dev)
    before = dev.s3.list_objects_v2(Bucket="news-code-dev")["KeyCount"]
    calls.clear()
    site.adopt()
    assert calls.writes == []  # the journal is written through a client of its own
    assert dev.s3.list_objects_v2(Bucket="news-code-dev")["KeyCount"] == before + 1


def test_a_dry_run_writes_nothing(site: Site, dev: Connection, calls: Calls) -> None:
    site.deploy()
    edit(dev)
    calls.clear()
    site.adopt(dry_run=True)
    assert calls.writes == []


def test_what_was_adopted_is_not_promoted_until_it_is_deployed(site: Site, dev: Connection) -> None:
    site.deploy()
    edit(dev)
    site.adopt()
    with pytest.raises(PlanError, match="adopted, which is no release; run: inv sandbox deploy --env dev"):
        site.promote()
    site.deploy()
    site.promote()


def test_an_emergency_is_said_until_it_is_adopted(
    site: Site, dev: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy(emergency="the site is down")
    site.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    site.deploy()
    said = "dev was changed in an emergency (entry 1: the site is down)"
    code, found = status_of(site, capsys, env="dev")
    assert code == 2
    assert any(said in each for each in found["dev"]["why"])
    site.deploy()
    assert said in capsys.readouterr().out
    site.history()
    assert said in capsys.readouterr().out
    site.rollback(dry_run=True)
    assert said in capsys.readouterr().out
    site.adopt()
    assert newest(dev).standing_emergency == ""
    assert status_of(site, capsys, env="dev")[0] == 0


def test_there_is_nothing_to_adopt_where_all_is_as_it_was_deployed(
    site: Site, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    calls.clear()
    site.adopt()
    assert "nothing to adopt" in capsys.readouterr().out
    assert calls.writes == []


def test_a_layer_of_ours_that_was_attached_by_hand_and_adopted_goes_with_its_table(site: Site, dev: Connection) -> None:
    site.deploy()
    before, versions = (site.root / "release.toml").read_text(), (site.root / "VERSION").read_text()
    table = '[layers.extra]\nname = "news-extra-{env}"\nversion_key = "EXTRA_VERSION"\nsource = "src/extra"\n\n'
    site.write("src/extra/__init__.py", "")
    site.write("release.toml", before.replace("[layers.deps]", f"{table}[layers.deps]"))
    site.write("VERSION", f"{versions}EXTRA_VERSION=1.0.0\n")
    site.publish()
    (extra,) = dev.functions.list_layer_versions(LayerName="news-extra-dev")["LayerVersions"]
    for name in ("news-ingest-dev", "news-letter-dev"):
        arns = carried_by(dev, name)
        dev.functions.update_function_configuration(FunctionName=name, Layers=[*arns, extra["LayerVersionArn"]])
    site.adopt()
    site.write("release.toml", before)
    site.write("VERSION", versions)
    site.deploy(yes=True)
    assert extra["LayerVersionArn"] not in carried_by(dev, "news-ingest-dev")


def carried_by(there: Connection, name: str) -> list[str]:
    found = there.functions.get_function(FunctionName=name)["Configuration"]
    return [layer["Arn"] for layer in found["Layers"]]


def test_an_entry_whose_configuration_was_edited_keeps_nobody_from_adopting(site: Site, dev: Connection) -> None:
    site.deploy()
    (stored,) = dev.s3.list_objects_v2(Bucket="news-code-dev", Prefix="journal/")["Contents"]
    where = {"Bucket": "news-code-dev", "Key": stored["Key"]}
    document = json.loads(dev.s3.get_object(**where)["Body"].read())
    document["after"]["canonical"]["canonical/scopes.yaml"]["sha256"] = "0" * 64
    dev.s3.put_object(**where, Body=json.dumps(document).encode())
    dev.functions.update_function_configuration(FunctionName="news-ingest-dev", Layers=[])
    site.adopt()
    assert newest(dev).runs == ADOPTED


def test_what_was_made_before_this_tool_can_be_adopted(site: Site, dev: Connection) -> None:
    site.adopt(note="as the console left it")
    assert newest(dev).version == "no layer of ours"
    verify.verify(site.context, env="dev")


def test_deep_and_rebuild_have_nothing_to_compare_with(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.adopt()
    with pytest.raises(DiffersError):
        verify.verify(site.context, env="dev", deep=True)
    assert "neither an archive nor a commit says what it runs" in capsys.readouterr().out


def test_an_empty_note_and_an_environment_without_functions_are_refused(site: Site, dev: Connection) -> None:
    with pytest.raises(ConfigError, match="--note is empty"):
        site.adopt(note=" ")
    for name in ("news-ingest-dev", "news-letter-dev"):
        dev.functions.delete_function(FunctionName=name)
    with pytest.raises(PlanError, match="none of its functions exists"):
        site.adopt()


def test_a_deployment_that_is_not_over_comes_first(site: Site, dev: Connection) -> None:
    journal = Journal(dev, "news", Who(caller="somebody", nonce="x"))
    entry = Entry(0, "deploy", "releases/core-1.2.4/x.json", "core 1.2.4", "none", Who(), "")
    with journal.take(entry), pytest.raises(ReleaseError, match="dev is held by"):
        site.adopt()


def test_rolling_back_from_an_adopted_emergency_goes_behind_it() -> None:
    states = [Snapshot({name: each.state}) for name, each in Deployed(functions=functions([])).functions.items()]
    ran = Entry(1, "deploy", "one", "core 1.2.3", "", Who(), "", Status.CONFIRMED, "one", after=states[0])
    urgent = replace(ran, number=2, release="two", runs="two", version="core 1.2.4", after=states[1], emergency="down")
    adopted = replace(urgent, number=3, what="adopt", release=ADOPTED, runs=ADOPTED)
    assert rollback_target("dev", [adopted, urgent, ran], "") == ran
    assert rollback_target("dev", [replace(adopted, after=states[0]), urgent], "") == urgent
    with pytest.raises(PlanError, match="Entry 3 of dev confirmed no release"):
        rollback_target("dev", [adopted, urgent, ran], "3")
