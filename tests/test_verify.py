"""Each way in which an environment can stop being what was deployed is planted, and named, and nothing else is."""

import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tasks import status, verify
from tasks.aws.connection import Connection
from tasks.aws.evidence import gather
from tasks.aws.journal import Journal
from tasks.errors import DiffersError, PlanError
from tasks.release.artifacts import ARCHIVES
from tasks.release.entries import write_entry
from tasks.release.findings import findings, notes
from tasks.release.journal import Entry, Status, Who
from tests.aws.answers import Refusing
from tests.conftest import After, Calls
from tests.examples import DEV, RELEASE_TOML, STAGE, zipped
from tests.front import Site

pytestmark = pytest.mark.whole

ROOT, MARK = Path(__file__).parent.parent, "<!-- written by: python -m tests.test_verify -->"
INGEST, LETTER = "news-ingest-dev", "news-letter-dev"
SETTINGS = 'timeout = 3\nmemory = 128\nvariables = ["BUCKET"]\n'
HANDLER = "import core\n\ndef run(event, context):\n    return {'statusCode': 200}\n"


@pytest.fixture
def deployed(after: After) -> Site:
    """The site after `deploy`."""
    return after(deploy)


def deploy(site: Site) -> None:
    """A release whose functions have packages, a timeout and variables that release.toml names, in dev and in stage."""
    text = RELEASE_TOML
    for function, runtime in (("ingest", "python3.12"), ("letter", "python3.11")):
        line = f'name = "news-{function}-{{env}}"\nruntime = "{runtime}"\n'
        more = (
            f'source = "src/{function}"\nhandler = "handler.run"\ntimeout = 3\nmemory = 128\nvariables = ["BUCKET"]\n'
        )
        text = text.replace(line, line + more)
        site.write(f"src/{function}/handler.py", HANDLER)
    site.write("release.toml", text)
    site.deploy()
    for name in (INGEST, LETTER):
        client(site).functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {"BUCKET": "x", "OTHER": "y"}}
        )


def client(site: Site, environment: Any = DEV) -> Connection:
    from tasks.aws.connection import connect

    return connect(environment, site.endpoint)


def run(site: Site, capsys: pytest.CaptureFixture[str], **options: Any) -> tuple[bool, list[str]]:
    """Whether all holds, and the lines of what does not."""
    capsys.readouterr()
    held = True
    try:
        verify.verify(site.context, **{"env": "dev", **options})
    except DiffersError as ended:
        held = ended.code != 2
    lines = capsys.readouterr().out.splitlines()
    return held, [line.strip() for line in lines if line.startswith("   [")]


def arns(there: Connection, name: str = INGEST) -> list[str]:
    found = there.functions.get_function(FunctionName=name)["Configuration"]["Layers"]
    return [layer["Arn"] for layer in found]


def attach(there: Connection, layers: list[str], name: str = INGEST) -> None:
    there.functions.update_function_configuration(FunctionName=name, Layers=layers)


def publish(there: Connection, layer: str, description: str = "") -> str:
    answer = there.functions.publish_layer_version(
        LayerName=layer, Description=description, Content={"ZipFile": zipped(python__core=f"# {description}")}
    )
    return str(answer["LayerVersionArn"])


def key_of(there: Connection, prefix: str) -> str:
    return str(there.s3.list_objects_v2(Bucket=DEV.bucket, Prefix=prefix)["Contents"][0]["Key"])


def change(there: Connection, prefix: str, edit: Callable[[bytes], bytes]) -> None:
    key = key_of(there, prefix)
    body = there.s3.get_object(Bucket=DEV.bucket, Key=key)["Body"].read()
    there.s3.put_object(Bucket=DEV.bucket, Key=key, Body=edit(body))


def old_layer(there: Connection) -> None:
    old = publish(there, "news-core-dev", "1.2.3 tree:0123456789abcdef git:abc1234")
    attach(there, [each if "news-core" not in each else old for each in arns(there)])


