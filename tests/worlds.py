"""A small world on the fake AWS: an environment somebody else set up, two releases, and those who deploy them."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.aws.observe import load_record
from tasks.aws.perform import Sources
from tasks.aws.reach import Aws
from tasks.engine import undo_unfinished
from tasks.project.model import Environment
from tasks.release.actions import package_key
from tasks.release.artifacts import base64_digest
from tasks.release.functions import LayerVersion
from tasks.release.journal import Entry, Status
from tasks.release.plan import UPDATE_LAMBDAS, Goal
from tasks.release.release import Release, Setting
from tests.examples import DEV, FOREIGN, STAGE, artifact, function, package
from tests.fake_aws import FakeAws, FakeFunction, Gate
from tests.fakes import carry_out, silent

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
HERE, NEXT = replace(DEV, canonical=()), replace(STAGE, canonical=())


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
    """Two environments whose functions somebody else made, with a foreign layer, on code of their own."""
    aws = FakeAws(gate or free)
    packages = [OLD_PACKAGE, *(each.sha256 for of in (FIRST, SECOND) for each in of.packages.values())]
    for environment in (HERE, NEXT):
        for name in environment.function_names.values():
            aws.functions[name] = FakeFunction(function([FOREIGN], package=OLD_PACKAGE).state)
        for digest in packages:  # kept already: the fake hands out no addresses to download from
            key, checksum = package_key(digest), base64_digest(digest)
            aws.put_object(Bucket=environment.bucket, Key=key, Body=b"archive", ChecksumSHA256=checksum)
    return aws


def free(_actor: str, _operation: str, _when: str) -> None:
    """A gate that lets everything through."""


def goal(of: Release, environment: Environment = HERE, source: Environment | None = None, what: str = "deploy") -> Goal:
    """A release for an environment, with a smoke test."""
    smoke = dict.fromkeys(environment.function_names.values(), "{}")
    return Goal(environment, of, source, smoke, what=what)


@dataclass
class Actor:
    """One who deploys."""

    name: str
    aws: FakeAws
    where: Environment = HERE

    def reach(self, of: Release | None = None) -> Aws:
        connection = self.aws.connection(self.where, self.name)
        return Aws(connection, "news", self.name, ARCHIVES[of.key] if of else Sources())

    def carry_out(self, wanted: Goal) -> None:
        carry_out(wanted, UPDATE_LAMBDAS, self.reach(wanted.release), silent)

    def deploy(self, of: Release) -> None:
        self.carry_out(goal(of))

    def undo(self) -> None:
        there = self.reach()
        entry = there.newest()
        assert entry
        of = load_record(there.connection, entry.release) or Release((), "")
        undo_unfinished(Goal(self.where, of, delete=entry.delete), entry, there, silent)

    def entries(self) -> list[Entry]:
        return self.reach().journal().entries(1000)


def runs(aws: FakeAws, environment: Environment = HERE) -> set[str]:
    """The key of the release that each function runs; `old` for what was there before, `mixed` for anything else."""
    found = set()
    for key, name in environment.function_names.items():
        state = aws.functions[name].state
        carried = {layer.arn.split(":")[6]: describe(aws, layer) for layer in state.layers[1:]}
        for each in (FIRST, SECOND):
            wanted = {environment.layer_names[layer.name]: layer.version for layer in each.layers}
            packaged = each.packages[key].sha256 if key in each.packages else OLD_PACKAGE
            if (carried, state.package, state.runtime) == (wanted, packaged, each.functions[key].runtime):
                found.add(each.key)
                break
        else:
            found.add("old" if not carried and state.package == OLD_PACKAGE else "mixed")
    return found


def describe(aws: FakeAws, layer: LayerVersion) -> str:
    """The version that a layer version says it holds."""
    name = layer.arn.split(":")[6]
    text: str = next(each["Description"] for each in aws.layers[name] if each["LayerVersionArn"] == layer.arn)
    return text.split(maxsplit=1)[0]


def broken_promises(aws: FakeAws, environment: Environment = HERE) -> list[str]:
    """What must never be: a journal with a gap, or an entry that says what is not so."""
    aws.gate, found = free, list[str]()
    entries = Actor("reader", aws, environment).entries()
    numbers = [entry.number for entry in entries]
    if numbers != list(range(len(numbers), 0, -1)):
        found.append(f"the journal has a gap: {numbers}")
    if any(not entry.closed and entry.status is not Status.ABANDONED for entry in entries[1:]):
        found.append("an entry is open under the newest")
    now = runs(aws, environment)
    if not entries:
        return found + ([f"functions run {now} and nothing was journaled"] if now != {"old"} else [])
    newest = entries[0]
    if newest.closed and now != {newest.runs or "old"}:
        found.append(f"entry {newest.number} is {newest.status.value} for {newest.runs}, and functions run {now}")
    for name in environment.function_names.values():
        if aws.functions[name].state.layers[0].arn != FOREIGN:
            found.append(f"{name} has lost its foreign layer, or its place")
    return found
