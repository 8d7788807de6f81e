"""What git says of a repository: which commit is checked out, whether files differ from it, which files it tracks.

Whether something differs is not what `git status` says: assume-unchanged, skip-worktree, sparse checkouts and filters
make git look away. The bytes and modes of what a build is made from are compared with the commit's own tree.
"""

import os
import posixpath
import re
import shlex
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tasks.errors import BuildError
from tasks.jobs import results
from tasks.project.committed import Committed, differences

_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
"""A repository that the environment names (inside a hook) is not the one that the files are in."""

_STAGED = re.compile(r"(?P<tag>\w) (?P<mode>\d+) (?P<blob>\S+) \d\t(?P<name>.*)", re.DOTALL)
"""A line of `git ls-files --stage -v`: a link has mode 120000, another repository 160000."""
_IN_TREE = re.compile(r"(?P<mode>\d+) \w+ (?P<blob>\S+)\t(?P<name>.*)", re.DOTALL)
_EOL = re.compile(r"i/\S* +w/\S* +attr/(?P<rules>[^\t]*)\t(?P<name>.*)", re.DOTALL)
_NO_SUCH = 128
_IGNORED = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")


@dataclass(frozen=True)
class Git:
    """A work tree below the repository's folder; paths are relative to that and have forward slashes.

    commit     7 hex digits, empty before the first commit
    changed    files among the inputs of a build that differ from the commit, or are in one of the two alone
    tracked    file -> mode, as in `git ls-files --stage`
    untracked  files that git neither tracks nor ignores
    endings    inputs that differ from their commit in nothing but line endings, which git does not call a change
    unseen     those that differ and that git does not show: file -> why not
    has_modes  whether this system's files say which of them are executable
    """

    commit: str
    changed: tuple[str, ...]
    tracked: Mapping[str, str]
    untracked: tuple[str, ...]
    endings: tuple[str, ...]
    unseen: Mapping[str, str]
    has_modes: bool

    def is_executable(self, name: str, mode: int) -> bool:
        """Return whether a tracked file is executable, given its mode on disk."""
        return bool(mode & 0o100) if self.has_modes else self.tracked.get(name) == "100755"


def read_git(root: Path, inputs: Iterable[str] = ()) -> Git | None:
    """What git says, of changes to `inputs` (files and folders) alone.

    None outside a work tree, or without git. BuildError if it cannot say.
    """
    built = tuple(map(posixpath.normpath, inputs))
    said = results(
        [
            partial(ask_git, root, "rev-parse", "--verify", "--quiet", "HEAD", fine=(0, 1)),
            partial(ask_git, root, "ls-tree", "-r", "-z", "HEAD", "--", *built, fine=(0, _NO_SUCH)),
            partial(ask_git, root, "ls-files", "-z", "--stage", "-v", "--", "."),
            partial(ask_git, root, "ls-files", "-z", "--others", "--exclude-standard", "--", "."),
            partial(ask_git, root, "config", "--type=bool", "--get", "core.filemode", fine=(0, 1)),
        ]
    )
    if None in said:
        return None
    commit, tree, staged, others, modes = said
    files = [found for line in staged.split("\0") if (found := _STAGED.fullmatch(line))]
    tracked = {each["name"]: each["mode"] for each in files}
    committed = _committed(tree) if commit and built else {}
    known = {each["name"]: Committed(each["mode"], each["blob"]) for each in files if _among(each["name"], built)}
    has_modes = os.name != "nt" and modes.strip() != "false"
    changed, endings = differences(root, committed, known, has_modes=has_modes) if commit else ((), ())
    return Git(
        commit=commit[:7],
        changed=changed,
        tracked=tracked,
        untracked=tuple(sorted(others.split("\0")[:-1])),
        endings=_unmeant(root, endings, built),
        unseen=_unseen(root, changed, {each["name"]: each["tag"] for each in files}) if changed else {},
        has_modes=has_modes,
    )


def _among(name: str, inputs: tuple[str, ...]) -> bool:
    """Whether a file is one of the inputs, or lies below one."""
    return any(each in (".", name) or name.startswith(f"{each}/") for each in inputs)