def other_release(there: Connection) -> None:
    old = [
        publish(there, f"news-{layer}-dev", f"1.0.0 tree:0123456789abcde{n} git:abc1234")
        for n, layer in enumerate(("core", "deps"))
    ]
    attach(there, [arns(there)[0], *old])


def package(there: Connection, **files: str) -> None:
    there.functions.update_function_code(FunctionName=INGEST, ZipFile=zipped(**files))


def aliased(there: Connection) -> None:
    for _ in range(2):
        there.functions.publish_version(FunctionName=INGEST)
    there.functions.create_alias(FunctionName=INGEST, Name="live", FunctionVersion="1")


def edited_entry(there: Connection) -> None:
    change(there, "journal/", lambda body: body.replace(b'"what": "deploy"', b'"what": "promote"'))


def exchanged_record(there: Connection) -> None:
    change(there, "releases/", lambda body: body.replace(b"1.2.4", b"1.2.9"))


def deleted_layer_version(there: Connection) -> None:
    there.functions.delete_layer_version(LayerName="news-deps-dev", VersionNumber=1)


@dataclass(frozen=True)
class Planted:
    """What somebody did, and what verify says of it, in so many lines."""

    what: str
    plant: Callable[[Connection], Any]
    says: str
    lines: int = 1


def setting(**request: Any) -> Callable[[Connection], Any]:
    return lambda there: there.functions.update_function_configuration(FunctionName=INGEST, **request)


def put(key: str, body: bytes = b"other") -> Callable[[Connection], Any]:
    return lambda there: there.s3.put_object(Bucket=DEV.canonical_bucket, Key=key, Body=body)


TABLE = [
    Planted("a layer version published by hand", lambda there: publish(there, "news-core-dev", "mine"),
            "news-core-dev:2 was published by hand, and nothing runs it"),
    Planted("a function left on an old layer version", old_layer,
            "news-ingest-dev: runs core 1.2.3 (layer version 2), not core 1.2.4 (layer version 1)"),
    Planted("runtime changed", setting(Runtime="python3.11"), "news-ingest-dev: runtime is python3.11, not python3.12"),
    Planted("handler changed", setting(Handler="handler.walk"), "handler is handler.walk, not handler.run"),
    Planted("foreign layer removed", lambda there: attach(there, arns(there)[1:]),
            "news-ingest-dev: another-team-tracing-dev 1 is not attached any more"),
    Planted("layer removed", lambda there: attach(there, arns(there)[:2]), "deps 1.0.5 is not attached any more"),
    Planted("layer order swapped", lambda there: attach(there, arns(there)[::-1]),
            "news-ingest-dev: its layers are in another order: deps, core, another-team-tracing-dev"),
    Planted("package with a layer's module inside", lambda there: package(there, handler=HANDLER, core="x = 1"),
            "news-ingest-dev: its package has core inside, which hides the layer"),
    Planted("package replaced", lambda there: package(there, handler="def run(e, c): ..."),
            "news-ingest-dev: its package was replaced ("),
    Planted("configuration edited", put("canonical/scopes.yaml"),
            "s3://news-config-dev/canonical/scopes.yaml was changed"),
    Planted("configuration added", put("canonical/new.yaml"),
            "s3://news-config-dev/canonical/new.yaml is not in the release"),
    Planted("configuration removed",
            lambda there: there.s3.delete_object(Bucket=DEV.canonical_bucket, Key="canonical/scopes.yaml"),
            "s3://news-config-dev/canonical/scopes.yaml is gone"),
    Planted("archive overwritten", lambda there: change(there, "layers/core-1.2.4.zip", lambda _: b"other"),
            "layers/core-1.2.4.zip is not the archive of core 1.2.4 any more"),
    Planted("archive deleted",
            lambda there: there.s3.delete_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip"),
            "layers/core-1.2.4.zip, the archive of core 1.2.4, is gone"),
    Planted("bill overwritten", lambda there: change(there, "layers/core-1.2.4.cdx.json", lambda _: b"{}"),
            "layers/core-1.2.4.cdx.json is not the bill of core 1.2.4 any more"),
    Planted("environment variable removed", setting(Environment={"Variables": {"OTHER": "y"}}),
            "news-ingest-dev: environment variable BUCKET is not set"),
    Planted("timeout changed", setting(Timeout=30), "news-ingest-dev: timeout is 30 s, not 3 s"),
    Planted("memory changed", setting(MemorySize=256), "news-ingest-dev: memory is 256 MB, not 128 MB"),
    Planted("record deleted",
            lambda there: there.s3.delete_object(Bucket=DEV.bucket, Key=key_of(there, "releases/")),
            "the record of what runs, is gone"),
    Planted("record exchanged for another", exchanged_record, "is not the record that was written there"),
    Planted("layer version deleted", deleted_layer_version,
            "111122223333:layer:news-deps-dev:1 was deleted; it still runs, and nobody else can attach it", 2),
    Planted("entry edited", edited_entry, "Entry 1 of the journal of dev is not what was written"),
    Planted("function deleted", lambda there: there.functions.delete_function(FunctionName=INGEST),
            "news-ingest-dev does not exist any more"),
]  # fmt: skip


