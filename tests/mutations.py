"""Takes guards out, one at a time, and runs the tests that hold them: does any of them notice?

    python tests/mutations.py                 every guard that is marked, and a hundred mutations drawn by operator
    python tests/mutations.py --drawn 20      the guards, and fewer
    python tests/mutations.py --sample 24     a fixed sample of both, so many of each
    python tests/mutations.py perform         only what has this word in its file or its line

A guard is marked where it stands, by a comment above its statement that names the tests:

    # held by tests/test_engine.py
    if inherited:

The whole statement is taken out by its syntax tree: a condition never holds, a call is not made, an exception is not
caught. Parts in backquotes are taken out instead of the whole, each by itself: an operand, an argument, a condition of
a comprehension; `13.0 -> 16.0` puts something in the place of a part, and `-> True` in that of a whole value.

Other mutations are drawn from the syntax trees of `release/`, the engine, `aws/` and `archives/` with a fixed seed:
conditions flipped, checks dropped, constants moved, arguments left out, order swapped. Survivors are printed; those
that change nothing are explained in `HARMLESS`.
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEED = 20260202
PATIENCE = 240
ROOMS = {
    "tasks/release": "tests/release tests/test_engine.py",
    "tasks/engine.py": "tests/test_engine.py",
    "tasks/jobs.py": "tests/test_jobs.py tests/test_engine.py",
    "tasks/aws/functions.py": "tests/aws/test_functions.py",
    "tasks/aws/perform.py": "tests/aws/test_perform.py",
    "tasks/archives": "tests/archives tests/test_build.py",
}
"""Where mutations are drawn, and the tests that should notice."""
_GUARD = re.compile(r"^\s*# held by (?P<tests>[^`]+?)(?P<parts>(?: `[^`]+`)*)$")


@dataclass(frozen=True)
class Mutation:
    """One change: the whole text of a file with something taken out, and the tests that should notice.

    `place` tells it from others of its file, whatever is edited elsewhere.
    """

    path: str
    line: int
    what: str
    text: str
    tests: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def guards(root: Path = ROOT) -> list[Mutation]:
    """What each mark below `tasks/` takes out. ValueError for a mark that stands above nothing it could take out."""
    return [each for path in sorted((root / "tasks").rglob("*.py")) for each in _marked(path, root)]


def _marked(path: Path, root: Path) -> Iterator[Mutation]:
    text, shown = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if not (mark := _GUARD.search(line)):
            continue
        below = number
        while lines[below - 1].lstrip().startswith("#"):
            below += 1
        for part in re.findall("`([^`]+)`", mark["parts"]) or [""]:
            tree = ast.parse(text)
            try:
                without(tree, below, part)
            except LookupError as error:
                raise ValueError(f"{shown}:{number}: {error}") from error
            what = f"{lines[below - 1].strip()[:70]}{f'  without {part}' if part else ''}"
            yield Mutation(
                shown, below, what, ast.unparse(ast.fix_missing_locations(tree)), mark["tests"].strip(), what
            )


def without(tree: ast.Module, line: int, part: str = "") -> None:
    """Take the statement that begins on a line out of a tree, or only a part of it. LookupError if there is none."""
    for holder in ast.walk(tree):
        for name, value in ast.iter_fields(holder):
            for place, child in enumerate(value) if isinstance(value, list) else ():
                if isinstance(child, ast.stmt | ast.ExceptHandler) and _first_line(child) == line:
                    if part:
                        _without_part(child, part)
                    else:
                        value[place : place + 1] = _taken_out(child)
                        if isinstance(holder, ast.Try) and name == "handlers" and not (value or holder.finalbody):
                            holder.finalbody = [ast.Pass()]
                    return
    raise LookupError("no statement begins below this mark")


def _first_line(node: ast.stmt | ast.ExceptHandler) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(each.lineno for each in (node, *decorators))


def _taken_out(node: ast.stmt | ast.ExceptHandler) -> list[ast.stmt]:
    """What stays in the place of a statement."""
    match node:
        case ast.ExceptHandler():
            return []
        case ast.If():
            node.test = ast.Constant(False)  # noqa: FBT003  (a node)
            return [node]
        case ast.With():
            return node.body
        case ast.Assign() | ast.AnnAssign():
            node.value = ast.Constant(None)
            return [node]
        case ast.Return():
            return [ast.Return(ast.Constant(None))]
        case _:
            return [ast.Pass()]


def _without_part(node: ast.AST, part: str) -> None:
    """Take a part out of a statement, or put something in its place."""
    old, arrow, new = part.partition("->")
    if arrow and not old.strip():
        field = "test" if isinstance(node, ast.If) else "value"
        setattr(node, field, ast.parse(new.strip(), mode="eval").body)
        return
    wanted = old.strip() if arrow else part
    replacement = ast.parse(new.strip(), mode="eval").body if arrow else None
    for holder in ast.walk(node):
        for name, value in ast.iter_fields(holder):
            for place, child in enumerate(value) if isinstance(value, list) else [(-1, value)]:
                if isinstance(child, ast.AST) and _reads(child, holder, place) == wanted:
                    _leave_out(holder, name, place, replacement)
                    return
    raise LookupError(f"the statement has no part {wanted}")


def _reads(child: ast.AST, holder: ast.AST, place: int) -> str:
    """How a part is written: an argument with its name, an item of a dictionary with its key."""
    if isinstance(holder, ast.Dict) and place >= 0 and child is holder.values[place]:
        key = holder.keys[place]
        return f"{ast.unparse(key)}: {ast.unparse(child)}" if key else f"**{ast.unparse(child)}"
    if isinstance(child, ast.keyword):
        return f"{child.arg}={ast.unparse(child.value)}" if child.arg else f"**{ast.unparse(child.value)}"
    return ast.unparse(child)


def _leave_out(holder: ast.AST, name: str, place: int, replacement: ast.expr | None) -> None:
    """Leave a child out of the node that holds it; a condition that is left out never holds."""
    value = getattr(holder, name)
    if replacement is not None:
        if place >= 0:
            value[place] = replacement
        else:
            setattr(holder, name, replacement)
    elif isinstance(holder, ast.Dict):
        del holder.keys[place], holder.values[place]
    elif place >= 0:
        del value[place]
    elif isinstance(holder, ast.BinOp):
        holder.op, kept = ast.BitOr(), holder.right if name == "left" else holder.left
        holder.left = holder.right = kept
    else:
        setattr(holder, name, ast.Constant(False))  # noqa: FBT003  (a node)


HARMLESS: dict[str, str] = {
    "clock.now() - begun > LONGEST_UPDATE": "a moment more or less of five minutes",
    "'300' -> '301'": "a moment more or less of patience",
    "(*decided.switch, *decided.configure)": "they are performed side by side",
    "zip(actions, jobs, strict=True)": "both have the same length by construction",
    "tasks/aws/perform.py: '1' -> '2'": "the size of a block that is read at a time",
    "tasks/aws/functions.py: '2' -> '3'": "how much later a function is looked at again",
    "tasks/archives/checks.py: '0' -> '1'": "older than any C library there is",
    "(*release.layers, *([package] if package else []))": "what is checked has no order",
    "tempfile.TemporaryDirectory(dir=cache)": "another folder of the same kind",
    'aside.write_text(json.dumps(document), encoding="utf-8")': "what is written is ASCII",
    "tasks/archives/secrets.py: '(b": "either of two beginnings",
    "left.get(each.release, 0) < each.number": "a rollback and a deployment of one release have different numbers",
    "unpacked > MAX_UNZIPPED": "the limit to the byte, which only an archive of 262 MB would show",
    "str(error) or type(error).__name__": "no error was met that has no text",
    "check_archive(each.path, shown, checkout.project": "what is built was checked when it was made, too",
    "zip(calls, names, strict=True)": "both have the same length by construction",
    "tasks/release/journal.py: '0' -> '1'": "numbers of entries begin with 1",
    "'(each.runtime, each.handler)'": "both are looked at",
    "tasks/release/codec.py: '2' -> '3'": "how far what is stored is indented",
    "tasks/release/codec.py: '1' -> '2'": "what is no object at all is refused anyhow",
}
"""Drawn mutations that no test can notice, by a part of their line, and why."""


def drawn(count: int) -> list[Mutation]:
    """So many mutations of the rooms, drawn by operator: those of the lowest digests, whatever else is edited."""
    found = [each for place, tests in ROOMS.items() for path in _files(place) for each in _mutations(path, tests)]
    return _lowest(found, count)


def _lowest(found: list[Mutation], count: int) -> list[Mutation]:
    """Those of the lowest digests: the same whatever is edited elsewhere."""
    return sorted(found, key=lambda each: sha256(f"{SEED} {each.path} {each.place}".encode()).digest())[:count]


def _files(place: str) -> list[Path]:
    path = ROOT / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _mutations(path: Path, tests: str) -> Iterator[Mutation]:
    """Every mutation of a file: one for each place where an operator fits."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    raw, shown = text.encode(), path.relative_to(ROOT).as_posix()

    def source(node: ast.AST) -> tuple[int, int]:
        begin = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        return begin, starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    for node in _working(ast.parse(text)):
        for part, new in _changed(node):
            begin, end = source(part)
            old = raw[begin:end].decode()
            what = f"{' '.join(old.split())[:70]!r} -> {' '.join(new.split())[:70]!r}"
            nth = raw[:begin].decode().count(old)
            text = (raw[:begin] + new.encode() + raw[end:]).decode()
            yield Mutation(shown, node.lineno, what, text, tests, f"{old} {nth}")  # type: ignore[attr-defined]


