"""What should be known of what is built, and is no reason to refuse it."""

from collections.abc import Iterator, Mapping, Sequence

from tasks.project.workspace import Checkout

_MOST_FILES = 10


def on_files(checkout: Checkout) -> Iterator[str]:
    """What should be known of the files that are built from, a sentence each."""
    for path in checkout.untracked:
        yield f"{path} is built from and git does not track it, so no commit builds this; run: git add --force {path}"
    if checkout.git is None:
        yield "This is no git repository, or git is not installed: every file in the sources is built"
        return
    yield from checkout.git.unseen.values()
    if checkout.git.endings:
        yield _other_endings(checkout.git.endings)


def on_packages(name: str, packages: Mapping[str, str]) -> str:
    """Why a layer is larger than it needs to be."""
    brought = ", ".join(f"{each} {version}" for each, version in packages.items())
    return (
        f"{name} brings {brought}, and every Lambda runtime has that already (in a version that depends "
        "on runtime and region); unless you need this one, take it out of the requirements and run: inv lock"
    )


def _other_endings(paths: Sequence[str]) -> str:
    """What to type so that Windows builds the same archives as everybody else."""
    more = f" and {len(paths) - 1} more" if paths[1:] else ""
    return (
        f"{paths[0]}{more}: line endings are CRLF here and LF in the commit, so others build other "
        "archives; commit, add the line `* text=auto eol=lf` to .gitattributes, then delete these files and run: git "
        f"checkout -- {' '.join(paths[:_MOST_FILES])}"
    )
