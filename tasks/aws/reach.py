"""An environment as the engine reaches it: reads, writes and invocations through one connection."""

from dataclasses import dataclass

from tasks.aws import observe, perform
from tasks.aws.connection import Connection, connect
from tasks.aws.invoke import invoke_function
from tasks.aws.perform import Sources
from tasks.project.model import Environment
from tasks.release.actions import Action, Outcome
from tasks.release.deployed import Deployed
from tasks.release.invocations import Invocation
from tasks.release.plan import Goal


@dataclass(frozen=True)
class Aws:
    """An environment on AWS, or its likeness on the sandbox, and what this machine can send there."""

    connection: Connection
    sources: Sources

    def observe(self, goal: Goal) -> Deployed:
        """Everything that a plan for the goal rests on."""
        return observe.observe(self.connection, goal.release)

    def look(self, _goal: Goal) -> Deployed:
        """What runs now."""
        return observe.look(self.connection)

    def perform(self, action: Action, deployed: Deployed) -> Outcome:
        """Do it, and look at the result."""
        return perform.perform(self.connection, self.sources, action, deployed)

    def invoke(self, function: str, payload: str) -> Invocation:
        """Run a function once."""
        return invoke_function(self.connection, function, payload)


def reach(environment: Environment, endpoint: str, sources: Sources = Sources()) -> Aws:  # noqa: B008  (it is frozen)
    """The way to an environment. AwsError if there is none: no profile, no credentials, no region."""
    return Aws(connect(environment, endpoint), sources)
