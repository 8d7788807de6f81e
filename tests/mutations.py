"""Takes guards out, one at a time, and runs the tests of their room: does any of them notice?

    python tests/mutations.py                 every mutation of the list, and a hundred drawn by operator
    python tests/mutations.py --drawn 20      the list, and fewer
    python tests/mutations.py perform         only mutations whose file or text contains a word

The list names guards that careful readers once took out unnoticed. The others are drawn from the syntax trees of
`release/`, the engine, `aws/` and `archives/` with a fixed seed: conditions flipped, checks dropped, constants moved,
arguments left out, order swapped. Survivors are printed; those that change nothing are explained in `HARMLESS`.
"""

import argparse
import ast
import os
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
RELEASE, ARCHIVES = "tests/release tests/test_engine.py", "tests/archives tests/test_build.py"
AWS = "tests/aws tests/test_deploy.py tests/test_invoke.py"
PROTOCOL = "tests/test_protocol.py tests/test_engine.py tests/release/test_journal.py tests/aws"
ROOMS = {
    "tasks/release": RELEASE,
    "tasks/engine.py": "tests/test_engine.py",
    "tasks/jobs.py": "tests/test_jobs.py tests/test_engine.py",
    "tasks/aws/functions.py": "tests/aws/test_functions.py",
    "tasks/aws/perform.py": "tests/aws/test_perform.py",
    "tasks/archives": ARCHIVES,
}
"""Where mutations are drawn, and the tests that should notice."""


@dataclass(frozen=True)
class Mutation:
    """One change: `old` becomes `new` in a file, at the `nth` place where it stands (0 is the first)."""

    path: str
    old: str
    new: str
    tests: str
    nth: int = 0

    def __str__(self) -> str:
        shown = " ".join(self.old.split())[:70], " ".join(self.new.split())[:70]
        return f"{self.path}: {shown[0]!r} -> {shown[1]!r}"

    def text(self, root: Path) -> str:
        """The file with the change in it. ValueError if there is no such place."""
        parts = (root / self.path).read_text(encoding="utf-8").split(self.old)
        if len(parts) < self.nth + 2:
            raise ValueError(str(self))
        return self.old.join(parts[: self.nth + 1]) + self.new + self.old.join(parts[self.nth + 1 :])


def _listed(path: str, tests: str, *changes: tuple[str, str]) -> list[Mutation]:
    return [Mutation(path, old, new, tests) for old, new in changes]


