"""inv upload, publish, update-lambdas, deploy: each does what the one before does, and one step more."""

from invoke import Context, task

from tasks.releasing import DEPLOY, PUBLICATION, UPDATE, UPLOADING, release_built
from tasks.site import here

__all__ = ["ENV", "deploy", "publish", "update_lambdas", "upload"]

ENV = "the environment: dev, stage or prod"
_LAYER = "limit this to one layer"
_DRY_RUN = "show the plan and change nothing; builds nothing either"


@task(help={"env": ENV, "layer": _LAYER, "dry_run": _DRY_RUN})
def upload(c: Context, env: str, layer: str = "", dry_run: bool = False) -> None:
    """Build, then store the archives in the environment's bucket."""
    release_built(here(c), env, UPLOADING, layer=layer, dry_run=dry_run)


@task(help={"env": ENV, "layer": _LAYER, "dry_run": _DRY_RUN})
def publish(c: Context, env: str, layer: str = "", dry_run: bool = False) -> None:
    """Upload, then publish a layer version of each archive."""
    release_built(here(c), env, PUBLICATION, layer=layer, dry_run=dry_run)


@task(help={"env": ENV, "dry_run": _DRY_RUN})
def update_lambdas(c: Context, env: str, dry_run: bool = False) -> None:
    """Publish, then give every function exactly those layer versions."""
    release_built(here(c), env, UPDATE, dry_run=dry_run)


@task(help={"env": ENV, "dry_run": _DRY_RUN})
def deploy(c: Context, env: str, dry_run: bool = False) -> None:
    """Bring an environment to the sources: build -> upload -> publish -> update-lambdas."""
    release_built(here(c), env, DEPLOY, dry_run=dry_run)