def _working(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that do something: no annotations, no decorators, nothing that is only looked among."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "slice", "type_params"}:
            continue
        if isinstance(node, ast.ExceptHandler) and name == "type":
            continue
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn) and name == "comparators":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child
                yield from _working(child)


def _changed(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """The places below a node where an operator fits, each with what stands there instead."""
    match node:
        case ast.If() | ast.IfExp():
            yield node.test, f"(not ({ast.unparse(node.test)}))"
        case ast.BoolOp():
            yield node, f"({ast.unparse(node.values[0])})"
        case ast.Compare(ops=[ast.Gt() | ast.Lt() | ast.GtE() | ast.LtE()]):
            swap = {ast.Gt: ">=", ast.Lt: "<=", ast.GtE: ">", ast.LtE: "<"}[type(node.ops[0])]
            yield node, f"({ast.unparse(node.left)} {swap} {ast.unparse(node.comparators[0])})"
        case ast.Call(keywords=[_, *_]) if all(word.arg for word in node.keywords):
            fewer = ast.Call(node.func, node.args, node.keywords[:-1])
            yield node, ast.unparse(fewer)
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            yield node, str(value + 1)
        case ast.Expr(value=ast.Call()):
            yield node, "pass"
        case ast.Tuple(elts=[first, second], ctx=ast.Load()) if ast.unparse(first) != ast.unparse(second):
            yield node, f"({ast.unparse(second)}, {ast.unparse(first)})"


def survives(mutation: Mutation) -> bool:
    """Whether the tests of its room pass with the mutation in place."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("tasks", "tests", "src_v2", "canonical"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("tasks.py", "pyproject.toml", "release.toml", "VERSION", "invoke.yaml"):
            shutil.copy(ROOT / name, root)
        (root / mutation.path).write_text(mutation.text, encoding="utf-8")
        options = ["-q", "-x", "-n0", "-p", "no:cacheprovider", "-m", "not long"]
        command = [sys.executable, "-m", "pytest", *options, *mutation.tests.split()]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            return not subprocess.run(
                command, cwd=root, env=environment, capture_output=True, timeout=PATIENCE, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return False


def report(title: str, mutations: list[Mutation]) -> int:
    """Try mutations, and print those that went unnoticed; how many of them are not explained."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(survives, mutations))
    left = [each for each, survived in zip(mutations, results, strict=True) if survived]
    print(f"{title}: {len(mutations) - len(left)} of {len(mutations)} killed", flush=True)
    for each in left:
        print(f"   survived: {each}  ({_reason(each) or 'not explained'})", flush=True)
    return sum(not _reason(each) for each in left)


def _reason(mutation: Mutation) -> str:
    """Why no test can notice a mutation; empty if one should."""
    shown = re.sub(r"\.py:\d+:", ".py:", str(mutation))
    return next((why for part, why in HARMLESS.items() if part in shown), "")


def main() -> None:
    """Both counts, and an exit status of 1 if a guard, or what was drawn, has a survivor that is not explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only guards whose file or line contains one of these")
    parser.add_argument("--drawn", type=int, default=100, help="how many to draw by operator (100)")
    parser.add_argument("--sample", type=int, default=0, help="so many guards, and as many drawn; all guards without")
    asked = parser.parse_args()
    chosen = [each for each in guards() if not asked.words or any(word in str(each) for word in asked.words)]
    chosen = _lowest(chosen, asked.sample) if asked.sample else chosen
    unexplained = report("guards", chosen)
    if not asked.words and asked.drawn:
        unexplained += report("drawn by operator", drawn(asked.sample or asked.drawn))
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
