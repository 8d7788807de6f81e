"""Judges what is built, or lies anywhere else: alone, together with everything else, and with its configuration."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tasks.archives.configuration import read_configuration
from tasks.archives.contents import read_contents
from tasks.archives.known import known_as, known_of
from tasks.archives.manifest import Archive
from tasks.archives.stage import Stage
from tasks.archives.together import check_together, refuse_failures
from tasks.archives.trial import try_imports
from tasks.project.model import Project
from tasks.project.runtimes import Runtime
from tasks.project.workspace import Checkout
from tasks.release import events
from tasks.release.artifacts import Artifact, Kind, top_modules
from tasks.release.events import Report


def judge_kept(checkout: Checkout, name: str, artifact: Artifact, path: Path) -> None:
    """Check an archive that was kept, unless that was done by the rules of today: they may have become stricter."""
    project, known = checkout.project, known_of(checkout.workspace)
    key = known_as("archive", artifact.sha256, conditions_of(project, name))
    if key not in known.judged:
        from tasks.archives.checks import check_archive

        check_archive(path, f"{name}.zip", project, runtimes_of(project, name), artifact.kind, name)
        known.judged.add(key)
        known.save()


def runtimes_of(project: Project, name: str) -> list[Runtime]:
    """The runtimes that an artifact is made for."""
    function = project.functions.get(name)
    return [each for each in project.runtimes if function is None or each.name == function.runtime]


def conditions_of(project: Project, name: str) -> tuple[list[str], str, list[str]]:
    """What an artifact is checked for, and what may be passed over."""
    # held by tests/archives/test_workshop.py `[runtime.name for runtime in runtimes_of(project, name)] -> []`
    runtimes = [runtime.name for runtime in runtimes_of(project, name)]
    return runtimes, project.architecture, sorted(project.allowed_in(name))


def check_built(checkout: Checkout, built: Sequence[Archive], report: Report) -> None:
    """Check every archive in `.build`, alone and together."""
    from tasks.archives.checks import check_archive

    for each in built:
        runtimes = [runtime for runtime in checkout.project.runtimes if runtime.name in each.artifact.runtimes]
        shown = each.path.relative_to(checkout.root).as_posix()
        check_archive(each.path, shown, checkout.project, runtimes, each.artifact.kind, each.artifact.name)
        report(events.Checked(shown, (each.artifact.size, each.artifact.unzipped)))
    tell_of_libraries(checkout.project, built, report)
    check_configured(checkout, built)
    for trial in check_together(checkout, built, report):
        report(trial)


def tell_of_libraries(project: Project, archives: Iterable[Archive], report: Report) -> None:
    """Warn of libraries of the system that some need and Lambda does not have."""
    from tasks.archives.libraries import library_notes

    for text in library_notes([each.path for each in archives], project.allowed):
        report(events.Noticed(text))


def check_configured(checkout: Checkout, archives: Iterable[Archive]) -> None:
    """Check the configuration that would travel with what was built."""
    if checkout.project.configuration:
        from tasks.archives.canonical import check_configuration

        sources = {name: text for each in archives for name, text in each.recipe.sources.items()}
        check_configuration(read_configuration(checkout), sources, checkout.project)


def check_file(project: Project, path: Path, kind: Kind, report: Report) -> None:
    """Check one archive of any origin."""
    from tasks.archives.checks import check_archive

    check_archive(path, str(path), project, project.runtimes, kind)
    contents = read_contents(path)
    report(events.Checked(str(path), (path.stat().st_size, contents.unzipped)))
    if kind is Kind.LAYER:
        modules = sorted({module.partition(".")[0] for module in top_modules(contents.files)})
        trials = [try_imports(Stage(each, project.architecture, [path]), modules) for each in project.runtimes]
        for trial in refuse_failures(trials):
            report(trial)
