"""What is said while a command runs. The wording of a normal deployment is a contract with whoever reads logs."""

import sys
import time
from collections import Counter
from collections.abc import Iterable

from tasks.errors import one_line
from tasks.output.invocations import smoked_lines
from tasks.output.lines import heading, say, say_end, shown_size
from tasks.output.progress import Progress
from tasks.output.terminal import screen
from tasks.release import actions, events
from tasks.release.actions import Action, Outcome
from tasks.release.arns import parse_layer
from tasks.release.artifacts import Kind
from tasks.release.events import Event
from tasks.release.journal import emergency_note
from tasks.release.plan import Plan

_MOST_FILES = 10


class Console:
    """The consumer of one command's events: remembers what it is about, and which section is open."""

    def __init__(self) -> None:
        self._title, self._section, self._undoing = "", "", False
        self._begun, self._progress = time.monotonic(), Progress()

    def __call__(self, event: Event) -> None:  # noqa: C901, PLR0912  (one case an event)
        """Print what an event has to say."""
        self._progress.follow(event)
        match event:
            case events.Building(kind=Kind.LAYER):
                say(f"[INFO] Building layer {event.name} ({event.reason})")
            case events.Building() | events.Downloading() | events.Moved() | events.Importing() | events.Looking():
                pass  # a function's package is made at once; the live line says the others
            case events.Noticed():
                say(f"[{'WARNING' if event.warning else 'INFO'}] {event.text}")
            case events.AllBuilt():
                say(*_built(event), "")
            case events.Checked():
                say("[OK] {}: nothing wrong; {} packed, {} unpacked".format(event.path, *map(shown_size, event.sizes)))
            case events.Imported():
                say(_imported(event))
            case events.Started():
                self._start(event)
            case events.Planned():
                self._plan(event)
            case events.Waiting() if not screen(sys.stdout):  # on a terminal the live line says so
                say(f"   ... waiting for {event.function}: {event.seconds:.0f} s")
            case events.Configured():
                say("", f"   [OK] Configuration: {_counted(event.changes)}")
                self._section = "Configuration"
            case events.Begun():
                self._begin(event.action)
            case events.Done():
                self._done(event.outcome)
            case events.Prepared():
                self._open("Updating Lambda layers...")
                say("   Layer ARNs:", *(f"      {layer}: {arn}" for layer, arn in event.arns.items()))
            case events.Smoking():
                if self._section != "Configuration":
                    say("" if self._section else f"[INFO] Smoke test of {event.environment}:")
            case events.Smoked():
                say(*smoked_lines(event.invocation))
            case events.TakenOver():
                text = f"The last deployment to {event.environment} was cut off and is taken over; functions restart"
                say("", f"[WARNING] {text}")
            case events.Undoing():
                self._undoing = True
                self._open(f"Putting {event.environment} back to what it was...")
            case events.Confirmed():
                self._confirm(event)

    def _start(self, event: events.Started) -> None:
        self._title = event.done
        layers = [artifact for artifact in event.release.artifacts if artifact.kind is Kind.LAYER]
        say(f"[DEPLOY] {event.title}", "", "[INFO] Versions:", *(f"   {each.name}: {each.version}" for each in layers))
        if event.release.commit.endswith("-dirty"):
            say("", "[WARNING] Built from files that were in no commit; only what a commit builds goes further")

    def _plan(self, event: events.Planned) -> None:
        """The whole plan, if it is not going to be carried out; else what is left out or should be known."""
        name, plan = event.goal.environment.name, event.plan
        notes = [f"   [{'SKIP' if each.skipped else 'WARNING'}] {each}" for each in plan.notes]
        if event.dry_run and event.newest and not event.newest.closed:
            notes.append(f"   [WARNING] The {event.newest.title(name)} is not over, or was cut off, and comes first")
        if event.newest and event.newest.standing_emergency:
            notes.append(f"   [WARNING] {emergency_note(name, event.newest)}")
        notes += [f"   [WARNING] {each}" for each in event.asked]
        if not plan.actions and event.confirmed:
            say("", *notes, *([""] if notes else []), f"[SUCCESS] {name} is up to date", "")
        elif event.dry_run and not plan.actions:
            say("", *notes, f"[INFO] Dry run: nothing to change in {name}, but the journal does not confirm it yet", "")
        elif event.dry_run:
            count = len(plan.switch) + len(plan.configure) + sum(isinstance(each, _SHOWN) for each in plan.prepare)
            say("", f"[INFO] Dry run: {count} change{'s' * (count > 1)} to {name}, none of them made:")
            inside = [f"   {layers}: {text}" for layers, text in event.inside.items()]
            say(*_future(plan), *inside, *notes, "")
        elif notes:
            say("", *(_future(plan) if event.asked else ()), *notes)

    def _begin(self, action: Action) -> None:
        match action:
            case (
                actions.Upload(artifact=artifact) | actions.Copy(artifact=artifact) | actions.Publish(artifact=artifact)
            ):
                if artifact.kind is Kind.LAYER:
                    self._open(f"Deploying {artifact.name} layer...")
                elif self._section != artifact.kind.folder:
                    self._section = artifact.kind.folder
                    say()
                say(f"[DEPLOY] {action}")
            case actions.Switch():
                if not self._undoing:
                    self._open("Updating Lambda layers...")
                say(f"   {action}")
            case (
                actions.Configure() | actions.Store() | actions.KeepPackage() | actions.KeepObject() | actions.Record()
            ):
                pass  # told by the plan, and once it is done

    def _done(self, outcome: Outcome) -> None:
        match outcome.action:
            case actions.Publish():
                lines = f"   ARN: {outcome.arn}", f"   Version: {parse_layer(outcome.arn).number}"
                say("", "[SUCCESS] Layer deployed successfully!", *lines)
            case actions.Switch():
                layers = outcome.action.before.arns != outcome.action.after.arns
                done = "Put back" if self._undoing else "Layers updated" if layers else "Updated"
                say(f"      [OK] {done}: {outcome.action.what}")
            case _:
                pass

    def _confirm(self, event: events.Confirmed) -> None:
        missing = len(event.goal.environment.function_names) - event.seen
        lines, goal = [], event.goal
        if goal.source and goal.source != goal.environment:
            lines = [f"   {goal.source.name} -> {goal.environment.name}", f"   Version: {goal.release.version}"]
        if event.functions and goal.environment.function_names:
            left_out = f", {missing} left out because they do not exist" if missing else ""
            lines += [f"   {event.seen} function{'s' * (event.seen != 1)} seen on {event.goal.release}{left_out}"]
        say_end(f"{self._title} completed successfully!", *lines)
        if screen(sys.stdout):  # for whoever sits there; logs have times of their own
            took = time.monotonic() - self._begun
            say(f"   took {took:.1f} s; to see it proved, run: inv verify --env {goal.environment.name}", "")

    def _open(self, section: str) -> None:
        """Print a heading where the subject changes."""
        if section != self._section:
            self._section = section
            heading(section)


