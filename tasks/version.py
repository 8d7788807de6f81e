"""inv bump: raise a version in VERSION."""

from invoke import Context, task

from tasks import console
from tasks.layers.workspace import replacing
from tasks.release import versions
from tasks.site import WORKSPACE

__all__ = ["bump"]


@task(
    help={
        "part": "what to raise: major, minor or patch",
        "layer": "the layer (or the function) to raise; by default the first layer",
    }
)
def bump(_c: Context, part: str, layer: str = "") -> None:
    """Raise a layer's version in VERSION, and nothing else in that file."""
    project = WORKSPACE.project()
    name = layer or next(iter(project.layers))
    key = project.version_key(name)
    text, old, new = versions.bump(WORKSPACE.read("VERSION"), key, part)
    with replacing(WORKSPACE.root / "VERSION") as aside:
        aside.write_bytes(text.encode("utf-8"))
    console.say(f"[OK] {key}: {old} -> {new}")
