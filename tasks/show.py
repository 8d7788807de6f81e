"""inv show, compare: what is in an archive, and how two differ."""

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke import Context, task

from tasks.errors import AwsError, ConfigError, DiffersError, PlanError, ReleaseError, listed
from tasks.output import contents as output
from tasks.output.lines import JSON, documented
from tasks.project.cache import place_of
from tasks.project.command import Command, here
from tasks.project.files import file_sha256, replacing
from tasks.project.model import Environment, Project
from tasks.project.versions import is_version
from tasks.release.artifacts import Artifact, hex_digest, tree_of
from tasks.release.contents import compare as compare_contents
from tasks.release.deployed import environment_changes
from tasks.release.functions import LayerVersion
from tasks.release.promotion import repair_command
from tasks.release.uses import uses

if TYPE_CHECKING:  # it imports boto3, which `inv --list` must not wait for
    from tasks.aws.connection import Connection

_WHICH = "some.zip, a layer or function (as built), layer@1.2.3 (as released), dev, dev:layer, dev:function, or an ARN"
_DIGEST = re.compile(r"[0-9a-fA-F]{8,64}|[A-Za-z0-9+/]{43}=")
"""The beginning of a SHA-256 or of a tree digest in hex, or a SHA-256 as AWS writes it."""


class MixedError(PlanError):
    """An environment whose functions run different layers: `lines` says which runs what."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(listed(lines[0], lines[1:]))
        self.lines = lines


@task(help={"what": f"{_WHICH}, or the beginning of a digest", "files": "list every file, too", "json": JSON})
@documented
def show(c: Context, what: str, files: bool = False, json: bool = False) -> None:
    """Show what is in an archive: distributions, licences, sizes, files; of an ARN or a digest also who uses it."""
    from tasks.archives.contents import read_contents

    command, used = here(c), list[str]()
    try:
        if _DIGEST.fullmatch(what) and what not in command.workspace.project().names:
            used, found = of_digest(command, what)
        else:
            found = locate(command, what)
            if what.startswith("arn:"):
                used, _ = who_uses(command, tree_of(str(found[what])), what)
    except MixedError as error:
        lines = error.lines
        tell_mixed(lines, lambda documents: documents.archives({}, (), lines), json=json)
        raise DiffersError from error
    contents = {name: read_contents(path) for name, path in found.items()}
    if json:
        from tasks.output import documents

        documents.print_document(documents.archives(contents, used))
        return
    for name, each in contents.items():
        output.say_contents(name, each, files=files)
    output.say_uses(used)


@task(
    help={"before": _WHICH, "after": "the same, for what to compare it with", "files": "list every file", "json": JSON}
)
@documented
def compare(c: Context, before: str, after: str, files: bool = False, json: bool = False) -> None:
    """Show how two archives, or two environments, differ: packages, files, sizes; ends with 2 if they do."""
    from tasks.archives.contents import read_contents

    command, lines = here(c), list[str]()
    try:
        old, new = locate(command, before), locate(command, after)
    except MixedError as error:
        lines = error.lines
        tell_mixed(lines, lambda documents: documents.comparison(before, after, {}, lines), json=json)
        raise DiffersError from error
    if len(old) != len(new):
        raise ConfigError(f"{before} and {after} cannot be compared: one is an environment; compare with dev:LAYER")
    found = {
        (name if name == other else f"{name} -> {other}"): compare_contents(
            read_contents(path), read_contents(other_path)
        )
        for (name, path), (other, other_path) in zip(old.items(), new.items(), strict=True)
    }
    environments = command.workspace.project().environments
    whole = before in environments and after in environments
    if whole:
        from tasks.aws.observe import look

        both = (environments[before], environments[after])
        lines = environment_changes(*((each, look(_connect(command, each))) for each in both))
    if json:
        from tasks.output import documents

        documents.print_document(documents.comparison(before, after, found, lines))
    else:
        for title, difference in found.items():
            output.say_difference(title, difference, files=files)
        if whole:
            output.say_environments(before, after, lines)
    if lines or not all(each.empty for each in found.values()):
        raise DiffersError


def tell_mixed(lines: list[str], document: Callable[[Any], object], *, json: bool) -> None:
    """Say which function of a mixed environment runs what; to a machine in the command's own kind of document."""
    if json:
        from tasks.output import documents

        documents.print_document(document(documents))
    else:
        output.say_mixed(lines)


