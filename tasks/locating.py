"""Finds the archive that a user names: a file, what was built, what was released, or what an environment runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import AwsError, ConfigError, PlanError
from tasks.layers.workshop import find_built
from tasks.layers.workspace import file_sha256, replacing
from tasks.release.deployed import LayerVersion
from tasks.release.project import Environment, Project
from tasks.release.promotion import repair_command
from tasks.release.versions import is_version
from tasks.site import Site

if TYPE_CHECKING:  # as in tasks.releasing
    from tasks.aws.connection import Connection

__all__ = ["locate"]


def locate(site: Site, what: str) -> dict[str, Path]:
    """The archives that `what` stands for, by the name to show them under; several for an environment.

    some.zip, a layer or function (as it was built), layer@1.2.3 (as it was released), dev (all layers it runs),
    dev:layer (one of them), or the ARN of a layer version. ConfigError for anything else.
    """
    project = site.workspace.project()
    environment, _, layer = what.rpartition(":")
    name, _, version = what.partition("@")
    if what.endswith(".zip"):
        return {what: Path(what)}
    if what.startswith("arn:"):
        return {what: _of_arn(site, project, what)}
    if what in project.environments:
        return _running(site, project.environments[what], project.layers)
    if environment in project.environments and layer in project.layers:
        return _running(site, project.environments[environment], [layer])
    if name in project.layers and is_version(version):
        return {what: _released(site, project, name, version)}
    if what in [*project.layers, *project.packages]:
        return {what: find_built(site.workspace, project, [what])[0].path}
    layer, first = next(iter(project.layers)), next(iter(project.environments))
    raise ConfigError(
        f"{what!r} names no archive; use a file (some.zip), a layer or function ({', '.join(project.select(''))}), "
        f"{layer}@1.2.3 for what was released, {first} or {first}:{layer} for what runs there, or a layer version's ARN"
    )


def _running(site: Site, environment: Environment, layers: Iterable[str]) -> dict[str, Path]:
    """The layers that the environment's functions run."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import observe_functions

    connection = connect(environment, site.endpoint)
    running = next(iter(observe_functions(connection).running().values()), {})
    for layer in layers:
        if layer not in running:
            raise PlanError(f"No function of {environment.name} runs {layer}; {repair_command(environment)}")
    return {layer: _fetch(site, connection, layer, running[layer]) for layer in layers}


def _of_arn(site: Site, project: Project, arn: str) -> Path:
    """The archive of a layer version of ours."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import observe_functions

    for environment in project.environments.values():
        for layer, name in environment.layer_names.items():
            if f":{environment.region}:{environment.account}:layer:{name}:" in arn:
                connection = connect(environment, site.endpoint)
                for version in observe_functions(connection).layers[layer]:
                    if version.arn == arn:
                        return _fetch(site, connection, layer, version)
                raise PlanError(f"{arn} does not exist; for what runs there, run: inv show {environment.name}")
    raise ConfigError(
        f"{arn} is no layer version of this project; it must name a layer of release.toml and end in a number"
    )


def _released(site: Site, project: Project, layer: str, version: str) -> Path:
    """The archive of a released version, from the first environment that published it."""
    from tasks.aws.connection import connect
    from tasks.aws.observe import observe_functions

    for environment in project.environments.values():
        connection = connect(environment, site.endpoint)
        for published in observe_functions(connection).layers[layer]:
            if published.version == version:
                return _fetch(site, connection, layer, published)
    first = next(iter(project.environments))
    raise PlanError(f"{layer} {version} was never released; for what runs now, run: inv show {first}")


def _fetch(site: Site, connection: "Connection", layer: str, version: LayerVersion) -> Path:
    """A layer version's archive from the environment's bucket, kept in the cache; it must be the bytes Lambda has."""
    from tasks.aws.observe import download, observe_digests

    if not version.version:
        raise PlanError(f"{version.arn} was not published by this tool, so its archive is not in the bucket")
    digest = observe_digests(connection, {layer: version})[layer]
    filename = f"{layer}-{version.version}.zip"
    path = site.workspace.cache / "files" / digest[:16] / filename
    if not path.exists():
        with replacing(path) as aside:
            download(connection, f"layers/{filename}", aside)
            if file_sha256(aside) != digest:
                raise AwsError(f"layers/{filename} in {connection.environment.name} has other bytes than {version.arn}")
    return path
