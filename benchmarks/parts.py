"""What is measured, each beside a named alternative."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.aws import Client, running, self_signed
from benchmarks.growth import Growth, grown
from benchmarks.measure import Command, Compared, Run, compare, run
from benchmarks.projects import INV, ROOT, deployable, git, inv, layered, module, required, variables
from tasks.project.interpreters import find_interpreter
from tasks.project.runtimes import RUNTIMES

PYTHONS = ("3.11.14", "3.12.12")
"""What uv is to resolve for, as we do for python3.11 and python3.12."""
_PLATFORM = {"3.11.14": "x86_64-manylinux2014", "3.12.12": "x86_64-manylinux_2_28"}
EMPTY = "from invoke import task\n\n@task\ndef nothing(c):\n    pass\n"
UV = str(Path(sys.executable).with_name("uv"))
_ALWAYS_NEW = ("archives", "trials", "stages", "sources")


@dataclass(frozen=True)
class Row:
    """A line of the table: what was done, beside what, how long both took, what was to be reached, calls and chain."""

    work: str
    peer: str
    compared: Compared
    goal: str
    calls: str = ""


@dataclass(frozen=True)
class Bench:
    """Where a part works, how often it runs each command, and whether it only shows that it works."""

    scratch: Path
    runs: int
    quick: bool

    def folder(self, name: str) -> Path:
        """A folder for a project, with a cache of its own beside it."""
        path = self.scratch / name
        path.mkdir()
        return path / "project"


def _here(bench: Bench, name: str) -> Path:
    """This repository as it is committed, built once."""
    folder = bench.folder(name)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)  # noqa: S607
    inv(folder, "build")
    return folder


def _empty(bench: Bench, name: str) -> Command:
    """An Invoke program with one task that does nothing."""
    folder = bench.folder(f"{name}-empty")
    folder.mkdir()
    (folder / "tasks.py").write_text(EMPTY)
    return Command([INV, "nothing"], folder)


def _ours(folder: Path, *arguments: str, address: str = "", before: Callable[[], object] = lambda: None) -> Command:
    return Command([INV, *arguments], folder, variables(folder, address), before)


def start(bench: Bench) -> Iterator[Row]:
    """Commands that do nothing."""
    folder, empty = _here(bench, "start"), _empty(bench, "start")
    runs = bench.runs * 2
    yield Row("inv --list", "an empty Invoke program", compare(_ours(folder, "--list"), empty, runs), "empty + 70 ms")
    built = compare(_ours(folder, "build"), empty, runs)
    yield Row("inv build, nothing changed, this repository", "an empty Invoke program", built, "2 x")


def _forget(folder: Path, *kinds: str) -> Callable[[], None]:
    """Forget what was built; of the cache, some kinds."""

    def forget() -> None:
        shutil.rmtree(folder / ".build", ignore_errors=True)
        for kind in kinds:
            shutil.rmtree(folder.parent / "cache" / kind, ignore_errors=True)

    return forget


def _installed(folder: Path, lock: Path, *pythons: str, cold: bool = False) -> Command:
    """The same lock by uv for some runtimes, and one archive of all by Info-ZIP."""
    more = " --cache-dir cold" if cold else ""
    script = "set -e\nrm -rf site cold && mkdir site\n"
    for python in pythons:
        script += (
            f"{UV} pip install -q --no-deps --target site/{python} --python-version {python} "
            f"--require-hashes --python-platform {_PLATFORM[python]} -r {lock}{more}\n"
        )
    return Command(["sh", "-c", f"{script}cd site && zip -qr ../site.zip . && rm ../site.zip"], folder)


def lock(bench: Bench) -> Iterator[Row]:
    """A layer of locked requirements: this repository's, as small as the user's."""
    folder = _here(bench, "lock")
    peer = _installed(folder.parent, folder / "src_v2" / "requirements.lock", *PYTHONS)
    run(peer)
    name = "uv pip install --target, twice, + zip"
    tried = compare(_ours(folder, "build-deps", before=_forget(folder, *_ALWAYS_NEW)), peer, bench.runs)
    yield Row("user's lock, wheels cached, imported on both runtimes", name, tried, "1.5 x")
    known = compare(_ours(folder, "build-deps", before=_forget(folder, "archives")), peer, bench.runs)
    yield Row("the same, import trial remembered", name, known, "0.6 x")


HEAVY = "numpy==2.3.4\npandas==2.3.3\nscipy==1.16.2\npydantic==2.12.3\nboto3==1.40.60\n"


def heavy(bench: Bench) -> Iterator[Row]:
    """A layer of heavy requirements, 244 MB unpacked for one runtime; two would be more than Lambda takes."""
    folder = bench.folder("heavy")
    layered(folder, 1)
    text = (folder / "release.toml").read_text()
    text = text.replace('source = "src/core"', 'requirements = "requirements.txt"').replace('"python3.11", ', "")
    (folder / "release.toml").write_text(text)
    (folder / "requirements.txt").write_text(HEAVY)
    inv(folder, "lock")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "heavy")
    peer = _installed(folder.parent, folder / "requirements.lock", PYTHONS[1])
    run(peer)
    name = "uv pip install --target + zip"
    inv(folder, "build-deps")
    tried = compare(_ours(folder, "build-deps", before=_forget(folder, *_ALWAYS_NEW)), peer, bench.runs)
    yield Row("heavy lock, wheels cached, imported", name, tried, "1.0 x")
    sam = compare(_ours(folder, "build-deps", before=_forget(folder, *_ALWAYS_NEW)), _sam(bench, folder), bench.runs)
    yield Row("the same", "sam build (its cache warm, nothing packed or imported)", sam, "")
    unpacked = compare(_ours(folder, "build-deps", before=_forget(folder, "archives", "trials")), peer, bench.runs)
    yield Row("the same, what was unpacked and compiled is still there", name, unpacked, "0.4 x")
    known = compare(_ours(folder, "build-deps", before=_forget(folder, "archives")), peer, bench.runs)
    yield Row("the same, import trial remembered", name, known, "0.1 x")
    cold = _installed(folder.parent, folder / "requirements.lock", PYTHONS[1], cold=True)
    everything = _forget(folder, *_ALWAYS_NEW, "files", "index", "built")
    yield Row(
        "the same, nothing cached",
        f"{name}, cold",
        compare(_ours(folder, "build-deps", before=everything), cold, bench.runs),
        "1.5 x",
    )


def _sam(bench: Bench, folder: Path) -> Command:
    """The same requirements as a layer by sam build."""
    there = folder.parent / "sam"
    (there / "layer").mkdir(parents=True)
    shutil.copy(folder / "requirements.lock", there / "layer" / "requirements.txt")
    (there / "template.yaml").write_text(_TEMPLATE.format(PYTHONS[1].rpartition(".")[0]))
    # sam wants the runtime's own interpreter on its path
    path = os.pathsep.join([str(Path(find_interpreter(RUNTIMES["python3.12"])).parent), os.environ["PATH"]])
    sam = _peer(bench, "aws-sam-cli==1.170.0") / "sam"
    return Command([str(sam), "build"], there, {"PATH": path, "SAM_CLI_TELEMETRY": "0"})


_TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Deps:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layer
    Metadata:
      BuildMethod: python{}
"""


