"""How time and calls grow with what there is: one command at several sizes, as a table and as a drawing."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.measure import Command, run


@dataclass(frozen=True)
class Growth:
    """One command at several sizes: seconds (medians) and, on AWS, calls."""

    what: str
    unit: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    calls: tuple[int, ...] = ()

    @property
    def slope(self) -> float:
        """Milliseconds that each more of it takes, by least squares."""
        xs, ys = self.sizes, self.seconds
        middle, level = statistics.mean(xs), statistics.mean(ys)
        above = sum((x - middle) * (y - level) for x, y in zip(xs, ys, strict=True))
        return 1000 * above / sum((x - middle) ** 2 for x in xs)


def grown(
    what: str,
    unit: str,
    sizes: Sequence[int],
    runs: int,
    prepare: Callable[[int], tuple[Command, Callable[[], int] | None]],
) -> Growth:
    """Measure a command at each size, after one run that is not counted."""
    seconds, calls = [], []
    for size in sizes:
        command, count = prepare(size)
        run(command)
        if count:
            count()
        seconds.append(statistics.median(run(command).seconds for _ in range(runs)))
        if count:
            calls.append(count() // runs)
    return Growth(what, unit, tuple(sizes), tuple(seconds), tuple(calls))


HEAD = "| command | sizes | seconds | each more | calls |\n| --- | --- | --- | --- | --- |"


def line(growth: Growth) -> str:
    """A row of the table."""
    cells = (
        growth.what,
        f"{', '.join(f'{each:,}' for each in growth.sizes)} {growth.unit}",
        ", ".join(f"{each:.2f}" for each in growth.seconds),
        f"{growth.slope:+.2f} ms",
        ", ".join(map(str, growth.calls)),
    )
    return "| " + " | ".join(cells) + " |"


_WIDE, _HIGH, _LEFT, _TOP, _ACROSS = 250, 120, 45, 50, 3
_CELL, _ROW = _WIDE + _LEFT + 25, _HIGH + _TOP + 45


def draw(growths: Sequence[Growth], path: Path) -> None:
    """A drawing of all of them, side by side: seconds against size."""
    rows = -(-len(growths) // _ACROSS)
    box = f'viewBox="0 0 {_ACROSS * _CELL} {rows * _ROW}" font-family="sans-serif" font-size="12" fill="#444"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for place, growth in enumerate(growths):
        left, top = place % _ACROSS * _CELL + _LEFT, place // _ACROSS * _ROW + _TOP
        parts += [f'<g transform="translate({left} {top})">', *_plot(growth), "</g>"]
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8", newline="\n")


def _plot(growth: Growth) -> Iterator[str]:
    """One command's line, with its axes."""
    most, highest = max(growth.sizes), max(growth.seconds) * 1.15
    points = [
        (x / most * _WIDE, _HIGH - y / highest * _HIGH) for x, y in zip(growth.sizes, growth.seconds, strict=True)
    ]
    yield f'<text y="-26" font-weight="bold" fill="#000">{escape(growth.what)}</text>'
    yield f'<text y="-10">{growth.slope:+.2f} ms for each more</text>'
    yield f'<path d="M0 0V{_HIGH}H{_WIDE}" fill="none" stroke="#999"/>'
    yield f'<text x="-6" y="8" text-anchor="end">{highest:.1f} s</text>'
    yield f'<text x="-6" y="{_HIGH}" text-anchor="end">0</text>'
    yield f'<text x="{_WIDE}" y="{_HIGH + 18}" text-anchor="end">{most:,} {escape(growth.unit)}</text>'
    yield f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="#06c"/>'
    for x, y in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#06c"/>'
