"""The rules of the house: which way a release goes. On the sandbox they are advice; an emergency lifts them.

They are no safety checks: those hold in any case.
"""

from tasks.errors import PlanError
from tasks.project.model import Environment
from tasks.release.journal import Entry


def first_only(environment: Environment) -> str:
    """Why an environment is not deployed to; empty for the first one."""
    if not environment.previous:
        return ""
    return (
        f"{environment.name} gets what {environment.previous} runs, and nothing else; "
        f"run: inv promote --to {environment.name} --version VERSION"
    )


def committed(environment: Environment, entry: Entry | None, version: str) -> str:
    """Why what an environment runs is not promoted; empty if it was built from a clean commit."""
    commit = entry.commit if entry else "none"
    if commit not in ("", "none") and not commit.endswith("-dirty"):
        return ""
    return (
        f"{version} was deployed to {environment.name} from files that were not committed ({commit}); "
        f'commit just those, then run this again: git commit -am "Release {version}"'
    )


def enforce(problem: str, *, rehearsal: bool, emergency: str) -> str:
    """The warning to show, if any. PlanError where a rule is broken on a real environment without an emergency."""
    if problem and not rehearsal and not emergency:
        raise PlanError(problem)
    return problem