LISTED = [
    *_listed(
        "tasks/engine.py",
        "tests/test_engine.py",
        ("if dry_run or not pending:", "if not pending:"),
        ("except (ReleaseError, KeyboardInterrupt, OSError) as error:", "except ReleaseError as error:"),
        ("        lost = [str(failure)]", "        lost = []"),
        ("held.close(Status.ABANDONED, None, str(error))", "held.close(Status.CONFIRMED, None, str(error))"),
        ("after = confirm(attempt, was, done)", "after = was"),
        ("if wrong := (*differences(plan_running(goal, now)), *vanished(was, now)):", "if wrong := ():"),
        ("before, keep_going=True)", "before, keep_going=False)"),
        ("attempt.touched or bool(decided.switch or decided.configure)", "False"),
        ("before, now, attempt.unsettled)), *vanished", "before, now)), *vanished"),
    ),
    *_listed(
        "tasks/engine.py",
        "tests/test_rules.py tests/test_adopt.py",
        ("    agree(asked)\n", ""),
    ),
    *_listed(
        "tasks/output/consent.py",
        "tests/test_rules.py",
        ("if not sys.stdin or not sys.stdin.isatty():", "if False:"),
        ('not in ("y", "yes")', 'in ("n", "no")'),
    ),
    *_listed(
        "tasks/release/rules.py",
        "tests/test_rules.py",
        ("if here.confirm else []", "if False else []"),
        ("    found += changed_by_hand(here, before, newest)\n", ""),
        ("elif not left.same(there.state):", "elif False:"),
        ("if removed else []", "if False else []"),
    ),
    *_listed(
        "tasks/release/pruning.py",
        "tests/release/test_pruning.py",
        ("    if stock.unknown or not kept.newest:", "    if not kept.newest:"),
        ("    if stock.unknown or not kept.newest:", "    if stock.unknown:"),
        ("if each.arn not in gone}", "}"),
        ("if each.written < kept.newest]", "]"),
        ("| stock.packages", ""),
        ('        return part["name"] in names[part["folder"]] and', "        return"),
        ("    if stock.shared:", "    if False:"),
        ("if each.version and", "if"),
        ("if each.arn not in staying)", ")"),
        ("and _number(each) < newest", ""),
        ('        kept.append(rollback_target(environment, found, ""))', "        pass"),
        ("    if newest and not newest.closed and newest.what not in PREPARING:", "    if False:"),
        ("    if newest and newest.runs in releases:", "    if False:"),
        ("{item.sha256 for each in before for item in each.canonical.values()}", "set()"),
    ),
    *_listed(
        "tasks/aws/pruning.py",
        "tests/test_prune.py",
        ('FunctionVersion="ALL"', ""),
        ('            return "lambda:GetLayerVersionPolicy', '            return "" and "lambda:GetLayerVersionPolicy'),
        ("if each not in (mine, journal.prefix)]", "if False]"),
        ('return Kept(), "" if missing else str(error)', 'return Kept(), ""'),
        ("        if record is None and closed:", "        if False:"),
        ("    if lost := [", "    if lost := [] and ["),
    ),
    *_listed(
        "tasks/prune.py",
        "tests/test_prune.py",
        ("    wanted = yes and not command.dry", "    wanted = yes"),
        ("Status.CONFIRMED if gone else Status.UNDONE", "Status.CONFIRMED"),
    ),
    *_listed(
        "tasks/engine.py",
        "tests/test_rules.py",
        ("                refuse_unasked(attempt, asked, decided, now)", "                pass"),
        ("if pending and steps.functions else ()", "if False else ()"),
    ),
    *_listed(
        "tasks/release/journal.py",
        "tests/test_rules.py tests/test_adopt.py tests/release/test_journal.py",
        ("if self.emergency and self.status is not Status.UNDONE and", "if self.emergency and"),
        ("and each.runs == each.release != ADOPTED", "and each.runs == each.release"),
    ),
    *_listed(
        "tasks/aws/journal.py",
        "tests/test_rules.py tests/test_adopt.py tests/aws/test_journal.py",
        ("unadopted=emergency)", 'unadopted="")'),
        ("replace(mine, after=newest.after, ", "replace(mine, "),
    ),
    *_listed(
        "tasks/release/promotion.py",
        "tests/test_adopt.py",
        ("    if entry and entry.runs == ADOPTED:", "    if False:"),
    ),
    *_listed(
        "tasks/aws/functions.py",
        "tests/aws/test_functions.py",
        ('        request["RevisionId"] = revision', "        pass"),
        ('"Architectures": [wanted.architecture]', '"Publish": False'),
        ("if not found.state.same(wanted):\n            raise", "if False:\n            raise"),
        ("            if not found.state.same(before):", "            if False:"),
        ("LONGEST_UPDATE = 300.0", "LONGEST_UPDATE = 400.0"),
        ("        if found.failed:", "        if False:"),
        ("error.unsettled = error.unsettled or self.lost", "pass"),
        ('connection.check_account(found.get("FunctionArn", ""))', "pass"),
        ('and found.get("LastUpdateStatus") != "InProgress"', ""),
    ),
    *_listed(
        "tasks/aws/perform.py",
        "tests/aws/test_perform.py",
        ("    if digest != artifact.code_sha256:", "    if False:"),
        ('IfNoneMatch="*", ', ""),
        ('Key=key, IfNoneMatch="*", **connection.owner', 'Key=key, IfNoneMatch="*"'),
        (', "ExpectedSourceBucketOwner": owner}', "}"),
        ('        if code_of(error) != "NoSuchKey":\n            raise', "        pass"),
        ("    if found != sha256:", "    if False:"),
        ('unchanged = {"IfMatch": action.etag}', "unchanged = {}"),
        ("and each.arn not in known", ""),
        ("    if digest != action.sha256:", "    if False:"),
    ),
    *_listed(
        "tasks/aws/observe.py",
        AWS,
        ("Bucket=bucket, Prefix=prefix, **connection.owner", "Bucket=bucket, Prefix=prefix"),
        ('key=lambda item: item["LastModified"], reverse=True', 'key=lambda item: item["LastModified"]'),
        ("if sought and any(version.holds(sought) for version in found):", "if sought:"),
        ("    if not settled:", "    if False:"),
        ('connection.check_account(item["LayerVersionArn"])', "pass"),
    ),
    *_listed(
        "tasks/aws/connection.py",
        "tests/aws",
        ('return address.startswith(f"{address_of(self.endpoint)}/")', "return True"),
        ("if account and account != here.account:", "if False:"),
        ("proxies={}, ", ""),
        ('"config_file": (None, None, os.devnull, None),', ""),
    ),
    *_listed("tasks/aws/invoke.py", "tests/test_invoke.py tests/aws", ("_GRACE = 45", "_GRACE = -2")),
    *_listed(
        "tasks/aws/pace.py",
        "tests/aws/test_pace.py",
        ("min(self.rate, self._most) / 2", "min(self.rate, self._most)"),
        ("RATE = 13.0", "RATE = 16.0"),
        ("if refused and self._clock.now() - self._slowed < _WINDOW:", "if False:"),
        ("_WINDOW = 1.05", "_WINDOW = 0.9"),
        ("self.reads = _READS if refused else self.reads", "pass"),
    ),
    *_listed(
        "tasks/release/plan.py",
        RELEASE,
        ("    refuse_other_bytes(goal, deployed)\n", ""),
        ("    refuse_hidden(goal.release)\n", ""),
        (
            "deployed.objects.get(artifact.key, artifact.sha256)",
            "deployed.objects.get(artifact.key) or artifact.sha256",
        ),
        ("if deployed.record is None:", "if True:"),
        ("    if wanted and goal.delete:", "    if goal.delete:"),
        ("there.revision, forced=bool(there.failed)", "'', forced=bool(there.failed)"),
    ),
    *_listed(
        "tasks/release/undo.py",
        RELEASE,
        ("or found.failed or function in forced", "or found.failed"),
        ("found.failed or function in forced", "function in forced"),
        ("if touched else replace(there.state, package=found.state.package)", ""),
    ),
    *_listed(
        "tasks/release/release.py",
        RELEASE,
        ('lines = [f"{artifact} {artifact.tree}"', 'lines = [f"{artifact}"'),
        ("{setting.runtime} {setting.handler}", "{setting.runtime}"),
        ("if not release.artifacts or release.key != key:", "if not release.artifacts:"),
        ("    if schema == 1:", "    if False:"),
    ),
    *_listed(
        "tasks/release/limits.py",
        RELEASE,
        ("if len(after.layers) > MAX_LAYERS:", "if len(after.layers) >= MAX_LAYERS:"),
        ("if sum(sizes.values()) + code > MAX_UNZIPPED:", "if sum(sizes.values()) + code >= MAX_UNZIPPED:"),
        ("if after.runtime not in part.runtimes or", "if"),
    ),
    *_listed("tasks/release/codec.py", RELEASE, ("schema > SCHEMA", "schema > 99")),
    *_listed(
        "tasks/release/promotion.py",
        RELEASE,
        ("    if origin.name != to.previous:", "    if False:"),
        ("if deployed.objects[artifact.key] != artifact.sha256:", "if False:"),
        ("if deployed.digests[arn] != layer.sha256:", "if False:"),
        ("for layer in record.layers} and packages <= {True}", "for layer in record.layers}"),
    ),
    *_listed(
        "tasks/archives/recipes.py",
        ARCHIVES,
        ("made_for = [*runtimes, project.architecture]", "made_for = [project.architecture]"),
        (
            "key = _key(lines, runtimes, project.architecture, builders)",
            "key = _key(lines, project.architecture, builders)",
        ),
        ("_key(lines, runtimes, project.architecture, builders)", "_key(lines, runtimes, builders)"),
        (
            "key = _key(lines, runtimes, project.architecture, builders)",
            "key = _key(lines, runtimes, project.architecture)",
        ),
        ("elif sdists and not wheels:", "elif sdists:"),
    ),
    *_listed(
        "tasks/archives/together.py",
        ARCHIVES,
        ("[(each.artifact.sha256, each.artifact.handler) for each in packages],", ""),
    ),
    *_listed(
        "tasks/archives/manifest.py",
        ARCHIVES,
        (r'r"-(\d+\.\d+\.\d+|[0-9a-f]{16})\.(zip|cdx\.json)"', 'r"-.*"'),
        ("if file_sha256(path) != entry.artifact.sha256:", "if False:"),
    ),
    *_listed("tasks/archives/wheels.py", ARCHIVES, ("-min(places)", "-max(places)")),
    *_listed(
        "tasks/archives/checks.py",
        ARCHIVES,
        ("mode & _READABLE != _READABLE", "False"),
        ("if needed > runtime.glibc:", "if False:"),
    ),
    *_listed("tasks/archives/downloads.py", ARCHIVES, ("_ATTEMPTS = 3", "_ATTEMPTS = 1")),
    *_listed("tasks/archives/workshop.py", ARCHIVES, ("if budget and size > budget * _MEGABYTE:", "if False:")),
    *_listed(
        "tasks/project/release_toml.py",
        "tests/project",
        ("    if head.architecture not in ARCHITECTURES:", "    if False:"),
    ),
    # the twelve rules of the journal, each with what takes it out
    *_listed(
        "tasks/aws/journal.py",
        PROTOCOL,
        ('etag = self.put(entry, IfNoneMatch="*")', "etag = self.put(entry)"),  # 1
        ("wanted = replace(change(self.entry), counter=self.entry.counter + 1)", "wanted = change(self.entry)"),  # 2
        ("if seen is None or seen.entry.who.nonce != self.me.nonce:", "if seen is None:"),  # 2
        ("        self.entry = replace(self.entry, counter=seen.entry.counter)", "        return True"),  # 3
        ("        if self._succeeded > asked:", "        if self._succeeded:"),  # 4
        ("            before = seen.entry.before if seen and taken_over else None", "            before = None"),  # 5
        ("if seen and stands is Standing.STALE and not self._abandon(seen):", "if False:"),  # 5
        ("            if seen.entry.status is wanted.status:", "            if True:"),  # 11
    ),
    *_listed(
        "tasks/aws/functions.py",
        PROTOCOL,
        ("            self.allowed()\n            refused", "            refused"),  # 4
        ('{"FunctionName": name}, there.revision)', '{"FunctionName": name}, "")'),  # 6
        ("if found and found.revision == there.revision:", "if False:"),  # 6
        ("self.lost = self.lost or (refused is not None and is_lost(refused))", "self.lost = False"),  # 9
    ),
    *_listed(
        "tasks/engine.py",
        PROTOCOL,
        ("        results([partial(reach.fence, function, held.renew) for function in dict.fromkeys(there)])", ""),  # 6
        ("        held.note(was)\n", ""),  # 7
        ("        if inherited:\n", "        if False:\n"),  # 8
        ("        if not lost:\n", "        if True:\n"),  # 10
        (
            "        except TakenError:\n            raise\n        except EndedAtOnceError",
            "        except EndedAtOnceError",
        ),  # 11
    ),
    *_listed(
        "tasks/release/journal.py",
        PROTOCOL,
        ("age > TERM + _WHOLE_SECONDS", "age > -1"),
        (
            "if entry.status is Status.ABANDONED:\n        return Standing.ABANDONED",
            "if entry.status is Status.ABANDONED:\n        return Standing.FREE",
        ),  # 5
        (
            "return entry is not None and not entry.unfinished and entry.runs",
            "return entry is not None and entry.runs",
        ),  # 12
    ),
    *_listed(
        "tasks/sandbox/keys.py",
        "tests/sandbox/test_keys.py",
        ("        check_host(", "        ("),
        ("        if not credential:", "        if False:"),
        ('if not _same(self._signature(scope, text), signed.get("Signature", "")):', "if False:"),
        ("and stated != found:", "and False:"),
        ("return _HOST.fullmatch(host) is not None and", "return"),
    ),
    *_listed(
        "tasks/sandbox/runtime.py",
        "tests/sandbox/test_keys.py",
        ("                if not self.is_ours():\n", "                if False:\n"),
    ),
    *_listed(
        "tasks/aws/reach.py",
        "tests/test_deploy.py",
        ('self._asked["caller"] = check_caller(self.connection)', 'self._asked["caller"] = ""'),
    ),
    *_listed(
        "tasks/invoke.py",
        "tests/test_deploy.py",
        ("    there.check_caller()\n    engine", "    engine"),
        ("    there.check_caller()\n    invocation", "    invocation"),
    ),
    *_listed(
        "tasks/archives/secrets.py",
        "tests/archives/test_sources.py tests/archives/test_checks.py",
        ("if is_secret(name) and name not in allowed:", "if False:"),
        ("if not _IN_DOCUMENTATION.search(found[0]) and name not in allowed:", "if False:"),
        ("if not _IN_DOCUMENTATION.search(found[0]) and", "if"),
    ),
    *_listed(
        "tasks/project/cache.py",
        "tests/project/test_cache.py",
        ("if folder.is_symlink() or not folder.is_dir():", "if not folder.is_dir():"),
        ("            ours = re.fullmatch(form, path.name.removeprefix(_GONE)) and", "            ours = True or"),
        (" and path.is_dir() == (kind in _FOLDERS)", ""),
        ("            if ours and not path.is_symlink():", "            if ours:"),
        ("            if total > goal and each.last_used() < now - _DAY:", "            if total > goal:"),
        ("    goal = most if total <= most else most * 4 // 5", "    goal = most"),
    ),
    *_listed(
        "tasks/archives/known.py",
        "tests/archives/test_known.py",
        (
            "    return hashlib.sha256(repr((name, sha256, conditions))",
            "    return hashlib.sha256(repr((name, sha256))",
        ),
        ("-{sys.version_info.minor}-{_rules()}.json", "-{sys.version_info.minor}-0.json"),
    ),
    *_listed(
        "tasks/archives/sources.py",
        "tests/archives/test_known.py tests/archives/test_sources.py",
        ('            if f"{source}/{name}" not in allowed:\n', "            if True:\n"),
    ),
    *_listed(
        "tasks/archives/archive.py",
        "tests/archives/test_archive.py",
        ("    if length != member.length or (member.method == STORED and crc != member.crc):", "    if False:"),
        (" or (member.method == STORED and crc != member.crc):", ":"),
    ),
    *_listed(
        "tasks/release/policy.py",
        "tests/release/test_policy.py",
        ('                "lambda:ListAliases",\n', ""),
        ('["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], here["objects"])', '["s3:GetObject"], here["objects"])'),
        ("    if len(names) > _MOST_NAMED:", "    if False:"),
    ),
    *_listed(
        "tasks/aws/checkup.py",
        "tests/test_doctor.py",
        ("    if all(found.get(each) for each in _BLOCKED):", "    if True:"),
        ('        if rule.get("Status") != "Enabled" or not hit:', "        if True:"),
        ('chosen = {**chosen, **chosen.get("And", {})}', "chosen = {**chosen}"),
        ("        if error.aws_code in DENIED:", "        if False:"),
        ("        if found.state.runtime != wanted.runtime:", "        if False:"),
    ),
    *_listed(
        "tasks/output/report.py",
        "tests/output/test_report.py",
        ("autoescape=True", "autoescape=False"),
    ),
    *_listed(
        "tasks/init.py",
        "tests/test_init.py",
        ("            _put_back(root / done, before[done])", "            pass"),
        ("    if git and git.changed:", "    if False:"),
    ),
    *_listed(
        "tasks/archives/workshop.py",
        "tests/archives/test_workshop.py",
        ("        whole = file_sha256(archive) == artifact.sha256", "        whole = True"),
        ("            whole = (artifact.tree, artifact.sha256) == (", "            whole = True or ("),
        ("    known.sound.update(keys.values())\n", ""),
        ("    conditions = [runtime.name for runtime in runtimes], project", "    conditions = [], project"),
        ("    with alone(checkout.workspace.build):\n        return", "    if True:\n        return"),
    ),
    *_listed(
        "tasks/release/plan.py",
        RELEASE,
        ("        elif name not in deployed.ours:", "        else:"),
        ("        if layer.name not in goal.environment.layer_names:", "        if False:"),
        ("deployed.trees[artifact.key] != artifact.tree:", "False:"),
    ),
    *_listed(
        "tasks/release/findings.py",
        "tests/test_verify.py",
        ("if entry and not is_as_written(entry, number):", "if False:"),
        ("        if newer - older > 1:", "        if False:"),
        ("(wanted and evidence.objects[key] == wanted)", "wanted"),
        ("    elif found != wanted.package:", "    elif False:"),
        ("if hidden := hidden_modules(there.modules, record.layers if record else ()):", "if hidden := ():"),
        ("        elif there.sha256 != wanted[key]:", "        elif False:"),
        ('        if ("function", name) in evidence.unread:', "        if False:"),
        ("        if variable not in (facts.variables or ()):", "        if False:"),
        ("        if (alias.layers, alias.package) != (there.state.arns, there.state.package):", "        if False:"),
    ),
    *_listed(
        "tasks/release/rules.py",
        "tests/test_rules.py",
        ("    if problem and not rehearsal and not emergency:", "    if False:"),
        ("    if not environment.previous:", "    if True:"),
        ('and not commit.endswith("-dirty"):', "and True:"),
    ),
    *_listed("tasks/project/command.py", "tests/test_dry.py", ("if changes and c.config.run.dry:", "if False:")),
]

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
    "tasks/release/codec.py: '1' -> '2'": "what is no object at all is refused anyhow",
}
"""Drawn mutations that no test can notice, by a part of their line, and why."""


def drawn(count: int) -> list[Mutation]:
    """So many mutations of the rooms, drawn by operator: those of the lowest digests, whatever else is edited."""
    found = [each for place, tests in ROOMS.items() for path in _files(place) for each in _mutations(path, tests)]
    return sorted(found, key=lambda each: sha256(f"{SEED} {each.path} {each.old} {each.nth}".encode()).digest())[:count]


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
            nth = raw[:begin].decode().count(old)
            yield Mutation(shown, old, new, tests, nth)


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
        (root / mutation.path).write_text(mutation.text(root), encoding="utf-8")
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
    return next((why for part, why in HARMLESS.items() if part in str(mutation)), "")


def main() -> None:
    """Both counts, and an exit status of 1 if the list has a survivor or too many of those drawn have."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only mutations whose line contains one of these")
    parser.add_argument("--drawn", type=int, default=100, help="how many to draw by operator (100)")
    asked = parser.parse_args()
    chosen = [each for each in LISTED if not asked.words or any(word in str(each) for word in asked.words)]
    unexplained = report("listed", chosen)
    if not asked.words and asked.drawn:
        unexplained += report("drawn by operator", drawn(asked.drawn))
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
