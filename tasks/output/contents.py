"""Prints what is in an archive, and how two differ."""

from collections.abc import Sequence

from tasks.errors import one_line
from tasks.output.lines import say
from tasks.release.contents import Contents, Difference

_MOST_FILES = 20


def say_contents(name: str, contents: Contents, *, files: bool) -> None:
    """Print what is in an archive."""
    say(f"[INFO] {name}: {len(contents.files)} files, {contents.size:,} bytes, {contents.unzipped:,} unpacked")
    for each in contents.distributions:
        made_for = f" ({', '.join(each.runtimes)} each)" if each.runtimes else ""
        say(one_line(f"   {each.name} {each.version}  {each.licence or 'licence not stated'}{made_for}"))
    say("", "   Unpacked bytes by package:")
    say(*(one_line(f"      {size:>12,}  {package}") for package, size in contents.packages.items()), "")
    if files:
        say(*(one_line(f"   {size:>12,}  {file}") for file, (_, size) in sorted(contents.files.items())), "")


def say_uses(lines: Sequence[str]) -> None:
    """Print who uses what was shown."""
    if lines:
        more = [f"      ... and {len(lines) - _MOST_FILES} more"] if len(lines) > _MOST_FILES else []
        say("   Used by:", *(f"      {line}" for line in lines[:_MOST_FILES]), *more, "")


def say_mixed(lines: Sequence[str]) -> None:
    """Print that the functions of an environment do not run the same layers, and what each runs."""
    say(f"[ERROR] {lines[0]}", *(f"   {line}" for line in lines[1:]), "")


def say_environments(before: str, after: str, lines: Sequence[str]) -> None:
    """Print how two environments differ besides their layers."""
    if not lines:
        say(f"[OK] {before} -> {after}: the same functions and configuration", "")
        return
    say(f"[INFO] {before} -> {after}: functions and configuration", *(f"   {line}" for line in lines), "")


def say_difference(title: str, difference: Difference, *, files: bool = True) -> None:
    """Print how two archives differ: all files, or twenty of them."""
    if difference.empty:
        say(f"[OK] {title}: the same files", "")
        return
    say(f"[INFO] {title}: {difference.size:+,} bytes, {difference.unzipped:+,} unpacked")
    for sign, packages, changed in [
        ("+", difference.added, difference.files_added),
        ("-", difference.removed, difference.files_removed),
        ("~", difference.changed, difference.files_changed),
    ]:
        some = changed if files else changed[:_MOST_FILES]
        lines = [*(f"   {sign} {package}" for package in packages), *(f"      {sign} {file}" for file in some)]
        if lines:
            say(*map(one_line, lines))
        if len(changed) > len(some):
            say(f"      {sign} ... and {len(changed) - len(some)} more; --files lists them")
    say()
