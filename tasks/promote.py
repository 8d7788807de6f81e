"""inv promote: the same bytes, one environment further."""

from invoke import Context, task

from tasks.releasing import release_promoted
from tasks.site import here

__all__ = ["promote"]


@task(
    help={
        "to": "the environment that gets the release: stage or prod",
        "version": "the release that the source must be running, such as 1.2.4",
        "from": "the environment it comes from; by default the one before",
        "dry_run": "show the plan and change nothing",
    }
)
def promote(c: Context, to: str, version: str, from_: str = "", dry_run: bool = False) -> None:
    """Bring the release that one environment runs to the next: the same bytes, nothing is built."""
    release_promoted(here(c), from_, to, version, dry_run=dry_run)