_SHOWN = (actions.Upload, actions.Copy, actions.Publish, actions.Record)


def _built(event: events.AllBuilt) -> Iterable[str]:
    for each in event.made:
        if each.kind is Kind.LAYER:
            yield f"[OK] Layer {each}: .build/{each.key}, {shown_size(each.size)}, SHA256 {each.sha256[:16]}..."
    if packages := [each.name for each in event.made if each.kind is Kind.PACKAGE]:
        yield f"[OK] Function packages in .build/functions: {', '.join(packages)}"
    if event.unchanged:
        names = [str(each) if each.kind is Kind.LAYER else each.name for each in event.unchanged]
        yield f"[OK] Built before: {', '.join(names)}"
    if tried := [f"{each.runtime} ({each.modules} modules)" for each in event.imported if each.modules and event.made]:
        yield f"[OK] Imported on {' and '.join(tried)}"
        yield from dict.fromkeys(_twins(each) for each in event.imported if each.twins)
    if event.made:
        yield from (_imported(each) for each in event.imported if not each.modules)


def _imported(event: events.Imported) -> str:
    if event.modules:
        twins = f"\n{_twins(event)}" if event.twins else ""
        return f"[OK] Imported on {event.runtime}: {event.modules} modules{twins}"
    return f"[SKIP] Not tried on {event.runtime}: {event.reason} (other checks passed)"


def _twins(event: events.Imported) -> str:
    return f"[INFO] Tried in this machine's wheels, since Lambda's cannot run here: {', '.join(event.twins)}"


def _future(plan: Plan) -> Iterable[str]:
    """A plan that is only shown: artifacts, functions with before and after, configuration."""
    for action in plan.prepare:
        if isinstance(action, _SHOWN):
            verb, _, rest = str(action).partition(" ")
            yield f"   Will {verb.removesuffix('ing').lower()} {rest}"
    yield from (f"   {switch.function}: {switch.what}" for switch in plan.switch)
    yield from (one_line(f"   {change.sign} {change.key}") for change in plan.configure[:_MOST_FILES])
    if len(plan.configure) > _MOST_FILES:
        yield f"   ... and more: {_counted(plan.configure[_MOST_FILES:])}"


def _counted(changes: Iterable[actions.Configure]) -> str:
    """How many objects of the configuration are added, changed and removed."""
    words = {"+": "added", "~": "changed", "-": "removed"}
    return ", ".join(f"{count} {words[sign]}" for sign, count in Counter(each.sign for each in changes).items())
