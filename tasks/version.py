"""inv bump: raise a version in VERSION."""

from invoke import Context, task

from tasks.output import lines
from tasks.project import versions
from tasks.project.command import changes, here
from tasks.project.files import replacing


@task(
    help={
        "part": "what to raise: major, minor or patch",
        "layer": "the layer (or the function) to raise; by default the first layer",
    }
)
@changes
def bump(c: Context, part: str, layer: str = "") -> None:
    """Raise a layer's version in VERSION, and nothing else in that file."""
    workspace = here(c).workspace
    project = workspace.project()
    key = project.version_key(layer or next(iter(project.layers)))
    text, old, new = versions.bump(workspace.read("VERSION"), key, part)
    with replacing(workspace.root / "VERSION") as aside:
        aside.write_bytes(text.encode("utf-8"))
    first = next(iter(project.environments))
    where = "sandbox " if workspace.standing_sandbox.exists() else ""  # one that is up is what is worked with
    lines.say(
        f"[OK] {key}: {old} -> {new}",
        f'   next: inv {where}deploy --env {first}, and once it is good: git commit -am "{key}={new}"',
    )
