"""python -m benchmarks [PART...] [--quick] [--runs N]: measure, print a table, and write benchmarks/RESULTS.md.

`--quick` shows in a few seconds that everything still runs; its figures mean nothing, and are written nowhere.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import growth
from benchmarks.parts import PARTS, Bench, Row

RESULTS = Path(__file__).with_name("RESULTS.md")
DRAWING = RESULTS.with_name("growth.svg")
MARK = "<!-- written by: python -m benchmarks -->"


def line(row: Row) -> str:
    """A row of the table: medians, and the ratio of each pair with its spread."""
    made, low, high = row.compared, row.compared.ratios[0], row.compared.ratios[-1]
    spread = f" ({low:.2f} to {high:.2f})" if len(row.compared.ratios) > 1 else ""
    cells = (
        row.work,
        row.peer,
        f"{made.seconds:.2f} s",
        f"{made.peer:.2f} s",
        f"{made.ratio:.2f} x{spread}",
        row.goal,
        f"{made.memory:.0f} MB",
        row.calls,
    )
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| work | beside | ours | theirs | ratio of pairs, median (spread) | to reach | peak | calls |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)


def machine(runs: int) -> str:
    """What it was measured on."""
    count = os.cpu_count()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    tools = ", ".join(f"{name} {version(name)}" for name in ("boto3", "invoke", "uv"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}, {count} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {tools}; {runs} pairs each, in turn; "
        f"`{' '.join(['python -m benchmarks', *sys.argv[1:]])}`"
    )


def measured(name: str, bench: Bench) -> list[str]:
    """The table of a part, each row printed as soon as it is known; how commands grow is drawn, too."""
    table, growths = [growth.HEAD if name == "growth" else HEAD], list[growth.Growth]()
    print(table[0])
    for row in PARTS[name](bench):
        growths += [row] if isinstance(row, growth.Growth) else []
        table.append(growth.line(row) if isinstance(row, growth.Growth) else line(row))
        print(table[-1], flush=True)
    if growths and not bench.quick:
        growth.draw(growths, DRAWING)
    return table


def write(name: str, rows: list[str], runs: int) -> None:
    """Put a part's table in the place of the one before, with what it was measured on; the others stay."""
    notes, _, rest = RESULTS.read_text(encoding="utf-8").partition(MARK)
    sections = {each.partition("\n")[0].strip(): each for each in rest.split("\n## ")[1:]}
    sections[name] = "\n".join([name, "", machine(runs), "", *rows, ""])
    text = "".join(f"\n## {sections[each]}" for each in PARTS if each in sections)
    RESULTS.write_text(f"{notes}{MARK}\n{text}", encoding="utf-8", newline="\n")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=f"of {', '.join(PARTS)}; all without")
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    names = asked.parts or [name for name in PARTS if not (asked.quick and name == "heavy")]
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            rows = measured(name, Bench(Path(scratch), 1 if asked.quick else asked.runs, asked.quick))
            if not asked.quick:
                write(name, rows, asked.runs)


if __name__ == "__main__":
    main()
