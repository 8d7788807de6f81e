"""Who uses an artifact: releases, deployments and functions of one environment."""

from collections.abc import Mapping

from tasks.release.artifacts import Artifact
from tasks.release.deployed import DeployedFunction
from tasks.release.evidence import Evidence
from tasks.release.journal import PREPARING
from tasks.release.release import Release


def uses(evidence: Evidence, records: Mapping[str, Release], digest: str) -> tuple[list[str], Artifact | None]:
    """What uses an artifact, a line each, and the artifact; `digest` is how its tree's or its archive's begins, in hex.

    `records` are the releases that the entries of the journal name, by their keys.
    """
    name = evidence.environment.name
    everything = [each for release in records.values() for each in release.artifacts]
    artifact = next(
        (each for each in everything if each.tree.startswith(digest) or each.sha256.startswith(digest)), None
    )
    having = {key: release for key, release in records.items() if artifact and _has(release, artifact)}
    lines = [f"{name}: release {release} ({key})" for key, release in having.items()]
    lines += [
        f"{name}: entry {each.number}, {each.what}, {each.begun}, by {each.who}, {each.status.value}"
        for each in evidence.entries.values()
        if each and each.release in having and each.what not in PREPARING
    ]
    functions = evidence.deployed.functions.items()
    running = [function for function, there in functions if _runs(there, artifact, digest)]
    return lines + ([f"{name}: runs on {', '.join(running)}"] if running else []), artifact


def _has(release: Release, artifact: Artifact) -> bool:
    return any((each.name, each.tree) == (artifact.name, artifact.tree) for each in release.artifacts)


def _runs(there: DeployedFunction, artifact: Artifact | None, digest: str) -> bool:
    if there.state.package.startswith(digest):
        return True
    layers = there.state.layers
    return artifact is not None and any(each.layer == artifact.name and each.holds(artifact) for each in layers)
