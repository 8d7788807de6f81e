"""inv show, compare: what is in an archive, and how two differ."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from invoke import Context, task

from tasks.archives.contents import read_contents
from tasks.archives.manifest import find_built
from tasks.errors import AwsError, ConfigError, DiffersError, PlanError
from tasks.output import contents as output
from tasks.project.command import Command, here, shows
from tasks.project.files import file_sha256, replacing
from tasks.project.model import Environment, Project
from tasks.project.versions import is_version
from tasks.release.contents import compare as compare_contents
from tasks.release.deployed import Deployed, environment_changes
from tasks.release.functions import LayerVersion
from tasks.release.promotion import repair_command

if TYPE_CHECKING:  # it imports boto3, which `inv --list` must not wait for
    from tasks.aws.connection import Connection

_WHICH = "some.zip, a layer or function (as built), layer@1.2.3 (as released), dev, dev:layer, or an ARN"


@task(help={"what": _WHICH, "files": "list every file, too"})
@shows
def show(c: Context, what: str, files: bool = False) -> None:
    """Show what is in an archive: distributions with versions and licences, sizes, files."""
    for name, path in locate(here(c), what).items():
        output.say_contents(name, read_contents(path), files=files)


@task(help={"before": _WHICH, "after": "the same, for what to compare it with", "files": "list every file, too"})
@shows
def compare(c: Context, before: str, after: str, files: bool = False) -> None:
    """Show how two archives, or two environments, differ: packages, files, sizes; ends with 2 if they do."""
    command, differ = here(c), False
    old, new = locate(command, before), locate(command, after)
    if len(old) != len(new):
        raise ConfigError(f"{before} and {after} cannot be compared: one is an environment; compare with dev:LAYER")
    for (name, path), (other, other_path) in zip(old.items(), new.items(), strict=True):
        title = name if name == other else f"{name} -> {other}"
        difference = compare_contents(read_contents(path), read_contents(other_path))
        output.say_difference(title, difference, files=files)
        differ = differ or not difference.empty
    environments = command.workspace.project().environments
    if before in environments and after in environments:
        there = [look_at(command, environments[name]) for name in (before, after)]
        lines = environment_changes(*there)
        output.say_environments(before, after, lines)
        differ = differ or bool(lines)
    if differ:
        raise DiffersError


def look_at(command: Command, environment: Environment) -> tuple[Environment, Deployed]:
    """An environment, and what it runs."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import look

    return environment, look(connect(environment, command.endpoint))


def locate(command: Command, what: str) -> dict[str, Path]:
    """The archives that `what` stands for, by the name to show them under; several for an environment.

    some.zip, a layer or function (as it was built), layer@1.2.3 (as it was released), dev (all layers it runs),
    dev:layer (one of them), or the ARN of a layer version. ConfigError for anything else.
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
    if name in project.layers and is_version(version):
        return {what: _released(command, project, name, version)}
    if what in [*project.layers, *project.packages]:
        return {what: find_built(command.workspace.checkout(), [what])[0].path}
    layer, first = next(iter(project.layers)), next(iter(project.environments))
    raise ConfigError(
        f"{what!r} names no archive; use a file (some.zip), a layer or function ({', '.join(project.select(''))}), "
        f"{layer}@1.2.3 for what was released, {first} or {first}:{layer} for what runs there, or a layer version's ARN"
    )


def _running(command: Command, environment: Environment, layers: Collection[str]) -> dict[str, Path]:
    """The layers that the environment's functions run."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import look

    connection = connect(environment, command.endpoint)
    everywhere = look(connection).running()
    if len({tuple(sorted(str(each.get(layer)) for layer in layers)) for each in everywhere.values()}) > 1:
        output.say_mixed(environment.name, everywhere)
        raise DiffersError
    running = next(iter(everywhere.values()), {})
    for layer in layers:
        if layer not in running:
            raise PlanError(f"No function of {environment.name} runs {layer}; {repair_command(environment)}")
    return {layer: _fetch(command, connection, layer, running[layer]) for layer in layers}


def _of_arn(command: Command, project: Project, arn: str) -> Path:
    """The archive of a layer version of ours."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import look

    for environment in project.environments.values():
        for layer, name in environment.layer_names.items():
            if f":{environment.region}:{environment.account}:layer:{name}:" in arn:
                connection = connect(environment, command.endpoint)
                for version in look(connection).layers[layer]:
                    if version.arn == arn:
                        return _fetch(command, connection, layer, version)
                raise PlanError(f"{arn} does not exist; for what runs there, run: inv show {environment.name}")
    raise ConfigError(
        f"{arn} is no layer version of this project; it must name a layer of release.toml and end in a number"
    )


def _released(command: Command, project: Project, layer: str, version: str) -> Path:
    """The archive of a released version, from the first environment that published it."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import look

    for environment in project.environments.values():
        connection = connect(environment, command.endpoint)
        for published in look(connection).layers[layer]:
            if published.version == version:
                return _fetch(command, connection, layer, published)
    first = next(iter(project.environments))
    raise PlanError(f"{layer} {version} was never released; for what runs now, run: inv show {first}")


def _fetch(command: Command, connection: "Connection", layer: str, version: LayerVersion) -> Path:
    """A layer version's archive from the environment's bucket, kept in the cache; it must be the bytes Lambda has."""
    from tasks.aws.observe import download, observe_digests

    if not version.version:
        raise PlanError(f"{version.arn} was not published by this tool, so its archive is not in the bucket")
    digest = observe_digests(connection, {layer: version})[layer]
    filename = f"{layer}-{version.version}.zip"
    path = command.workspace.cache / "files" / digest[:16] / filename
    if not path.exists():
        with replacing(path) as aside:
            download(connection, f"layers/{filename}", aside)
            if file_sha256(aside) != digest:
                raise AwsError(f"layers/{filename} in {connection.environment.name} has other bytes than {version.arn}")
    return path