def files(bench: Bench) -> Iterator[Row]:
    """A layer of one's own sources."""
    for count in (20,) if bench.quick else (100, 1_000, 10_000):
        folder, runs = bench.folder(f"files{count}"), min(bench.runs, 100_000 // count // 4)
        layered(folder, count)
        zipped = Command(["sh", "-c", "rm -f ../z.zip && zip -qr -6 ../z.zip src"], folder)
        script = "rm -rf ../z.zip ../c && cp -r src ../c && zip -qr -6 ../z.zip src && "
        script += f"{sys.executable} -m compileall -qq -j2 ../c"
        compiled = Command(["sh", "-c", script], folder)
        inv(folder, "build-core")
        full = compare(_ours(folder, "build-core", before=_forget(folder, *_ALWAYS_NEW)), compiled, runs)
        yield Row(f"first-party layer of {count:,} files, full", "zip -r -6 + compileall -j2", full, "1.2 x")
        known = compare(_ours(folder, "build-core", before=_forget(folder, "archives")), zipped, runs)
        yield Row("the same, trial remembered", "zip -r -6", known, "2 x")
        inv(folder, "build-core")
        same = compare(_ours(folder, "build-core"), zipped, runs)
        yield Row("the same, nothing changed", "zip -r -6", same, "0.5 x at 10,000")
        turn = iter(range(1, 1000))

        def change(folder: Path = folder, turn: Iterator[int] = turn) -> None:
            (folder / "src/core/part0/module0.py").write_text(module(8700, 10_000 + next(turn)))

        one = compare(_ours(folder, "build-core", before=change), _ours(folder, "build-core"), runs)
        yield Row("the same, one file changed", "the same command, nothing changed", one, "+ 0.5 s")


def _reset(aws: Client, functions: int, **settings: object) -> Callable[[], None]:
    """An AWS with so many functions, to which nothing was deployed."""

    def reset() -> None:
        names = [f"bench-f{number}-{env}" for env in ("dev", "stage") for number in range(functions)]
        aws.set(empty=True, functions=names, **settings)

    return reset


def _scripts(folder: Path, functions: int, address: str, before: Callable[[], object], *more: str) -> Command:
    """The user's own way."""
    archives = [str(folder / ".build" / "layers" / f"{name}-1.0.0.zip") for name in ("core", "deps")]
    arguments = [sys.executable, str(ROOT / "benchmarks" / "scripts.py"), "deploy", str(functions), *archives, *more]
    return Command(arguments, folder, variables(folder, address), before)


def _counted(aws: Client, command: Command) -> tuple[Run, str]:
    """One run, and its calls and longest chain."""
    command.before()
    aws.stats()
    took = run(Command(command.arguments, command.folder, command.variables))
    found = aws.stats()
    refused = f", {found['refused']} refused" if found["refused"] else ""
    return took, f"{found['calls']} calls, chain {found['chain']}{refused}"


def deploy(bench: Bench) -> Iterator[Row]:
    """Deployments, beside a user's own scripts, which have an AWS of their own."""
    with running() as aws, running() as theirs:
        folder = deployable(bench.folder("deploy3"), 3, 3)
        inv(folder, "build")
        reset, other = _reset(aws, 3, latency=0.1), _reset(theirs, 3, latency=0.1)
        name = "user's own scripts (always publish, verify nothing)"
        ours = _ours(folder, "deploy", "--env", "dev", address=aws.address, before=reset)
        _, calls = _counted(aws, ours)
        changed = compare(ours, _scripts(folder, 3, theirs.address, other), bench.runs)
        yield Row("deploy, all changed, 3 functions, 100 ms a call", name, changed, "1.1 x, chain 15", calls)
        waiting = compare(ours, _scripts(folder, 3, theirs.address, other, "wait"), bench.runs)
        yield Row("the same", "the same scripts with waiters", waiting, "0.9 x")
        inv(folder, "deploy", "--env", "dev", address=aws.address)
        again = _ours(folder, "deploy", "--env", "dev", address=aws.address)
        _, calls = _counted(aws, again)
        same = compare(again, _scripts(folder, 3, theirs.address, lambda: None), bench.runs)
        yield Row("deploy, nothing changed, 3 functions, 100 ms a call", name, same, "0.35 s + 2 rounds", calls)
        for count in (5,) if bench.quick else (30, 300):
            yield from _many(bench, aws, count)


def _many(bench: Bench, aws: Client, count: int) -> Iterator[Row]:
    """Deployments to many functions, at Lambda's rates."""
    folder = deployable(bench.folder(f"deploy{count}"), count, 0)
    inv(folder, "build")
    reset = _reset(aws, count, latency=0.05, update=1.0, rates=True)
    ours = _ours(folder, "deploy", "--env", "dev", address=aws.address, before=reset)
    took, calls = _counted(aws, ours)
    name = "2 publications + 1 write a function, at 15 a second"
    ideal = Run((count + 2) / 15, 0, 0)
    compared = Compared((took,), (ideal,))
    yield Row(f"deploy, all changed, {count} functions, an update takes 1 s, 50 ms", name, compared, "1.3 x", calls)
    aws.set(latency=0.05, update=0.0, rates=False)
    again = _ours(folder, "deploy", "--env", "dev", address=aws.address)
    _, calls = _counted(aws, again)
    yield Row(
        f"deploy, nothing changed, {count} functions, 50 ms",
        "an empty Invoke program",
        compare(again, _empty(bench, f"deploy{count}"), bench.runs),
        "1.2 s at 300",
        calls,
    )


def promote(bench: Bench) -> Iterator[Row]:
    """Promotions, beside `aws s3 sync` of their configuration."""
    aws_cli = _peer(bench, "awscli==1.46.3") / "aws"
    with running() as aws:
        for count in (5,) if bench.quick else (30, 1_000):
            folder = deployable(bench.folder(f"promote{count}"), 3, count)
            inv(folder, "build")
            _reset(aws, 3, latency=0.0)()
            inv(folder, "deploy", "--env", "dev", address=aws.address)
            aws.set(latency=0.05)
            names = [f"bench-f{number}-stage" for number in range(3)]

            def fresh(names: list[str] = names) -> None:
                aws.set(gone=["bench-code-stage", "bench-config-stage"], functions=names)

            sync = Command(
                [str(aws_cli), "s3", "sync", "s3://bench-config-dev", "s3://bench-config-stage"],
                folder,
                variables(folder, aws.address),
                fresh,
            )
            arguments = ("promote", "--to", "stage", "--version", "1.0.0")
            ours = _ours(folder, *arguments, address=aws.address, before=fresh)
            _, calls = _counted(aws, ours)
            goal = "0.5 x" if count > 30 else "1.5 x"  # noqa: PLR2004
            work = f"promote, {count:,} objects of configuration, first, 50 ms"
            yield Row(work, "aws s3 sync of those objects", compare(ours, sync, bench.runs), goal, calls)
            inv(folder, *arguments, address=aws.address)
            again = _ours(folder, *arguments, address=aws.address)
            same = Command(sync.arguments, folder, sync.variables)
            _, calls = _counted(aws, again)
            goal = "1.0 x" if count > 30 else "1.5 x"  # noqa: PLR2004
            yield Row("the same, unchanged", "aws s3 sync", compare(again, same, bench.runs), goal, calls)


def _peer(bench: Bench, requirement: str) -> Path:
    """A program in an environment of its own; the folder of its commands."""
    folder = bench.scratch / "peers" / requirement
    if not folder.exists():
        subprocess.run([UV, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([UV, "pip", "install", "-q", "--python", str(folder), requirement], check=True)
    return folder / ("Scripts" if os.name == "nt" else "bin")


def upload(bench: Bench) -> Iterator[Row]:
    """Uploads over TLS, beside a single PutObject."""
    certificate = self_signed(bench.scratch)
    with running(certificate) as aws:
        for size in (1,) if bench.quick else (5, 50, 200):
            folder = deployable(bench.folder(f"upload{size}"), 1, 0)
            (folder / "src" / "core" / "data.bin").write_bytes(os.urandom(size * 1_000_000))
            git(folder, "add", ".")
            git(folder, "commit", "-qm", "data")
            inv(folder, "build")
            reset = _reset(aws, 1, latency=0.0)
            archive = folder / ".build" / "layers" / "core-1.0.0.zip"
            script = (
                f"import boto3; boto3.client('s3').put_object(Bucket='b', Key='k', Body=open({str(archive)!r}, 'rb'))"
            )
            known = {**variables(folder, aws.secure), "AWS_CA_BUNDLE": str(certificate)}
            single = Command([sys.executable, "-c", script], folder, known, reset)
            ours = Command([INV, "upload", "--env", "dev", "--layer", "core"], folder, known, reset)
            _, calls = _counted(aws, ours)
            made = compare(ours, single, bench.runs)
            yield Row(f"upload of {size} MB over TLS", "one PutObject by boto3", made, "1.2 x", calls)


def growth(bench: Bench) -> Iterator[Growth]:
    """How commands that have nothing to do grow with what there is."""
    runs = 1 if bench.quick else 3

    def sizes(*wanted: int) -> tuple[int, ...]:
        return (2, 4) if bench.quick else wanted

    def of_files(count: int) -> tuple[Command, None]:
        folder = layered(bench.folder(f"grow-files{count}"), count)
        return _ours(folder, "build-core"), None

    def of_wheels(count: int) -> tuple[Command, None]:
        return _ours(required(bench.folder(f"grow-wheels{count}"), count), "build-deps"), None

    yield grown("inv build-core, unchanged", "files", sizes(100, 1_000, 3_000), runs, of_files)
    yield grown("inv build-deps, unchanged", "wheels", sizes(5, 20, 60), runs, of_wheels)
    with running() as aws:

        def deployed(name: str, functions: int, objects: int, *more: str) -> tuple[Command, Callable[[], int]]:
            folder = deployable(bench.folder(f"grow-{name}{functions}-{objects}"), functions, objects)
            _reset(aws, functions, latency=0.0)()
            inv(folder, "deploy", "--env", "dev", address=aws.address)
            for verb in more:
                inv(folder, *verb.split(), address=aws.address)
            aws.set(latency=0.05)
            again = (more[-1] if more else "deploy --env dev").split()
            return _ours(folder, *again, address=aws.address), lambda: int(aws.stats()["calls"])

        def of_functions(count: int) -> tuple[Command, Callable[[], int]]:
            return deployed("functions", count, 0)

        def of_objects(count: int) -> tuple[Command, Callable[[], int]]:
            return deployed("objects", 3, count, "promote --to stage --version 1.0.0")

        def of_versions(count: int) -> tuple[Command, Callable[[], int]]:
            found = deployed(f"versions{count}-", 3, 0)
            aws.set(layers={"bench-core-dev": count, "bench-deps-dev": count}, behind=True)
            return found

        def of_archives(count: int) -> tuple[Command, Callable[[], int]]:
            found = deployed(f"archives{count}-", 3, 0)
            stored = {f"layers/core-0.0.{number}.zip": "x" for number in range(count)}
            aws.set(objects={"bench-code-dev": stored})
            return found

        many = sizes(10, 100, 1_000)
        yield grown("inv deploy, unchanged", "functions", sizes(10, 100, 300), runs, of_functions)
        yield grown("inv promote, unchanged", "objects of configuration", many, runs, of_objects)
        yield grown("inv deploy, unchanged", "older versions of each layer", many, runs, of_versions)
        yield grown("inv deploy, unchanged", "older archives", many, runs, of_archives)


PARTS: dict[str, Callable[[Bench], Iterator[Row | Growth]]] = {
    "start": start,
    "lock": lock,
    "heavy": heavy,
    "files": files,
    "deploy": deploy,
    "promote": promote,
    "upload": upload,
    "growth": growth,
}
