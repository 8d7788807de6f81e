"""What brings an environment back to what it was before a deployment that failed or was cut off."""

from collections.abc import Iterable
from dataclasses import replace

from tasks.release.actions import Configure, Switch, before_key, package_key
from tasks.release.deployed import Deployed
from tasks.release.plan import Goal, Plan, plan_canonical


def plan_undo(goal: Goal, before: Deployed, now: Deployed, unsettled: Iterable[str] = ()) -> Plan:
    """What brings functions and configuration from what they are `now` to what they were `before` a deployment.

    What the deployment does not touch is left alone, whoever has changed it meanwhile. An update of an `unsettled`
    function was sent, and nobody knows whether it will still take effect: another one must be accepted after it.
    """
    here, release = goal.environment, goal.release
    keys = {name: key for key, name in here.function_names.items()}
    switches, forced = [], set(unsettled)
    for function, there in before.functions.items():
        found = now.functions.get(function)
        if found is None:
            continue
        touched = keys.get(function) in release.packages
        # held by tests/release tests/test_engine.py `touched -> True`
        after = there.state if touched else replace(there.state, package=found.state.package)
        # held by tests/release tests/test_engine.py `function in forced` `found.failed`
        if not found.state.same(after) or found.failed or function in forced:
            stored = "" if found.state.package == after.package else package_key(after.package)
            switches.append(Switch(function, found.state, after, here.bucket, stored, found.revision, forced=True))
    configure = []
    for key in (change.key for change in plan_canonical(goal, before)):
        old, new = before.canonical.get(key), now.canonical.get(key)
        was, is_ = old.sha256 if old else "", new.sha256 if new else ""
        if was != is_:
            etag = new.etag if new else ""
            configure.append(Configure(key, here.canonical_bucket, is_, was, before_key(was) if was else "", etag))
    return Plan(switch=tuple(switches), configure=tuple(configure))