@pytest.mark.parametrize("planted", TABLE, ids=lambda planted: planted.what)
def test_what_was_changed_is_named_and_nothing_else(
    deployed: Site, capsys: pytest.CaptureFixture[str], planted: Planted
) -> None:
    planted.plant(client(deployed))
    held, lines = run(deployed, capsys)
    assert not held
    assert [planted.says in line for line in lines] == [True] * planted.lines, lines


def test_one_of_the_functions_on_another_release_is_named_layer_by_layer(
    deployed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    other_release(client(deployed))
    held, lines = run(deployed, capsys)
    assert not held
    assert [line.split(" (")[0] for line in lines] == [
        "[ERROR] news-ingest-dev: runs core 1.0.0",
        "[ERROR] news-ingest-dev: runs deps 1.0.0",
    ]


def test_an_alias_that_leads_to_an_older_version_is_named(deployed: Site, capsys: pytest.CaptureFixture[str]) -> None:
    there = client(deployed)
    aliased(there)
    assert run(deployed, capsys) == (True, [])
    deployed.write("src/core/__init__.py", "NAME = 'new'\n")
    deployed.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    deployed.deploy()
    held, lines = run(deployed, capsys)
    assert not held
    assert len(lines) == 1
    assert "news-ingest-dev: alias live -> version 1: core 1.2.4, deps 1.0.5, older than what was deployed" in lines[0]


def test_right_after_a_deployment_and_a_promotion_all_holds_and_nothing_is_written(
    deployed: Site, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(deployed, capsys) == (True, [])
    assert run(deployed, capsys, deep=True) == (True, [])
    assert calls.writes == []
    deployed.promote()
    for name in ("news-ingest-stage", "news-letter-stage"):
        client(deployed, STAGE).functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {"BUCKET": "x"}}
        )
    calls.clear()
    assert run(deployed, capsys, env="stage") == (True, [])
    assert calls.writes == []


