"""Whether what runs in an environment is what was deployed there, as findings: what differs, where, and what mends it.

The journal's newest confirmed entry and the record it names say what should run; evidence is what was read. Each
difference is one finding, said once. What could not be read is a finding too: unknown is never taken for well.
"""

from collections.abc import Iterable, Iterator, Mapping

from tasks.errors import one_line
from tasks.project.model import Function
from tasks.release.arns import parse_layer
from tasks.release.deployed import DeployedFunction, Facts
from tasks.release.doubts import Finding, journal_findings
from tasks.release.evidence import Evidence
from tasks.release.functions import LayerVersion, State
from tasks.release.journal import ADOPTED, Entry, emergency_note, ways_out
from tasks.release.limits import hidden_modules
from tasks.release.promotion import repair_command
from tasks.release.release import Release


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """Everything that is not as it should be; nothing if what runs is what was deployed."""
    unread = tuple(Finding(text, unknown=True) for text in dict.fromkeys(evidence.unread.values()))
    journal = tuple(_journal(evidence))
    entry = evidence.confirmed
    if entry is None:
        return (*unread, *journal, *(() if evidence.unsure else _never(evidence)))
    # held by tests/test_verify.py
    if evidence.lost:
        text = (
            f"{evidence.environment.name} runs {evidence.lost}, which is recorded here and in no entry of the journal"
        )
        return (
            *unread,
            *journal,
            Finding(f"{text}: its newest entries are gone", "restore them below journal/", unknown=True),
        )
    if evidence.glance:
        return (*unread, *journal, *_functions(evidence, entry), *_configuration(evidence, entry, _seen(entry)))
    wanted = evidence.record.canonical if evidence.record else _seen(entry) if entry.runs == ADOPTED else {}
    proof = (*_record(evidence, entry), *_functions(evidence, entry), *_versions(evidence))
    return (*unread, *journal, *proof, *_configuration(evidence, entry, wanted))


def notes(evidence: Evidence) -> Iterator[str]:
    """What should be known, and is no finding: settings that differ from the environment before, touches by hand."""
    name, others = evidence.before
    for key, function in evidence.environment.function_names.items():
        there, other = evidence.deployed.functions.get(function), others.get(key)
        if there and other:
            stated = evidence.functions.get(key, Function("", ""))
            yield from (f"{function}: {text} in {name}" for text in _unlike(stated, there.facts, other.facts))
    entry = next((each for each in evidence.entries.values() if each and each.closed), None)
    for function, there in evidence.deployed.functions.items():
        if entry and there.facts.modified > entry.ended:
            yield f"{function} was last touched at {there.facts.modified}, after entry {entry.number} had ended"


def _unlike(stated: Function, there: Facts, other: Facts) -> Iterator[str]:
    """How settings differ from those of the environment before, where release.toml does not say what they should be."""
    if not stated.timeout and there.timeout != other.timeout:
        yield f"timeout is {there.timeout} s, and {other.timeout} s"
    if not stated.memory and there.memory != other.memory:
        yield f"memory is {there.memory} MB, and {other.memory} MB"
    has, had = (set(each.variables or ()) - set(stated.variables) for each in (there, other))
    if None not in (there.variables, other.variables):
        yield from (f"environment variable {each} is not set, and it is" for each in sorted(had - has))
        yield from (f"environment variable {each} is set, and it is not" for each in sorted(has - had))


def _seen(entry: Entry) -> dict[str, str]:
    return {key: each.sha256 for key, each in entry.after.canonical.items()} if entry.after else {}


def compare_trees(evidence: Evidence, trees: Mapping[str, str], what: str) -> list[Finding]:
    """The artifacts of what runs that have other files inside than a source of truth has, by their keys."""
    recorded = {each.key: each for each in evidence.record.artifacts} if evidence.record else {}
    other = [each for key, each in recorded.items() if key in trees and trees[key] != each.tree]
    return [
        Finding(f"{each} does not have the files of {what}", "deploy it again from a clean commit") for each in other
    ]


def _never(evidence: Evidence) -> Iterator[Finding]:
    name = evidence.environment.name
    if not any(kind in ("entries", "entry") for kind, _ in evidence.unread):
        yield Finding(f"The journal of {name} confirms no release", repair_command(evidence.environment), unknown=True)