def _committed(tree: str) -> dict[str, Committed]:
    """What a commit holds, by name."""
    held = [found for line in tree.split("\0") if (found := _IN_TREE.fullmatch(line))]
    return {each["name"]: Committed(each["mode"], each["blob"]) for each in held}


def _unmeant(root: Path, names: tuple[str, ...], inputs: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some files with CRLF that have it here alone; .gitattributes may say that it is everybody's."""
    if not names:
        return ()
    found = (ask_git(root, "ls-files", "-z", "--eol", "--", *inputs) or "").split("\0")
    rules = {each["name"]: each["rules"] for line in found if (each := _EOL.fullmatch(line))}
    return tuple(each for each in names if "eol=crlf" not in rules.get(each, "") or not _is_all_crlf(root / each))


def _is_all_crlf(path: Path) -> bool:
    contents = path.read_bytes()
    return contents.count(b"\n") == contents.count(b"\r\n")


def _unseen(root: Path, changed: Collection[str], tags: Mapping[str, str]) -> dict[str, str]:
    """Why git does not show some of the files that differ."""
    status = ask_git(root, "status", "--porcelain=v2", "--untracked-files=no", "-z", "--no-renames", "--", ".") or ""
    below = (ask_git(root, "rev-parse", "--show-prefix") or "").strip("\n")
    # "1 <XY> <sub> <3 modes> <2 objects> <name>", "u <XY> <sub> <4 modes> <3 objects> <name>"
    shown = {
        line.split(" ", {"1": 8, "u": 10}[line[0]])[-1].removeprefix(below)  # status alone names them from the top
        for line in status.split("\0")
        if line[:1] in ("1", "u")
    }
    return dict(_reasons(root, [name for name in changed if name not in shown], tags))


def _reasons(root: Path, names: Iterable[str], tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in names:
        tag, file = tags.get(name, "H"), shlex.quote(name)
        text = f"{name} is not what its commit holds, and git was told not to look"
        if tag in "Ss" and not os.path.lexists(root / name):
            text, cure = (
                f"{name} is not here (sparse checkout), so nothing is built from it",
                "git sparse-checkout disable",
            )
        elif tag in "Ss":
            cure = f"git update-index --no-skip-worktree {file}"
        elif tag.islower():
            cure = f"git update-index --no-assume-unchanged {file}"
        else:
            text, cure = f"{name} is not what its commit holds: a filter in .gitattributes", f"git check-attr -a {file}"
        yield name, f"{text}; run: {cure}"


def ignored_files(root: Path, folders: Iterable[str]) -> list[str]:
    """Return what git ignores in some folders; a folder that it ignores ends with /."""
    below = tuple(folders)
    return sorted((ask_git(root, *_IGNORED, "--", *below) or "").split("\0")[:-1]) if below else []


def changed_files(root: Path) -> list[str]:
    """Return the tracked files of a repository that git calls changed."""
    status = ask_git(root, "status", "--porcelain", "--untracked-files=no", "-z", "--no-renames", "--", ".") or ""
    return [line[3:] for line in status.split("\0") if line]


def ask_git(root: Path, *command: str, fine: Collection[int] = (0,)) -> str | None:
    """What a git command prints, if it ends with a `fine` code; None if there is no work tree, or no git."""
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1"}  # a commit is what it was when it was made
    try:
        whole = ["git", "--literal-pathspecs", *command]
        result = subprocess.run(whole, cwd=root, env=environment, capture_output=True, check=False)
    except OSError:
        return None
    if result.returncode and b"not a git repository" in result.stderr:
        return None
    if result.returncode not in fine:
        complaint = result.stderr.decode("utf-8", "replace").strip()
        asked = next(each for each in command if each != "-c" and "=" not in each)
        raise BuildError(f"git {asked} failed in {root}; correct that first:\n{complaint}")
    return os.fsdecode(result.stdout)


def git_user(root: Path) -> str:
    """The name that git gives to whoever commits here; the system's without git."""
    try:
        found = ask_git(root, "config", "user.name")
    except BuildError:
        found = None
    return (found or "").strip() or os.environ.get("USER") or os.environ.get("USERNAME") or ""