def of_digest(command: Command, digest: str) -> tuple[list[str], dict[str, Path]]:
    """Who uses what has a digest, and its archive. PlanError if no release has it."""
    used, found = who_uses(command, hex_digest(digest) or digest.lower())
    if found is None:
        lines = used or ["none of the environments knows it"]
        raise PlanError(
            listed(f"No release has the digest {digest}; for what there is, run: inv history --env ENV", lines)
        )
    environment, artifact = found
    return used, {str(artifact): _stored(command, _connect(command, environment), artifact.key, artifact.sha256)}


def who_uses(command: Command, digest: str, arn: str = "") -> tuple[list[str], tuple[Environment, Artifact] | None]:
    """Which releases, deployments and functions use what has a digest, a line each, and where its archive lies.

    Of a layer version, by its ARN, also which other functions of its account and region carry it.
    """
    from tasks.aws.evidence import look_around
    from tasks.aws.reach import reach

    lines: list[str] = []
    there: tuple[Environment, Artifact] | None = None
    for environment in command.workspace.project().environments.values():
        try:
            evidence, records = look_around(reach(command, environment).journal())
        except ReleaseError as error:
            lines.append(f"{environment.name} could not be read: {error}")
            continue
        said, artifact = uses(evidence, records, digest)
        lines += said
        if artifact and not there:
            there = environment, artifact
    return lines + others_that_carry(command, arn), there


def others_that_carry(command: Command, arn: str) -> list[str]:
    """Who carries a layer version beside this project's functions, in any of their versions: a line, if anybody."""
    from tasks.aws.pruning import list_functions

    environments = command.workspace.project().environments.values()
    where = next((each for each in environments if f":{each.region}:{each.account}:" in arn), None)
    if where is None:
        return []
    ours = {name for each in environments for name in each.function_names.values()}
    try:
        found = {name for name, arns, _ in list_functions(_connect(command, where)) if arn in arns} - ours
    except AwsError as error:
        return [f"{where.account}: it is not known which other functions carry it: {error}"]
    carried = f"{where.account}: carried by {', '.join(sorted(found))}, which release.toml does not name"
    return [carried] if found else []


def _connect(command: Command, environment: Environment) -> "Connection":
    from tasks.aws.connection import connect

    return connect(environment, command.endpoint)


def locate(command: Command, what: str) -> dict[str, Path]:  # noqa: PLR0911  (one case a kind of name)
    """The archives that `what` stands for, by the name to show them under; several for an environment.

    some.zip, a layer or function (as it was built), layer@1.2.3 (as it was released), dev (all layers it runs),
    dev:layer (one of them), dev:function (its package), or the ARN of a layer version. ConfigError for anything else.
    """
    project = command.workspace.project()
    environment, _, layer = what.rpartition(":")
    name, _, version = what.partition("@")
    if what.endswith(".zip"):
        return {what: Path(what)}
    if what.startswith("arn:"):
        return {what: _of_arn(command, project, what)}
    if what in project.environments:
        return _running(command, project.environments[what], project.layers)
    if environment in project.environments and layer in project.layers:
        return _running(command, project.environments[environment], [layer])
    if environment in project.environments and layer in project.functions:
        return {what: _package(command, project.environments[environment], layer)}
    if name in project.layers and is_version(version):
        return {what: _released(command, project, name, version)}
    if what in [*project.layers, *project.packages]:
        from tasks.archives.manifest import find_built

        return {what: find_built(command.workspace.checkout(), [what])[0].path}
    layer, first, function = (next(iter(each)) for each in (project.layers, project.environments, project.functions))
    raise ConfigError(
        f"{what!r} names no archive; use a file (some.zip), a layer or function ({', '.join(project.select(''))}), "
        f"{layer}@1.2.3 for what was released, {first}, {first}:{layer} or {first}:{function} for what runs there, or "
        "the ARN of a layer version (to show: 8 digits of a digest, too)"
    )


