"""An environment as the engine reaches it: reads, writes and invocations through one connection."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from tasks.aws import observe, perform
from tasks.aws.connection import Connection, connect
from tasks.aws.functions import SIGNED_FOR, fence
from tasks.aws.invoke import check_invocation, invoke_function
from tasks.aws.journal import Held, Journal
from tasks.aws.perform import Sources
from tasks.aws.who import check_caller, whoami
from tasks.jobs import results
from tasks.project.command import Command
from tasks.project.model import Environment
from tasks.project.rehearsals import remember
from tasks.release.actions import Action, Outcome
from tasks.release.contents import bill_changes
from tasks.release.deployed import CanonicalObject, Deployed
from tasks.release.events import Report, unheard
from tasks.release.invocations import Invocation
from tasks.release.journal import Entry, Quiet, Who, quiet
from tasks.release.plan import Goal
from tasks.release.release import Release


@dataclass(frozen=True)
class Aws:
    """An environment on AWS, or its likeness on the sandbox, and what this machine can send there.

    `project` and `user` are what its journal needs to know.
    """

    connection: Connection
    project: str
    user: str
    sources: Sources
    _asked: dict[str, str] = field(default_factory=dict)

    def journal(self, who: Who = Who()) -> Journal:  # noqa: B008  (it is frozen)
        """The environment's journal, to read; to write, as `who`."""
        return Journal(self.connection, self.project, who)

    def newest(self) -> Entry | None:
        """The newest entry of the journal."""
        return self.journal().newest()

    def take(self, entry: Entry, quiet: Quiet | None = None) -> Held:
        """Hold the environment with a new entry; an error while somebody else does."""
        return self.journal(whoami(self.check_caller(), self.user)).take(entry, quiet)

    def fence(self, function: str, allowed: Callable[[], None]) -> None:
        """Make sure that no update which was sent before can still take effect."""
        fence(self.connection, function, allowed, SIGNED_FOR)

    def observe(self, goal: Goal) -> tuple[Quiet, Deployed]:
        """The newest entry of the journal, and everything that a plan for the goal rests on."""
        begun = self.connection.clock.now()
        look = partial(observe.observe, self.connection, goal.release, self.journal().look)
        reads: list[Callable[[], object]] = [self.check_caller, look]
        seen, deployed = results(reads)[1]
        took = self.connection.clock.now() - begun
        return quiet(seen.entry if seen else None, seen.age if seen else 0.0, took), deployed

    def check_caller(self) -> str:
        """Whose credentials these are, asked once. AwsError unless they belong to the environment's account."""
        if "caller" not in self._asked:
            # held by tests/test_deploy.py `-> ''`
            self._asked["caller"] = check_caller(self.connection)
        return self._asked["caller"]

    def inside(self, replaced: Mapping[str, tuple[str, str]]) -> dict[str, str]:
        """What changes inside each exchanged layer, as far as their bills of materials say."""
        origin = self.sources.origin or self.connection
        reads = [
            partial(observe.read_bill_of, where, f"layers/{layer}-{version}.cdx.json", self.sources.archives.get(name))
            for layer, versions in replaced.items()
            for where, version, name in zip((self.connection, origin), versions, ("", layer), strict=True)
        ]
        bills = iter(results(reads))
        found = {layer: (next(bills), next(bills)) for layer in replaced}
        return {
            f"{layer} {replaced[layer][0]} -> {replaced[layer][1]}": bill_changes(old, new)
            for layer, (old, new) in found.items()
            if old or new
        }

    def look(self, known: Mapping[str, CanonicalObject]) -> Deployed:
        """What runs now; configuration that is `known` by its ETags is not read."""
        return observe.look(self.connection, known)

    def perform(self, action: Action, deployed: Deployed, allowed: Callable[[], None]) -> Outcome:
        """Do it, and look at the result."""
        return perform.perform(self.connection, self.sources, action, deployed, allowed)

    def may_invoke(self, function: str) -> None:
        """AwsError unless invoking a function would be permitted; it is not run."""
        check_invocation(self.connection, function)

    def invoke(self, function: str, payload: str) -> Invocation:
        """Run a function once."""
        return invoke_function(self.connection, function, payload)

    def rehearsed(self, release: Release, work: Mapping[str, Sequence[str]]) -> None:
        """Remember what each function's smoke test asked of the sandbox; of AWS nothing is known."""
        # held by tests/aws/test_reach.py
        if self.connection.endpoint:
            remember(release.identity, work)


def reach(command: Command, environment: Environment, sources: Sources | None = None, report: Report = unheard) -> Aws:
    """The way to an environment. AwsError if there is none: no profile, no credentials, no region."""
    connection = replace(connect(environment, command.endpoint), report=report)
    return Aws(connection, command.workspace.project().name, command.user, sources or Sources())
