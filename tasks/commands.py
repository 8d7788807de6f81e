"""inv alone: what there is to type, by what it is for."""

from invoke import Context, task

from tasks.output.lines import say
from tasks.project.command import here, shows

GROUPS = {
    "Every day": {
        "build": "build what has changed",
        "deploy --env {first}": "build, and bring it to {first}",
        "promote --to {second} --version 1.2.4": "the same bytes, one environment further",
        "bump --part patch": "raise a version",
        "rollback --env {first}": "back to the release before",
        "status": "what every environment runs, and what comes next",
        "verify --env {first}": "is what runs what I built?",
        "history --env {first}": "who deployed what, when, and how it ended",
    },
    "Look closer": {
        "show NAME": "what is in a layer or a package",
        "compare {first} {second}": "what differs between environments, or archives",
        "report --open": "all of it on one page, to look at and to hand on",
        "check": "what Lambda would refuse in an archive",
    },
    "Run": {
        "invoke --env {first} --function NAME": "one function",
        "smoke --env {first}": "does every function start?",
        "e2e --env {first} --client-id NAME": "the whole pipeline",
    },
    "Without AWS": {
        "sandbox deploy --env {first}": "rehearse a whole line of commands",
        "sandbox watch": "see what you save start, in a second or so",
        "sandbox.up": "a sandbox that stays; sandbox.down ends it, sandbox.env lets other programs use it",
    },
    "Now and then": {
        "init --into FOLDER": "this tool in another project",
        "doctor": "is everything here that is needed?",
        "lock": "pin the requirements, with hashes",
        "clean": "remove what was built",
        "adopt --env {first}": "accept what runs after an emergency",
        "prune --env {first}": "what nothing needs any more",
    },
    "Step by step": {
        "build-core": "layers of your own sources; build-deps of requirements; build-functions packages",
        "upload --env {first}": "build, and store the archives",
        "publish --env {first}": "upload, and publish layer versions",
        "update-lambdas --env {first}": "publish, and attach them",
    },
}
"""Heading -> what follows `inv` -> what for."""


@task(default=True)
@shows
def commands(c: Context) -> None:
    """Show what there is to type, by what it is for; the same as inv alone."""
    environments = list(here(c).workspace.project().environments)
    names = {"first": environments[0], "second": environments[:2][-1]}
    for heading, group in GROUPS.items():
        say(heading, *(f"   inv {what.format(**names):36}  {why.format(**names)}" for what, why in group.items()), "")
    say(
        f"inv {environments[0]}.deploy is inv deploy --env {environments[0]}; the others likewise "
        f"({', '.join(environments)}).",
        "One task's options: inv --help TASK. Every task: inv --list. Names completed by Tab: inv "
        "--print-completion-script bash",
    )
