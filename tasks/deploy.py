"""inv upload, publish, update-lambdas, deploy: each does what the one before does, and one step more.

clean -> build-core -> build-deps -> build-functions -> upload -> publish -> update-lambdas
"""

from collections.abc import Mapping, Sequence

from invoke import Context, task

from tasks.engine import carry_out
from tasks.errors import ConfigError, DiffersError
from tasks.output.consent import Consent
from tasks.output.console import Console
from tasks.output.lines import documented, say
from tasks.project.command import Command, here
from tasks.project.model import Environment, Project
from tasks.project.workspace import Checkout
from tasks.release.artifacts import ARCHIVES, Artifact
from tasks.release.events import Report, Started, left_out
from tasks.release.plan import PUBLISH, UPDATE_LAMBDAS, UPLOAD, Goal, Steps
from tasks.release.release import Release, Setting
from tasks.release.rules import enforce, first_only

_HELP = {
    "env": "the environment, one of those in release.toml",
    "layer": "limit this to one layer",
    "dry_run": "show the plan and change nothing; builds nothing either",
    "delete": "also remove configuration that the release no longer has",
    "emergency": "why the rules of the house are left aside (no safety check is); it is journaled",
    "exit_code": "end a dry run with 2 if there would be something to do",
    "yes": "agree beforehand to what would be asked",
    "json": "with --dry-run: print the plan as one JSON document and nothing else",
}


def help_of(*options: str) -> dict[str, str]:
    """What the command line says of options that several tasks have."""
    return {name: _HELP[name] for name in options}


@task(help=help_of("env", "layer", "dry_run", "json"))
@documented
def upload(c: Context, env: str, layer: str = "", dry_run: bool = False, json: bool = False) -> None:
    """Build, then store the archives in the environment's bucket."""
    bring(here(c), env, UPLOAD, ("Uploading to", "Upload to"), layer=layer, dry_run=dry_run, json=json)


@task(help=help_of("env", "layer", "dry_run", "emergency", "json"))
@documented
def publish(  # noqa: PLR0913, PLR0917  (each is an option of the command line)
    c: Context, env: str, layer: str = "", dry_run: bool = False, emergency: str = "", json: bool = False
) -> None:
    """Upload, then publish a layer version of each archive."""
    words = ("Publishing to", "Publication to")
    bring(here(c), env, PUBLISH, words, layer=layer, dry_run=dry_run, emergency=emergency, json=json)


@task(help=help_of("env", "dry_run", "delete", "emergency", "yes", "json"))
@documented
def update_lambdas(  # noqa: PLR0913, PLR0917  (each is an option of the command line)
    c: Context,
    env: str,
    dry_run: bool = False,
    delete: bool = False,
    emergency: str = "",
    yes: bool = False,
    json: bool = False,
) -> None:
    """Publish, then bring every function to exactly those layer versions."""
    words = ("Updating Lambdas in", "Update of")
    bring(here(c), env, UPDATE_LAMBDAS, words, dry_run=dry_run, delete=delete, emergency=emergency, yes=yes, json=json)


@task(help=help_of(*(name for name in _HELP if name != "layer")))
@documented
def deploy(  # noqa: PLR0913, PLR0917  (each is an option of the command line)
    c: Context,
    env: str,
    dry_run: bool = False,
    delete: bool = False,
    emergency: str = "",
    exit_code: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Bring an environment to the sources: build -> upload -> publish -> update-lambdas."""
    words = ("Deploying to", "Deployment to")
    command = here(c)
    pending = bring(
        command, env, UPDATE_LAMBDAS, words, dry_run=dry_run, delete=delete, emergency=emergency, yes=yes, json=json
    )
    if exit_code and pending and (dry_run or command.dry):
        raise DiffersError


def bring(  # noqa: PLR0913  (what the command line says)
    command: Command,
    env: str,
    steps: Steps,
    words: tuple[str, str],
    *,
    layer: str = "",
    dry_run: bool = False,
    delete: bool = False,
    emergency: str = "",
    yes: bool = False,
    json: bool = False,
) -> bool:
    """Bring an environment to what the sources give now, as far as the steps go. A dry run builds nothing either.

    Whether there was, or would be, something to do.
    """
    from tasks.archives.configuration import read_configuration, untracked_configuration
    from tasks.archives.manifest import find_built
    from tasks.archives.together import check_together
    from tasks.archives.workshop import build
    from tasks.aws.perform import Sources
    from tasks.aws.reach import reach

    dry_run = dry_run or command.dry
    report, environment = reporter(json, dry_run=dry_run), command.workspace.project().environment(env)
    if steps != UPLOAD:
        follow(first_only(environment), command, emergency)
    checkout = command.workspace.checkout()
    names, project = checkout.project.select(layer), checkout.project
    built = find_built(checkout, names) if dry_run else build(checkout, names, report)
    if dry_run and not layer:
        check_together(checkout, built)
    contents = read_configuration(checkout)
    for path in untracked_configuration(checkout):
        report(left_out(path))
    release = release_of(checkout, [each.artifact for each in built], {key: e.sha256 for key, e in contents.items()})
    report(Started(f"{words[0]} {environment.name} environment", f"{words[1]} {environment.name}", release))
    files = {each.sha256: each.path for each in contents.values()}
    sources = Sources({each.artifact.name: each.path for each in built}, files)
    smoke = payloads(project, environment) if steps.functions else {}
    what = "deploy" if steps.functions else "publish"
    goal = Goal(environment, release, smoke=smoke, delete=delete, what=what, emergency=emergency)
    there = reach(command, environment, sources, report)
    return carry_out(goal, steps, there, report, agree=Consent(bool(command.endpoint), yes), dry_run=dry_run)


def built_release(checkout: Checkout) -> Release:
    """The release that a repository makes of what is built. BuildError if that is not what a build would give now."""
    from tasks.archives.configuration import read_configuration
    from tasks.archives.manifest import find_built

    built = find_built(checkout, checkout.project.select(""))
    contents = {key: each.sha256 for key, each in read_configuration(checkout).items()}
    return release_of(checkout, [each.artifact for each in built], contents)


def release_of(checkout: Checkout, artifacts: Sequence[Artifact], canonical: Mapping[str, str]) -> Release:
    """The release that a repository makes of what was built."""
    settings = {name: Setting(each.runtime, each.handler) for name, each in checkout.project.functions.items()}
    return Release(tuple(artifacts), checkout.commit, settings, dict(canonical), ARCHIVES)


def reporter(json: bool, *, dry_run: bool) -> Report:
    """Who is told what happens: a reader, or with `json` a machine, to which only a plan can be told."""
    if json and not dry_run:
        raise ConfigError("--json prints a plan; add --dry-run")
    if not json:
        return Console()
    from tasks.output.documents import print_plan

    return print_plan


def follow(problem: str, command: Command, emergency: str) -> None:
    """Follow a rule of the house: PlanError where it is broken, a warning on the sandbox and in an emergency."""
    if emergency and not emergency.strip():
        raise ConfigError("The emergency has no reason; say in a few words what it is")
    if warning := enforce(problem, rehearsal=bool(command.endpoint), emergency=emergency):
        say(f"[WARNING] {warning}", "")


def payloads(project: Project, environment: Environment) -> dict[str, str]:
    """What the smoke test sends to each function; nothing where there is none."""
    if not project.smoke:
        return {}
    return {name: project.functions[key].smoke for key, name in environment.function_names.items()}
