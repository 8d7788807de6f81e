"""Prints what is in an archive, and how two differ."""

from tasks.output.console import say
from tasks.release.contents import Contents, Difference


def say_contents(name: str, contents: Contents, *, files: bool) -> None:
    """Print what is in an archive."""
    say(f"[INFO] {name}: {len(contents.files)} files, {contents.size:,} bytes, {contents.unzipped:,} unpacked")
    for each in contents.distributions:
        made_for = f" ({', '.join(each.runtimes)} each)" if each.runtimes else ""
        say(f"   {each.name} {each.version}  {each.licence or 'licence not stated'}{made_for}")
    say("", "   Unpacked bytes by package:")
    say(*(f"      {size:>12,}  {package}" for package, size in contents.packages.items()), "")
    if files:
        say(*(f"   {size:>12,}  {file}" for file, (_, size) in sorted(contents.files.items())), "")


def say_difference(title: str, difference: Difference) -> None:
    """Print how two archives differ."""
    if difference.empty:
        say(f"[OK] {title}: the same files", "")
        return
    say(f"[INFO] {title}: {difference.size:+,} bytes, {difference.unzipped:+,} unpacked")
    for sign, packages, files in [
        ("+", difference.added, difference.files_added),
        ("-", difference.removed, difference.files_removed),
        ("~", difference.changed, difference.files_changed),
    ]:
        lines = [*(f"   {sign} {package}" for package in packages), *(f"      {sign} {file}" for file in files)]
        if lines:
            say(*lines)
    say()
