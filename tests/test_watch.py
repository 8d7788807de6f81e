"""From a saved file to a function that answers with the new code."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from invoke import Config, Context

from tasks import watch
from tasks.aws.connection import Connection
from tasks.aws.invoke import invoke_function
from tasks.errors import ConfigError
from tests.examples import DEV, RELEASE_TOML
from tests.front import Site

pytestmark = pytest.mark.whole

HANDLER = "import core\n\ndef run(event, context):\n    return {'statusCode': 200, 'body': core.NAME}\n"


@pytest.fixture
def project(site: Site) -> Site:
    """A project whose functions answer with what a layer says."""
    text = RELEASE_TOML.replace('runtimes = ["python3.11", "python3.12"]', 'runtimes = ["python3.11", "python3.12"]')
    for function in ("ingest", "letter"):
        line = f'name = "news-{function}-{{env}}"\n'
        text = text.replace(line, f'{line}source = "src/{function}"\nhandler = "handler.run"\n')
        site.write(f"src/{function}/handler.py", HANDLER)
    site.write("release.toml", text)
    return site


@pytest.fixture
def watching(project: Site) -> Iterator[Site]:
    """The project, with everything that is saved in it being put on the sandbox."""
    stop = threading.Event()
    thread = threading.Thread(target=watch.turns, args=(project.command, DEV, "", stop))
    thread.start()
    yield project
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def answer(there: Connection) -> object:
    body = invoke_function(there, "news-ingest-dev", "{}").body
    return body.get("body") if isinstance(body, dict) else body


def eventually(what: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def test_ten_saved_files_are_ten_answers_with_the_new_code(watching: Site, dev: Connection) -> None:
    eventually(lambda: answer(dev) == "core")
    for number in range(10):
        watching.write("src/core/__init__.py", f"NAME = {number}\n")
        eventually(lambda number=number: answer(dev) == number)  # type: ignore[misc]


def test_what_is_replaced_as_editors_do_is_still_seen(project: Site) -> None:
    stop, seen = threading.Event(), list[object]()
    thread = threading.Thread(target=lambda: seen.extend(watch.saved(project.command, stop)))
    thread.start()
    for number in range(3):
        before = len(seen)
        project.write("aside", RELEASE_TOML + f"# {number}\n")
        time.sleep(0.3)
        (project.root / "aside").replace(project.root / "release.toml")
        eventually(lambda before=before: len(seen) > before)  # type: ignore[misc]
    stop.set()
    thread.join(20)


def test_a_turn_is_told_in_one_line_and_a_mistake_ends_nothing(
    project: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    watch.take_turn(project.command, DEV)
    first = capsys.readouterr().out
    assert first.startswith("[OK] ")
    assert first.count("\n") == 1
    assert "news-ingest-dev, news-letter-dev, the configuration; 2 start" in first
    watch.take_turn(project.command, DEV)
    assert "nothing has changed" in capsys.readouterr().out
    project.write("src/core/__init__.py", "import nothing_of_that_name\n")
    watch.take_turn(project.command, DEV)
    assert "The smoke test of dev failed" in capsys.readouterr().out
    scopes = (project.root / "canonical/scopes.yaml").read_text()
    project.write("canonical/scopes.yaml", "a: [never closed\n")
    watch.take_turn(project.command, DEV)
    assert "The configuration does not hold together" in capsys.readouterr().out
    project.write("canonical/scopes.yaml", scopes)
    project.write("src/core/__init__.py", "NAME = 2\n")
    watch.take_turn(project.command, DEV)
    assert "2 start" in capsys.readouterr().out


class Pressed(threading.Event):
    """Ctrl-C, as soon as anybody looks."""

    def is_set(self) -> bool:
        raise KeyboardInterrupt


def test_ctrl_c_ends_watching_without_a_complaint(project: Site) -> None:
    watch.turns(project.command, DEV, stop=Pressed())


def test_dependencies_are_neither_built_nor_published_again(project: Site, dev: Connection) -> None:
    watch.take_turn(project.command, DEV)
    project.write("src/core/__init__.py", "NAME = 2\n")
    watch.take_turn(project.command, DEV)
    published = {
        name: len(dev.functions.list_layer_versions(LayerName=f"news-{name}-dev")["LayerVersions"])
        for name in ("core", "deps")
    }
    assert published == {"core": 2, "deps": 1}


def test_without_a_sandbox_nothing_is_watched(project: Site) -> None:
    with pytest.raises(ConfigError, match="run: inv sandbox watch"):
        watch.watch(Context(Config(overrides={"root": str(project.root)})))


def test_a_new_file_that_git_does_not_track_is_named(project: Site, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)  # noqa: S607
    subprocess.run(["git", "add", "."], cwd=project.root, check=True)  # noqa: S607
    project.write("src/core/new.py", "")
    watch.take_turn(project.command, DEV)
    assert "[WARNING] src/core/new.py is left out: git does not track it" in capsys.readouterr().out
    assert Path(project.root, "src/core/new.py").exists()