def _journal(evidence: Evidence) -> Iterator[Finding]:
    """Entries that are damaged, edited, missing or unfinished."""
    name, newest = evidence.environment.name, next(iter(evidence.entries.values()), None)
    if newest and not newest.closed:
        way = ways_out(name, newest)
        yield Finding(f"The {newest.title(name)} is not over, or was cut off", way[0].lower() + way[1:])
    if newest and newest.standing_emergency:
        yield Finding(emergency_note(name, newest))
    yield from journal_findings(name, evidence.entries)


def _record(evidence: Evidence, entry: Entry) -> Iterator[Finding]:
    """The record, archives and bills of what should run."""
    here = evidence.environment
    if ("record", "") in evidence.unread or entry.runs == ADOPTED:
        return
    if evidence.record is None:
        lost = evidence.damage or f"s3://{here.bucket}/{entry.runs}, the record of what runs, is gone"
        yield Finding(lost, "restore that object, or deploy the release again under another version")
        return
    for artifact in evidence.record.artifacts:
        for key, wanted, what in (
            (artifact.key, artifact.sha256, "archive"),
            (artifact.bill_key, artifact.bill, "bill"),
        ):
            # held by tests/test_verify.py `evidence.objects[key] == wanted`
            if key not in evidence.objects or (wanted and evidence.objects[key] == wanted):
                continue
            found = evidence.objects[key]
            if found is None:
                yield Finding(f"s3://{here.bucket}/{key}, the {what} of {artifact}, is gone", "restore that object")
            elif wanted:
                yield Finding(
                    f"s3://{here.bucket}/{key} is not the {what} of {artifact} any more", "restore that object"
                )


def _functions(evidence: Evidence, entry: Entry) -> Iterator[Finding]:
    """Every function against what was seen on it in the end of the last deployment."""
    assert entry.after  # noqa: S101  (a confirmed entry has it)
    here, repair = evidence.environment, _repair(evidence, entry)
    for key, name in here.function_names.items():
        wanted, there = entry.after.functions.get(name), evidence.deployed.functions.get(name)
        # held by tests/test_verify.py
        if ("function", name) in evidence.unread:
            continue
        if there is None:
            if entry.runs == ADOPTED and not wanted:
                continue
            remedy = "create it, then " + repair
            yield Finding(f"{name} does not exist" + (" any more" if wanted else ""), remedy)
        elif wanted is None:
            yield Finding(f"{name} was created after the last deployment", repair)
        else:
            for text in _differences(evidence, key, wanted, there):
                yield Finding(f"{name}: {text}", repair)
            yield from _settings(evidence.functions.get(key, Function("", "")), name, there)
            yield from _aliases(evidence, name, there)


def _differences(evidence: Evidence, key: str, wanted: State, there: DeployedFunction) -> Iterator[str]:
    """What a function runs and should not, a sentence for each."""
    state = there.state
    for what in ("runtime", "architecture", "handler"):
        if getattr(wanted, what) != getattr(state, what):
            yield f"{what} is {getattr(state, what)}, not {getattr(wanted, what)}"
    if there.failed:
        yield f"its last update failed ({there.failed})"
    if wanted.arns != state.arns:
        yield from _layers(wanted.layers, state.layers)
    for layer in state.layers:
        if layer.arn in wanted.arns and evidence.digests.get(layer.arn) == "":
            yield f"its layer version {layer.arn} was deleted; it still runs, and nobody else can attach it"
    yield from _package(evidence.record, key, wanted, there)


def _package(record: Release | None, key: str, wanted: State, there: DeployedFunction) -> Iterator[str]:
    """How a function's package differs from what was deployed, and from what was released."""
    found = there.state.package
    released = record.packages[key].sha256 if record and key in record.packages else wanted.package
    # held by tests/test_verify.py `-> ()`
    if hidden := hidden_modules(there.modules, record.layers if record else ()):
        yield f"its package has {' and '.join(hidden)} inside, which hides the layer"
    # held by tests/test_verify.py
    elif found != wanted.package:
        yield f"its package was replaced ({wanted.package[:8]} -> {found[:8]})"
    elif found != released:
        yield f"its package is not that of the release ({released[:8]} -> {found[:8]})"


