"""Runs commands in turn and compares them run by run: what a machine does besides meets all of them alike."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """What is run, where, with which variables, and what is made ready before each run, which is not measured."""

    arguments: Sequence[str]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Run:
    """One run: seconds by the clock and of the processors, and the most memory that any process held, in MB."""

    seconds: float
    cpu: float
    memory: float


def run(command: Command) -> Run:
    """Run a command once. CalledProcessError with what it printed, if it fails."""
    command.before()
    begun = time.perf_counter()
    process = subprocess.Popen(
        list(command.arguments),
        cwd=command.folder,
        env={**os.environ, **command.variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout
    said = process.stdout.read()
    cpu, memory = _end(process)
    seconds = time.perf_counter() - begun
    if process.returncode:
        sys.stderr.write(said.decode(errors="replace")[-4000:])
        raise subprocess.CalledProcessError(process.returncode, list(command.arguments))
    return Run(seconds, cpu, memory)


def _end(process: "subprocess.Popen[bytes]") -> tuple[float, float]:
    """Wait for a process; its seconds of the processors and its most memory in MB, 0 where the system does not say."""
    if sys.platform == "win32":
        process.wait()
        return 0.0, 0.0
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


@dataclass(frozen=True)
class Compared:
    """One command beside another: all runs of both, in pairs."""

    ours: tuple[Run, ...]
    theirs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        """Our median."""
        return statistics.median(each.seconds for each in self.ours)

    @property
    def peer(self) -> float:
        """Their median."""
        return statistics.median(each.seconds for each in self.theirs)

    @property
    def ratios(self) -> list[float]:
        """How much longer ours took, pair by pair, sorted."""
        return sorted(a.seconds / b.seconds for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio(self) -> float:
        """The median of those."""
        return statistics.median(self.ratios)

    @property
    def memory(self) -> float:
        """The most memory any of our runs took, in MB."""
        return max(each.memory for each in self.ours)


def compare(ours: Command, theirs: Command, runs: int) -> Compared:
    """Run both, in turn, so many times; which is first changes from pair to pair."""
    pairs = []
    for number in range(runs):
        if number % 2:
            second = run(theirs)
            pairs.append((run(ours), second))
        else:
            pairs.append((run(ours), run(theirs)))
    return Compared(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))