def test_an_environment_that_was_never_deployed_to_is_unknown_and_not_well(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    held, lines = run(site, capsys, env="stage")
    assert not held
    assert lines == [
        "[WARNING] The journal of stage confirms no release; run: inv promote --to stage --version VERSION"
    ]


def test_a_document_for_machines_says_the_same(deployed: Site, capsys: pytest.CaptureFixture[str]) -> None:
    setting(Timeout=30)(client(deployed))
    capsys.readouterr()
    with pytest.raises(DiffersError):
        verify.verify(deployed.context, env="dev", json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["environment"], document["ok"], document["entry"]) == ("dev", False, 1)
    assert document["findings"][0]["text"] == "news-ingest-dev: timeout is 30 s, not 3 s"


def test_an_archive_whose_files_are_others_is_found_by_looking_inside(
    deployed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    there = client(deployed)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("python/core/__init__.py", "NAME = 'evil'\n")
    there.s3.put_object(Bucket=DEV.bucket, Key="layers/core-1.2.4.zip", Body=other.getvalue())
    _, lines = run(deployed, capsys, deep=True)
    assert any("core 1.2.4 does not have the files of its archive in the bucket" in line for line in lines)


UNREAD = [
    ("lambda", "GetFunction", "lambda:GetFunction is missing, so what news-ingest-dev runs is unknown"),
    ("lambda", "ListLayerVersions", "lambda:ListLayerVersions is missing, so which versions core has is unknown"),
    (
        "lambda",
        "ListAliases",
        "lambda:ListAliases is missing, so which versions callers of news-ingest-dev use is unknown",
    ),
    ("lambda", "GetLayerVersion", "lambda:GetLayerVersion is missing, so what arn:aws:lambda"),
    ("s3", "ListObjectsV2", "s3:ListBucket is missing, so the journal is unknown"),
    ("s3", "GetObject", "s3:GetObject is missing, so the journal is unknown"),
    ("s3", "HeadObject", "s3:GetObject is missing, so canonical/scopes.yaml is unknown"),
]


@pytest.mark.parametrize(("service", "operation", "says"), UNREAD)
def test_what_may_not_be_read_is_unknown_with_the_permission_and_nothing_is_guessed(
    deployed: Site, capsys: pytest.CaptureFixture[str], service: str, operation: str, says: str
) -> None:
    there = client(deployed)
    with Refusing(there.s3 if service == "s3" else there.functions, operation, "AccessDenied", 403):
        held, lines = run(deployed, capsys)
    assert not held
    assert any(says in line for line in lines), lines
    assert [line for line in lines if not line.startswith("[WARNING]")] == []


def test_a_gap_and_an_entry_under_another_number_are_named(deployed: Site, capsys: pytest.CaptureFixture[str]) -> None:
    there = client(deployed)
    for version in ("1.2.5", "1.2.6"):
        deployed.write("VERSION", f"CORE_VERSION={version}\nDEPS_VERSION=1.0.5\n")
        deployed.deploy()
    assert run(deployed, capsys) == (True, [])
    keys = [each["Key"] for each in there.s3.list_objects_v2(Bucket=DEV.bucket, Prefix="journal/")["Contents"]]
    body = there.s3.get_object(Bucket=DEV.bucket, Key=keys[1])["Body"].read()
    there.s3.put_object(Bucket=DEV.bucket, Key=keys[2], Body=body)
    there.s3.delete_object(Bucket=DEV.bucket, Key=keys[1])
    _, lines = run(deployed, capsys)
    assert [line.partition(";")[0] for line in lines] == [
        "[ERROR] Entry 1 of the journal of dev is not what was written",
        "[ERROR] The journal of dev has a gap between entries 1 and 3",
    ]


def test_after_the_newest_entry_was_deleted_nobody_is_told_to_adopt_what_it_brought(
    deployed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    there = client(deployed)
    deployed.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    deployed.deploy()
    there.s3.delete_object(Bucket=DEV.bucket, Key=key_of(there, "journal/"))
    capsys.readouterr()
    with pytest.raises(DiffersError):
        verify.verify(deployed.context, env="dev")
    shown = capsys.readouterr().out
    assert "dev runs core 1.2.5, deps 1.0.5, which is recorded here and in no entry of the journal" in shown
    assert "restore them below journal/" in shown
    assert "adopt" not in shown


def test_what_its_commit_builds_is_what_runs_also_once_the_work_tree_has_moved_on(
    deployed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(deployed)
    deployed.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    commit(deployed)
    deployed.deploy()
    deployed.write("src/core/__init__.py", "NAME = 'later'\n")
    commit(deployed)
    deployed.write("src/core/__init__.py", "NAME = 'not even committed'\n")
    hook = deployed.root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert run(deployed, capsys, rebuild=True) == (True, [])
    assert git(deployed, "worktree", "list").count("\n") == 1


def test_a_commit_is_built_whole_also_where_the_work_tree_is_sparse(
    deployed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(deployed)
    deployed.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    commit(deployed)
    deployed.deploy()
    git(deployed, "sparse-checkout", "set", "--no-cone", "/*", "!/src/core/")
    assert not (deployed.root / "src" / "core").exists()
    assert run(deployed, capsys, rebuild=True) == (True, [])


def test_what_was_built_from_a_changed_file_is_not_what_its_commit_builds(
    deployed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(deployed)
    deployed.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    deployed.write("src/core/__init__.py", "NAME = 'never committed'\n")
    deployed.deploy()
    held, lines = run(deployed, capsys, rebuild=True)
    assert not held
    assert len(lines) == 1
    assert "-dirty" in lines[0]
    forge_commit(deployed)
    held, lines = run(deployed, capsys, rebuild=True)
    assert not held
    assert any("core 1.2.5 does not have the files of what its commit builds" in line for line in lines)
    there = client(deployed)
    keys = [each["Key"] for each in there.s3.list_objects_v2(Bucket=DEV.bucket, Prefix="releases/")["Contents"]]
    for key in keys:
        record = json.loads(there.s3.get_object(Bucket=DEV.bucket, Key=key)["Body"].read())
        del record["archives"]
        there.s3.put_object(Bucket=DEV.bucket, Key=key, Body=json.dumps(record).encode())
    held, lines = run(deployed, capsys, rebuild=True)
    assert not held
    assert len(lines) == 1
    assert lines[0].startswith("[WARNING] What dev runs was packed by another version of this tool")
    assert f"(archives of format 1, and of {ARCHIVES} now)" in lines[0]


def test_a_commit_that_this_clone_does_not_have_is_unknown_and_not_well(
    deployed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(deployed)
    deployed.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    commit(deployed)
    deployed.deploy()
    shutil.rmtree(deployed.root / ".git")
    commit(deployed)
    held, lines = run(deployed, capsys, rebuild=True)
    assert not held
    assert len(lines) == 1
    assert lines[0].startswith("[WARNING]")


def git(site: Site, *command: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *identity, *command], cwd=site.root, check=True, capture_output=True, text=True)  # noqa: S607
    return done.stdout


def commit(site: Site) -> None:
    """Commit everything."""
    git(site, "init", "-q")
    git(site, "add", ".")
    git(site, "commit", "-qm", "change")


def forge_commit(site: Site) -> None:
    """Have the newest entry say that what it deployed was built from a clean commit, and seal it."""
    there = client(site)
    journal = Journal(there, "news", Who())
    newest = journal.newest()
    assert newest
    clean = replace(newest, commit=newest.commit.partition("-")[0])
    body = write_entry(clean)
    there.s3.put_object(Bucket=DEV.bucket, Key=key_of(there, journal.prefix), Body=body)


def test_settings_that_differ_from_the_environment_before_are_told_and_are_no_finding(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.deploy()
    site.promote()
    client(site).functions.update_function_configuration(
        FunctionName=INGEST, Timeout=30, MemorySize=512, Environment={"Variables": {"BUCKET": "x"}}
    )
    capsys.readouterr()
    verify.verify(site.context, env="stage")
    shown = capsys.readouterr().out
    assert "[INFO] news-ingest-stage: timeout is 3 s, and 30 s in dev" in shown
    assert "[INFO] news-ingest-stage: memory is 128 MB, and 512 MB in dev" in shown
    assert "[INFO] news-ingest-stage: environment variable BUCKET is not set, and it is in dev" in shown
    assert "news-letter-stage:" not in shown


def test_a_function_that_was_touched_since_and_is_as_it_was_is_a_note(site: Site) -> None:
    site.deploy()
    evidence = gather(Journal(client(site), "news", Who()), {})
    there = evidence.deployed.functions[INGEST]
    later = replace(there, facts=replace(there.facts, modified="2999-01-01 00:00:00 UTC"))
    deployed = replace(evidence.deployed, functions={**evidence.deployed.functions, INGEST: later})
    assert findings(replace(evidence, deployed=deployed)) == ()
    assert list(notes(replace(evidence, deployed=deployed))) == [
        f"{INGEST} was last touched at 2999-01-01 00:00:00 UTC, after entry 1 had ended"
    ]
    assert there.facts.modified.endswith(" UTC")
    assert list(notes(evidence)) == []


def test_a_damaged_entry_misleads_nobody_about_what_should_run(
    deployed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pruning after it carries on what ran; the entry before it is about something else."""
    there = client(deployed)
    for version in ("1.2.5", "1.2.6"):
        deployed.write("VERSION", f"CORE_VERSION={version}\nDEPS_VERSION=1.0.5\n")
        deployed.deploy()
    with Journal(there, "news", Who()).take(Entry(0, "prune", "", "", "none", Who(), "")) as held:
        held.close(Status.CONFIRMED, None)
    keys = [each["Key"] for each in there.s3.list_objects_v2(Bucket=DEV.bucket, Prefix="journal/")["Contents"]]
    there.s3.put_object(Bucket=DEV.bucket, Key=keys[1], Body=b"{damaged")
    _, lines = run(deployed, capsys)
    assert lines == [
        "[WARNING] Entry 3 of the journal of dev is damaged; restore that object: journal/.../999999996.json"
    ]
    capsys.readouterr()
    deployed.history()
    assert "   3    damaged: restore that object" in capsys.readouterr().out
    with pytest.raises(
        PlanError, match="Entry 3 of the journal of dev is damaged, which may hide the one to go back to"
    ):
        deployed.rollback()


@pytest.mark.parametrize("harm", ["damaged", "edited"])
def test_where_the_newest_entry_cannot_be_believed_no_advice_is_given_by_an_older_one(
    deployed: Site, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    there = client(deployed)
    deployed.write("VERSION", "CORE_VERSION=1.2.5\nDEPS_VERSION=1.0.5\n")
    deployed.deploy()
    key = key_of(there, "journal/")
    body = there.s3.get_object(Bucket=DEV.bucket, Key=key)["Body"].read()
    body = b"{damaged" if harm == "damaged" else body.replace(b"1.2.5", b"9.9.9")
    there.s3.put_object(Bucket=DEV.bucket, Key=key, Body=body)
    capsys.readouterr()
    for look in (verify.verify, status.status):
        with pytest.raises(DiffersError):
            look(deployed.context, env="dev")
        shown = capsys.readouterr().out
        assert "of the journal of dev is" in shown
        assert "restore that object: journal/.../999999997.json" in shown
        assert "unknown" in shown
        assert "run: inv" not in shown


def test_many_prunings_later_it_is_still_known_what_was_deployed(
    deployed: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = Journal(client(deployed), "news", Who())
    for _ in range(11):
        with journal.take(Entry(0, "prune", "", "", "none", Who(), "")) as held:
            held.close(Status.CONFIRMED, None)
    assert run(deployed, capsys) == (True, [])
    capsys.readouterr()
    verify.verify(deployed.context, env="dev")
    assert "[INFO] dev: core 1.2.4, deps 1.0.5, entry 1, " in capsys.readouterr().out


def test_the_documentation_shows_every_line_of_this_table() -> None:
    page = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    missing = [each.what for each in TABLE if f"| {each.what} | `{each.says}`" not in page]
    assert missing == [], "run: python -m tests.test_verify"


def main() -> None:
    """Write the table of docs/verify.md from this one."""
    page = ROOT / "docs" / "verify.md"
    head = page.read_text(encoding="utf-8").partition(MARK)[0]
    rows = [f"| {each.what} | `{each.says}` |" for each in TABLE]
    table = "\n".join(["| what somebody did | what `inv verify` says, in part |", "| --- | --- |", *rows, ""])
    page.write_text(f"{head}{MARK}\n\n{table}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