def _layers(wanted: Iterable[LayerVersion], there: Iterable[LayerVersion]) -> Iterator[str]:
    """How the layers of a function differ."""
    had, has = ({parse_layer(layer.arn).layer: layer for layer in layers} for layers in (wanted, there))
    for name, layer in had.items():
        if name not in has:
            yield f"{layer} is not attached any more"
        elif has[name].arn != layer.arn:
            found = has[name]
            yield f"runs {found} (layer version {found.aws_number}), not {layer} (layer version {layer.aws_number})"
    yield from (f"{layer} was attached" for name, layer in has.items() if name not in had)
    if list(had) != list(has) and set(had) == set(has):
        yield "its layers are in another order: " + ", ".join(layer.label for layer in has.values())


def _settings(function: Function, name: str, there: DeployedFunction) -> Iterator[Finding]:
    """Timeout, memory and variables, where release.toml says what they should be."""
    facts, mend = there.facts, "set it on the function, or correct release.toml"
    update = f"correct release.toml, or run: aws lambda update-function-configuration --function-name {name}"
    if function.timeout and facts.timeout != function.timeout:
        yield Finding(
            f"{name}: timeout is {facts.timeout} s, not {function.timeout} s", f"{update} --timeout {function.timeout}"
        )
    if function.memory and facts.memory != function.memory:
        yield Finding(
            f"{name}: memory is {facts.memory} MB, not {function.memory} MB",
            f"{update} --memory-size {function.memory}",
        )
    if facts.variables is None and function.variables:
        yield Finding(f"{name}: its environment variables may not be read", "allow kms:Decrypt", unknown=True)
        return
    for variable in function.variables:
        # held by tests/test_verify.py
        if variable not in (facts.variables or ()):
            yield Finding(f"{name}: environment variable {variable} is not set", mend)


def _aliases(evidence: Evidence, name: str, there: DeployedFunction) -> Iterator[Finding]:
    """What callers run who do not ask for $LATEST."""
    known = {each.arn: each for versions in evidence.deployed.layers.values() for each in versions}
    for alias in evidence.aliases.get(name, ()):
        # held by tests/test_verify.py
        if (alias.layers, alias.package) != (there.state.arns, there.state.package):
            ours = [str(known[arn]) for arn in alias.layers if arn in known]
            runs = f": {', '.join(ours)}" if ours else ""
            yield Finding(
                f"{name}: alias {alias.name} -> version {alias.version}{runs}, older than what was deployed",
                f"publish a version and point {alias.name} to it",
            )


def _versions(evidence: Evidence) -> Iterator[Finding]:
    """Layer versions that hold something else than they say, or that somebody published by hand."""
    for layer in evidence.record.layers if evidence.record else ():
        found = evidence.deployed.find(layer)
        if found and evidence.digests.get(found.arn, layer.sha256) not in ("", layer.sha256):
            yield Finding(
                f"{found} is not {layer}: its bytes are others", "delete that layer version, and deploy again"
            )
    for versions in evidence.deployed.layers.values():
        for version in versions[:1]:
            if not version.version:
                remedy = "delete it if nobody needs it"
                yield Finding(f"{version.arn} was published by hand, and nothing runs it", remedy)


def _configuration(evidence: Evidence, entry: Entry, wanted: Mapping[str, str]) -> Iterator[Finding]:
    """Objects of the configuration that are not what was deployed."""
    bucket, deployed, repair = evidence.environment.canonical_bucket, evidence.deployed, _repair(evidence, entry)
    dark = {key for kind, key in evidence.unread if kind == "canonical"}
    everything = {*wanted, *deployed.canonical} if wanted and ("listed", "") not in evidence.unread else set()
    for key in sorted(everything - dark):
        where, there = one_line(f"s3://{bucket}/{key}"), deployed.canonical.get(key)
        if there is None:
            yield Finding(f"{where} is gone", repair)
        elif key not in wanted:
            yield Finding(f"{where} is not in the release", f"{repair} --delete")
        # held by tests/test_verify.py
        elif there.sha256 != wanted[key]:
            yield Finding(f"{where} was changed", repair)


def _repair(evidence: Evidence, entry: Entry) -> str:
    if entry.runs == ADOPTED:
        return f'put it back, or adopt that too; run: inv adopt --env {evidence.environment.name} --note "..."'
    if evidence.environment.previous and evidence.record:
        return repair_command(evidence.environment, evidence.record.version)
    return f"run: inv rollback --env {evidence.environment.name} --to {entry.number}"
