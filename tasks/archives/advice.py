"""What should be known of what is built, and is no reason to refuse it."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from tasks.project.workspace import Checkout

_MOST_FILES = 10
_MISSING = re.compile(r"No module named '([\w.]+)'")


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


def on_ignored(source: str, hidden: Sequence[str]) -> str:
    """What a folder of ours holds and .gitignore hides."""
    more = f" and {len(hidden) - 3} more" if hidden[3:] else ""
    return (
        f"{source} holds what .gitignore hides, and that is left out: {', '.join(hidden[:3])}{more}; "
        f"what the code needs, add with: git add --force {hidden[0]}"
    )


def on_failure(failure: str, runtime: str, foreign: Container[str], ignored: Iterable[str]) -> str:
    """What to do about an import that failed ("a.py, line 1: ValueError: no").

    `foreign` are the modules of packages that somebody else wrote, `ignored` what .gitignore hides among our sources.
    """
    where, _, what = failure.partition(": ")
    top, missing = where.partition("/")[0], _MISSING.search(what)
    # held by tests/archives/test_advice.py
    if hidden := next((each for each in ignored if _is_meant(each, what)), ""):
        return f".gitignore hides it; run: git add --force {hidden}"
    if "environment variable" in what:
        return "give that variable a value under [sandbox.variables] in release.toml, or read it inside a function"
    # held by tests/archives/test_advice.py
    if top in foreign and (missing is None or missing[1].partition(".")[0] == top):
        return f"{top} does not run on {runtime} as it is locked; require another version of it and run: inv lock"
    if missing:
        return "git add what is missing if it is yours, else add it to the requirements and run: inv lock"
    if "FileNotFoundError" in what:
        return "git add that file if it is yours, or open it inside a function"
    return "correct the lines that are named"


def _is_meant(ignored: str, what: str) -> bool:
    """Whether a failure is about a file, or a folder, that is ignored."""
    path = PurePosixPath(ignored)
    if missing := _MISSING.search(what):
        return path.name.removesuffix(".py") in missing[1].split(".")
    return re.search(rf"[/']{re.escape(path.name)}[/']", what) is not None


def _other_endings(paths: Sequence[str]) -> str:
    """What to type so that Windows builds the same archives as everybody else."""
    more = f" and {len(paths) - 1} more" if paths[1:] else ""
    return (
        f"{paths[0]}{more}: line endings are CRLF here and LF in the commit, so others build other "
        "archives; commit, add the line `* text=auto eol=lf` to .gitattributes, then delete these files and run: git "
        f"checkout -- {' '.join(paths[:_MOST_FILES])}"
    )
