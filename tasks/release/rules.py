"""The rules of the house: which way a release goes, and what is asked first. On the sandbox they are advice.

They are no safety checks: those hold in any case, also in an emergency, which lifts the rules.
"""

from collections.abc import Iterator, Mapping, Sequence

from tasks.errors import PlanError, one_line
from tasks.project.model import Environment
from tasks.project.versions import is_older
from tasks.release.deployed import Deployed
from tasks.release.functions import changes
from tasks.release.journal import Entry
from tasks.release.plan import Plan

_MOST_NAMED = 3


def first_only(environment: Environment) -> str:
    """Why an environment is not deployed to; empty for the first one."""
    # held by tests/test_rules.py `-> True`
    if not environment.previous:
        return ""
    return (
        f"{environment.name} gets what {environment.previous} runs, and nothing else; "
        f"run: inv promote --to {environment.name} --version VERSION"
    )


def committed(environment: Environment, commit: str, version: str) -> str:
    """Why what an environment runs is not promoted; empty if it was built from a clean commit."""
    # held by tests/test_rules.py `not commit.endswith('-dirty')`
    if commit not in ("", "none") and not commit.endswith("-dirty"):
        return ""
    what = "no commit yet" if commit in ("", "none") else commit
    return (
        f"{version} was deployed to {environment.name} from files that were not committed ({what}); "
        f'commit just those, then run this again: git commit -am "Release {version}"'
    )


def enforce(problem: str, *, rehearsal: bool, emergency: str) -> str:
    """The warning to show, if any. PlanError where a rule is broken on a real environment without an emergency."""
    # held by tests/test_rules.py
    if problem and not rehearsal and not emergency:
        raise PlanError(problem)
    if problem and not emergency:
        return f"On AWS this would be refused, and the sandbox goes on: {problem}"
    return f"Rules are left aside ({emergency}): {problem}" if problem else ""


def questions(
    here: Environment, decided: Plan, before: Deployed, newest: Entry | None, what: str = ""
) -> tuple[str, ...]:
    """What somebody must agree to before a plan of a command is carried out, a sentence each; nothing for most."""
    removed = [change.key for change in decided.configure if not change.after]
    # held by tests/test_rules.py `here.confirm`
    found = [f"{here.name} is changed only once somebody agrees"] if here.confirm else []
    # held by tests/test_rules.py
    found += changed_by_hand(here, before, newest)
    found += going_back(here, decided) if what == "promote" else []
    # held by tests/test_rules.py `removed`
    found += [f"--delete removes {_some(removed)} from s3://{here.canonical_bucket}"] if removed else []
    return tuple(found)


def working(here: Environment, smoke: Mapping[str, str], work: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What smoke tests did on the sandbox (function -> its calls) and would do here, a sentence each."""
    for key, name in here.function_names.items():
        # held by tests/release/test_rules.py
        if name in smoke and work.get(key):
            yield f"the smoke test of {name} does work: on the sandbox it {_some([*work[key]])}"


def changed_by_hand(here: Environment, now: Deployed, newest: Entry | None) -> Iterator[str]:
    """What is not as the last deployment left it, a sentence each; where none is known, nothing counts as that."""
    if newest is None or not newest.closed or newest.after is None:
        return
    since = f"by hand since entry {newest.number}"
    for name, left in newest.after.functions.items():
        there = now.functions.get(name)
        if there is None:
            yield f"{name} was deleted {since}"
        # held by tests/test_rules.py
        elif not left.same(there.state):
            yield f"{name} was changed {since}: {changes(left, there.state)}"
    had, has = ({key: each.sha256 for key, each in of.canonical.items()} for of in (newest.after, now))
    known = {prefix for prefix in here.canonical if any(key.startswith(f"{prefix}/") for key in had)}
    added = {key for key in has if key not in had and any(key.startswith(f"{prefix}/") for prefix in known)}
    if keys := sorted({*added, *(key for key in had if had[key] != has.get(key))}):
        yield f"s3://{here.canonical_bucket} was changed {since}: {_some(keys)}"


def going_back(here: Environment, decided: Plan) -> Iterator[str]:
    """Our layers that a plan brings to an earlier version, a sentence each."""
    pairs = {
        (old.layer, old.version, new.version)
        for switch in decided.switch
        for old in switch.before.layers
        for new in switch.after.layers
        if old.layer == new.layer != "" and is_older(new.version, old.version)
    }
    yield from (f"{layer} goes back from {was} to {now} in {here.name}" for layer, was, now in sorted(pairs))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return one_line(", ".join(names[:_MOST_NAMED])) + more
