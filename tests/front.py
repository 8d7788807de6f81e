"""The front door: a repository and the tasks that a user would type in it."""

from pathlib import Path
from typing import Any

from invoke import Config, Context

from tasks import adopt, deploy, history, promote, rollback
from tasks import invoke as run
from tasks.project.command import Command
from tasks.project.workspace import Workspace


class Site:
    """A repository whose commands talk to the sandbox at `endpoint`."""

    def __init__(self, root: Path, endpoint: str) -> None:
        self.root, self.endpoint = root, endpoint
        self.workspace = Workspace(root)

    @property
    def command(self) -> Command:
        return Command(self.workspace, self.endpoint)

    @property
    def context(self) -> Context:
        """What Invoke hands to a task."""
        return Context(Config(overrides={"sandbox_endpoint": self.endpoint, "root": str(self.root)}))

    def write(self, name: str, text: str) -> None:
        """Write a file of the repository."""
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def upload(self, env: str = "dev", **options: Any) -> None:
        deploy.upload(self.context, env=env, **options)

    def publish(self, env: str = "dev", **options: Any) -> None:
        deploy.publish(self.context, env=env, **options)

    def deploy(self, env: str = "dev", **options: Any) -> None:
        deploy.deploy(self.context, env=env, **options)

    def promote(self, to: str = "stage", version: str = "1.2.4", **options: Any) -> None:
        promote.promote(self.context, to=to, version=version, **options)

    def rollback(self, env: str = "dev", **options: Any) -> None:
        rollback.rollback(self.context, env=env, **options)

    def adopt(self, env: str = "dev", note: str = "it is right so", **options: Any) -> None:
        adopt.adopt(self.context, env=env, note=note, **options)

    def history(self, env: str = "dev", **options: Any) -> None:
        history.history(self.context, env=env, **options)

    def invoke(self, env: str, function: str, payload: str) -> None:
        run.invoke(self.context, env=env, function=function, payload=payload)

    def smoke(self, env: str = "dev") -> None:
        run.smoke(self.context, env=env)

    def e2e(self, env: str, client_id: str, *, yes: bool = False) -> None:
        run.e2e(self.context, env=env, client_id=client_id, yes=yes)
