"""inv report: everything that is known, on one page to look at and to hand on."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from invoke import Context, task

from tasks.errors import BuildError
from tasks.output.lines import say
from tasks.project.command import Command, changes, for_sandbox, here
from tasks.project.files import replacing
from tasks.release.deployed import environment_changes
from tasks.release.findings import findings
from tasks.release.status import Mark, Status, status_of
from tasks.status import look_at

if TYPE_CHECKING:
    from tasks.output.report import Page, Section, Sized
    from tasks.release.evidence import Evidence


@task(help={"to": "the file to write (.build/report.html)", "open": "show it in the browser"})
@changes
def report(c: Context, to: str = "", open: bool = False) -> None:  # noqa: A002  (what a user types)
    """Write one page of what every environment runs, what comes next, the journal, findings, sizes and licences."""
    import webbrowser

    from tasks.output.report import render

    command = here(c)
    path = Path(to).expanduser().absolute() if to else command.workspace.build / "report.html"
    text = render(gather(command))
    text = for_sandbox(text) if command.endpoint else text
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")
    say(f"[OK] {path}")
    if open:
        webbrowser.open(path.as_uri())


def gather(command: Command) -> "Page":
    """Everything that the page shows; an environment that cannot be read says so."""
    from tasks.output.report import Page

    project = command.workspace.project()
    sections = [_section(*each) for each in look_at(command, list(project.environments.values()))]
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    name = f"{project.name} (on the sandbox)" if command.endpoint else project.name
    return Page(name, made, sections, _built(command))


def _section(status: Status, evidence: "Evidence | None", before: "Evidence | None") -> "Section":
    """What is known of one environment."""
    from tasks.output.report import Section

    if evidence is None:
        return Section(status)
    entries = [each for each in evidence.entries.values() if each]
    found = () if status.mark is Mark.MISSING else findings(evidence)  # where nothing is, nothing is wrong
    return Section(status, entries, found, _coming(evidence, before) if before else [])


def _coming(here: "Evidence", before: "Evidence") -> list[str]:
    """What would change if what runs in the environment before were promoted: layers, functions, configuration."""
    lines = []
    for old, new in zip(status_of(here, None).rows, status_of(before, None).rows, strict=True):
        lines += [f"~ {old.name}: {old.layers} -> {new.layers}"] if old.layers != new.layers else []
    sides = [(each.environment, each.deployed) for each in (here, before)]
    return lines + environment_changes(*sides)


def _built(command: Command) -> "list[Sized]":
    """The layers that are built here, as they are."""
    from tasks.archives.contents import read_contents
    from tasks.archives.manifest import path_of, read_manifest
    from tasks.output.report import Sized

    workspace, sizes = command.workspace, []
    layers = workspace.project().layers
    for name, entry in read_manifest(workspace).entries.items():
        path = path_of(workspace, entry.artifact)
        if name in layers:
            with suppress(BuildError):  # it is gone, or damaged: the next build makes it again
                sizes.append(Sized(name, read_contents(path), layers[name].max_zipped_mb, layers[name].max_unzipped_mb))
    return sizes