def _running(command: Command, environment: Environment, layers: Collection[str]) -> dict[str, Path]:
    """The layers that the environment's functions run."""
    from tasks.aws.observe import look

    connection = _connect(command, environment)
    everywhere = look(connection).running()
    if len({tuple(sorted(str(each.get(layer)) for layer in layers)) for each in everywhere.values()}) > 1:
        names = (f"{name}: {', '.join(map(str, each.values())) or 'none of ours'}" for name, each in everywhere.items())
        raise MixedError([f"{environment.name} is mixed:", *names])
    running = next(iter(everywhere.values()), {})
    for layer in layers:
        if layer not in running:
            raise PlanError(f"No function of {environment.name} runs {layer}; {repair_command(environment)}")
    return {layer: _fetch(command, connection, layer, running[layer]) for layer in layers}


def _of_arn(command: Command, project: Project, arn: str) -> Path:
    """The archive of a layer version of ours."""
    from tasks.aws.observe import list_layer_versions

    for environment in project.environments.values():
        for layer, name in environment.layer_names.items():
            if f":{environment.region}:{environment.account}:layer:{name}:" in arn:
                connection = _connect(command, environment)
                for version in list_layer_versions(connection, layer):
                    if version.arn == arn:
                        return _fetch(command, connection, layer, version)
                raise PlanError(f"{arn} does not exist; for what runs there, run: inv show {environment.name}")
    raise ConfigError(
        f"{arn} is no layer version of this project; it must name a layer of release.toml and end in a number"
    )


def _released(command: Command, project: Project, layer: str, version: str) -> Path:
    """The archive of a released version, from the first environment that published it."""
    from tasks.aws.observe import list_layer_versions

    for environment in project.environments.values():
        connection = _connect(command, environment)
        for published in list_layer_versions(connection, layer):
            if published.version == version:
                return _fetch(command, connection, layer, published)
    first = next(iter(project.environments))
    raise PlanError(f"{layer} {version} is published nowhere (any more); for what runs now, run: inv show {first}")


def _package(command: Command, environment: Environment, function: str) -> Path:
    """The package that a function runs, whoever made it."""
    from tasks.aws.functions import location_of, read_package

    connection, name = _connect(command, environment), environment.function_names[function]
    location, digest = location_of(connection, name)
    return _kept(
        command, digest, f"{function}.zip", lambda path: path.write_bytes(read_package(connection, name, location))
    )


def _fetch(command: Command, connection: "Connection", layer: str, version: LayerVersion) -> Path:
    """A layer version's archive from the environment's bucket; it must be the bytes Lambda has."""
    from tasks.aws.observe import read_digest

    if not version.version:
        raise PlanError(f"{version.arn} was not published by this tool, so its archive is not in the bucket")
    digest = read_digest(connection, version.arn)
    return _stored(command, connection, f"layers/{layer}-{version.version}.zip", digest, version.arn)


def _stored(command: Command, connection: "Connection", key: str, digest: str, what: str = "its record") -> Path:
    """An archive from the environment's bucket. AwsError if its bytes are not those that `what` has."""
    from tasks.aws.observe import download

    def fetch(path: Path) -> None:
        download(connection, key, path)
        if file_sha256(path) != digest:
            raise AwsError(f"{key} in {connection.environment.name} has other bytes than {what}")

    return _kept(command, digest, key.rpartition("/")[-1], fetch)


def _kept(command: Command, digest: str, filename: str, fetch: Callable[[Path], object]) -> Path:
    """A file in the cache, by its digest; fetched if it is not there."""
    path = place_of(command.workspace.cache, digest, filename)
    if not path.exists():
        with replacing(path) as aside:
            fetch(aside)
    return path
