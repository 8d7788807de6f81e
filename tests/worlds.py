"""A small world on the fake AWS: an environment somebody else set up, two releases, and those who deploy them."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.aws.perform import Sources
from tasks.aws.reach import Aws
from tasks.engine import carry_out, undo_unfinished
from tasks.release.artifacts import Artifact
from tasks.release.functions import LayerVersion
from tasks.release.journal import Entry, Status
from tasks.release.plan import UPDATE_LAMBDAS, Goal
from tasks.release.release import Release, Setting
from tests.examples import DEV, FOREIGN, artifact, function, package
from tests.fake_aws import FakeAws, FakeFunction, Gate
from tests.fakes import silent

FOLDER = Path(tempfile.mkdtemp(prefix="worlds-"))
OLD_PACKAGE = "0" * 64
TERM_AND_MORE = 70


def release(version: str, runtime: str) -> Release:
    """A release of two layers and one package, all at this version."""
    code = package("ingest", version)
    layers = (artifact("core", version, version), artifact("deps", version, version))
    artifacts = (*layers, replace(code, version=code.tree[:16]))
    settings = {"ingest": Setting(runtime, "handler.run"), "letter": Setting("python3.12")}
    return Release(artifacts, "abc1234", settings)


FIRST, SECOND = release("1.0.0", "python3.12"), release("2.0.0", "python3.11")
HERE = replace(DEV, canonical=())
SMOKE = dict.fromkeys(HERE.function_names.values(), "{}")


def sources(of: Release) -> Sources:
    """Archives on disk, as a build would leave them."""
    found = {}
    for each in of.artifacts:
        path = FOLDER / f"{each.name}-{each.version}-{each.tree[:8]}.zip"
        path.write_bytes(b"archive " + each.sha256.encode())
        path.with_suffix(".cdx.json").write_text("{}")
        found[each.name] = path
    return Sources(found)


ARCHIVES = {FIRST.key: sources(FIRST), SECOND.key: sources(SECOND)}


def world(gate: Gate | None = None) -> FakeAws:
    """Two functions that somebody else made, with a foreign layer, on code of their own."""
    aws = FakeAws(gate or (lambda _actor, _operation, _when: None))
    for name in HERE.function_names.values():
        aws.functions[name] = FakeFunction(function([FOREIGN], package=OLD_PACKAGE).state)
    kept = Artifact("", "", "", OLD_PACKAGE, 0, 0, (), "", ())
    aws.put_object(
        Bucket=HERE.bucket, Key=f"before/{OLD_PACKAGE}.zip", Body=b"archive", ChecksumSHA256=kept.code_sha256
    )
    return aws


@dataclass
class Actor:
    """One who deploys."""

    name: str
    aws: FakeAws

    def reach(self, of: Release | None = None) -> Aws:
        where = self.aws.connection(HERE, self.name)
        return Aws(where, "news", self.name, ARCHIVES[of.key] if of else Sources())

    def deploy(self, of: Release) -> None:
        carry_out(Goal(HERE, of, smoke=SMOKE), UPDATE_LAMBDAS, self.reach(of), silent)

    def undo(self) -> None:
        there = self.reach()
        entry = there.newest()
        assert entry
        undo_unfinished(Goal(HERE, Release((), ""), what="rollback"), entry, there, silent)

    def entries(self) -> list[Entry]:
        return self.reach().journal().entries(1000)


def runs(aws: FakeAws) -> set[str]:
    """The key of the release that each function runs; `old` for what was there before, `mixed` for anything else."""
    found = set()
    for key, name in HERE.function_names.items():
        state = aws.functions[name].state
        carried = {layer.arn.split(":")[6]: describe(aws, layer) for layer in state.layers[1:]}
        for each in (FIRST, SECOND):
            wanted = {f"news-{layer.name}-dev": layer.version for layer in each.layers}
            packaged = each.packages[key].sha256 if key in each.packages else OLD_PACKAGE
            if (carried, state.package, state.runtime) == (wanted, packaged, each.functions[key].runtime):
                found.add(each.key)
                break
        else:
            found.add("old" if not carried and state.package == OLD_PACKAGE else "mixed")
    return found


def describe(aws: FakeAws, layer: LayerVersion) -> str:
    name = layer.arn.split(":")[6]
    return str(next(each["Description"] for each in aws.layers[name] if each["LayerVersionArn"] == layer.arn)).split()[
        0
    ]


def broken_promises(aws: FakeAws) -> list[str]:
    """What must never be: a journal with a gap, or an entry that says what is not so."""
    found: list[str] = []
    entries = Actor("reader", replace_gate(aws)).entries()
    numbers = [entry.number for entry in entries]
    if numbers != list(range(len(numbers), 0, -1)):
        found.append(f"the journal has a gap: {numbers}")
    if any(not entry.closed and entry.status is not Status.ABANDONED for entry in entries[1:]):
        found.append("an entry is open under the newest")
    now = runs(aws)
    if not entries:
        return found + ([f"functions run {now} and nothing was journaled"] if now != {"old"} else [])
    newest = entries[0]
    if newest.closed and now != {newest.runs or "old"}:
        found.append(f"entry {newest.number} is {newest.status.value} for {newest.runs}, and functions run {now}")
    for name, there in aws.functions.items():
        if there.state.layers[0].arn != FOREIGN:
            found.append(f"{name} has lost its foreign layer, or its place")
    return found


def replace_gate(aws: FakeAws) -> FakeAws:
    """The same AWS for whoever only looks."""
    aws.gate = lambda _actor, _operation, _when: None
    return aws
