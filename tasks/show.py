"""inv show, compare: what is in an archive, and how two differ."""

from invoke import Context, task

from tasks import console
from tasks.errors import ConfigError
from tasks.layers import contents
from tasks.layers.contents import read_contents
from tasks.locating import locate
from tasks.site import advising, here

__all__ = ["compare", "show"]

_WHICH = "some.zip, a layer or function (as built), layer@1.2.3 (as released), dev, dev:layer, or an ARN"


@task(help={"what": _WHICH, "files": "list every file, too"})
def show(c: Context, what: str, files: bool = False) -> None:
    """Show what is in an archive: distributions with versions and licences, sizes, files."""
    site = here(c)
    with advising(site):
        for name, path in locate(site, what).items():
            console.say_contents(name, read_contents(path), files=files)


@task(help={"before": _WHICH, "after": "the same, for what to compare it with"})
def compare(c: Context, before: str, after: str) -> None:
    """Show how two archives, or two environments, differ: packages, files, sizes."""
    site = here(c)
    with advising(site):
        old, new = locate(site, before), locate(site, after)
    if len(old) != len(new):
        raise ConfigError(f"{before} and {after} cannot be compared: one is an environment; compare with dev:LAYER")
    for (name, path), (other, other_path) in zip(old.items(), new.items(), strict=True):
        title = name if name == other else f"{name} -> {other}"
        console.say_difference(title, contents.compare(read_contents(path), read_contents(other_path)))
