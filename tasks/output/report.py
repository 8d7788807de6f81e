"""One page of what status, verify, history, show and compare say: a file that needs no network and no script.

Everything that comes from elsewhere is escaped. The page reads on a phone, on paper, in the dark and aloud.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from tasks.release.contents import Contents
from tasks.release.findings import Finding
from tasks.release.journal import Entry, entry_changes
from tasks.release.status import Mark, Status

_MEGABYTE = 1_000_000
_CLASSES = {Mark.OK: "good", Mark.BEHIND: "open", Mark.MISSING: "open"}
_OUTCOMES = {"confirmed": "good", "open": "open"}


@dataclass(frozen=True)
class Section:
    """What is known of an environment: journal entries newest first, findings, what a promotion would change there.

    `unread` says why nothing more is known.
    """

    status: Status
    entries: Sequence[Entry] = ()
    findings: Sequence[Finding] = ()
    coming: Sequence[str] = ()
    unread: str = ""


@dataclass(frozen=True)
class Sized:
    """A layer as it is built: what is in it, and its budgets in megabytes (0 for none)."""

    name: str
    contents: Contents
    max_zipped_mb: int = 0
    max_unzipped_mb: int = 0


@dataclass(frozen=True)
class Page:
    """Everything that the page shows."""

    project: str
    made: str
    sections: Sequence[Section]
    layers: Sequence[Sized] = field(default_factory=tuple)


def render(page: Page) -> str:
    """The page, as HTML."""
    parts = [
        _environments(page.sections),
        *(_coming(each) for each in page.sections if each.coming),
        _findings(page.sections),
        _journals(page.sections),
        _layers(page.layers),
    ]
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in _PARTS)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_text(page.project)}: releases</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#environments">To the environments</a>\n<header><h1>{_text(page.project)}</h1>'
        f'<p>What runs where, as of {_text(page.made)}</p><nav aria-label="On this page"><ul>{links}</ul></nav>'
        "</header>\n"
        f"<main>\n{''.join(parts)}</main>\n</body>\n</html>\n"
    )


_PARTS = (
    ("environments", "Environments"),
    ("findings", "Findings"),
    ("journal", "Journal"),
    ("layers", "Layers"),
)


def _text(value: object) -> str:
    return escape(str(value))


def _environments(sections: Iterable[Section]) -> str:
    cards = "".join(_card(each) for each in sections)
    return f'<section id="environments"><h2>Environments</h2><div class="cards">{cards}</div></section>\n'


def _card(section: Section) -> str:
    """One environment: its release and its functions."""
    status, entry = section.status, section.status.entry
    mark = f'<strong class="mark {_CLASSES.get(status.mark, "bad")}">{_text(status.mark.value)}</strong>'
    facts = ""
    if entry:
        facts = (
            f'<p>{_text(entry.version)}</p><p class="small">entry {entry.number} ({_text(entry.what)}), '
            f"<time>{_text(entry.begun)}</time>, by {_text(entry.who)}, commit <code>{_text(entry.commit)}</code></p>"
        )
    rows = "".join(
        f'<li>{_text(row.name)} <span class="mark {_CLASSES.get(row.mark, "bad")}">{_text(row.mark.value)}</span><br>'
        f'<span class="small">{_text(row.runtime)}, {_text(row.layers)}, package <code>{_text(row.package)}</code>'
        "</span></li>"
        for row in status.rows
    )
    functions = f'<ul class="functions" aria-label="Functions">{rows}</ul>' if rows else ""
    why = _list([*status.why, *([section.unread] if section.unread else [])])
    return f"<article><h3>{_text(status.name)} {mark}</h3>{facts}{functions}{why}</article>"


def _coming(section: Section) -> str:
    """What a promotion would change."""
    name = _text(section.status.name)
    return f'<section><h2>What comes next in {name}</h2><ul class="changes">{_signed(section.coming)}</ul></section>\n'


def _signed(lines: Iterable[str]) -> str:
    """Changes, each with its sign as a class, too."""
    kinds = {"+": "added", "-": "removed", "~": "changed"}
    return "".join(f'<li class="{kinds.get(line.strip()[:1], "changed")}">{_text(line.strip())}</li>' for line in lines)


def _findings(sections: Iterable[Section]) -> str:
    rows = [
        (each.status.name, "not known" if found.unknown else "wrong", found.text, found.remedy)
        for each in sections
        for found in each.findings
    ]
    body = _table(("Environment", "", "What", "What to do"), rows) if rows else "<p>Nothing was found.</p>"
    return f'<section id="findings"><h2>Findings</h2>{body}</section>\n'


def _journals(sections: Iterable[Section]) -> str:
    """All entries of all environments as one timeline, newest first."""
    entries = [(entry, section.status.name) for section in sections for entry in section.entries]
    entries.sort(key=lambda each: each[0].begun, reverse=True)
    items = "".join(_event(entry, name) for entry, name in entries) or "<li>Nothing was deployed yet.</li>"
    return f'<section id="journal"><h2>Journal</h2><ol class="timeline">{items}</ol></section>\n'


def _event(entry: Entry, environment: str) -> str:
    outcome = entry.status.value
    emergency = f"<p><strong>Emergency:</strong> {_text(entry.emergency)}</p>" if entry.emergency else ""
    reason = f"<p>{_text(entry.reason)}</p>" if entry.reason else ""
    changes = entry_changes(entry)
    more = f"<details><summary>{len(changes)} changes</summary>{_list(changes)}</details>" if changes else ""
    return (
        f'<li class="{_OUTCOMES.get(outcome, "bad")}"><p><time>{_text(entry.begun)}</time> <strong>{_text(environment)}'
        f"</strong> {_text(entry.what)} {_text(entry.version)} "
        f'<span class="mark {_OUTCOMES.get(outcome, "bad")}">{_text(outcome)}</span></p>'
        f'<p class="small">by {_text(entry.who)}, commit <code>{_text(entry.commit)}</code></p>'
        f"{emergency}{reason}{more}</li>"
    )


def _layers(layers: Iterable[Sized]) -> str:
    body = "".join(_layer(each) for each in layers) or "<p>Nothing is built here; run: <code>inv build</code></p>"
    return f'<section id="layers"><h2>Layers, as built here</h2>{body}</section>\n'


def _layer(sized: Sized) -> str:
    """One layer: sizes beside budgets, packages as bars, licences."""
    contents = sized.contents
    budgets = [
        _budget("packed", contents.size, sized.max_zipped_mb),
        _budget("unpacked", contents.unzipped, sized.max_unzipped_mb),
    ]
    largest = max(contents.packages.values(), default=1)
    bars = "".join(
        f'<tr><th scope="row">{_text(name)}</th><td><meter min="0" max="{largest}" value="{size}">{size}</meter></td>'
        f'<td class="number">{size / _MEGABYTE:.2f} MB</td></tr>'
        for name, size in [*contents.packages.items()][:_MOST]
    )
    left = len(contents.packages) - _MOST
    more = f'<p class="small">and {left} smaller ones</p>' if left > 0 else ""
    rows = [
        (each.name, each.version, each.licence, ", ".join(each.runtimes) or "all") for each in contents.distributions
    ]
    licences = _table(("Distribution", "Version", "Licence", "Runtimes"), rows) if rows else ""
    head = '<thead><tr><th scope="col">Package</th><th scope="col">Share</th><th scope="col">Unpacked</th></tr></thead>'
    return (
        f"<article><h3>{_text(sized.name)}</h3><p>{'; '.join(budgets)}</p>"
        f'<div class="wide"><table>{head}<tbody>{bars}</tbody></table></div>{more}{licences}</article>'
    )


_MOST = 15


def _budget(what: str, size: int, most: int) -> str:
    share = f" of {most} MB ({100 * size / (most * _MEGABYTE):.0f} %)" if most else ""
    return f"{size / _MEGABYTE:.2f} MB {what}{share}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls sideways by itself where it is too wide."""
    top = "".join(f'<th scope="col">{_text(each)}</th>' for each in head)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


_COLOURS: Mapping[str, tuple[str, str]] = {
    "page": ("#ffffff", "#15181c"),
    "card": ("#f4f6f8", "#20252b"),
    "text": ("#1b1f24", "#e6e9ec"),
    "faint": ("#586069", "#a5adb6"),
    "line": ("#d0d7de", "#3a424b"),
    "good": ("#116329", "#6fdd8b"),
    "open": ("#0a4f9e", "#79b8ff"),
    "bad": ("#b31d28", "#ff9492"),
    "added": ("#116329", "#6fdd8b"),
    "removed": ("#b31d28", "#ff9492"),
}
"""Name -> colour in the light and in the dark; each pair of text and ground has a contrast of 4.5 or more."""


def _variables(place: int) -> str:
    return "".join(f"--{name}:{values[place]};" for name, values in _COLOURS.items())


_STYLE = f"""
:root{{{_variables(0)}}}
@media (prefers-color-scheme: dark){{:root{{{_variables(1)}}}}}
*{{box-sizing:border-box}}
body{{margin:0 auto;max-width:72rem;padding:1rem;background:var(--page);color:var(--text);
font:1rem/1.5 system-ui,sans-serif}}
h1{{margin:.5rem 0}}h2{{margin-top:2.5rem}}h3{{margin:.25rem 0}}
a{{color:var(--open)}}code{{font-family:ui-monospace,monospace;overflow-wrap:anywhere}}
.skip{{position:absolute;left:-100rem}}.skip:focus{{left:1rem}}
nav ul{{display:flex;flex-wrap:wrap;gap:1rem;padding:0;list-style:none}}
.cards{{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr))}}
article{{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;
margin-bottom:1rem;min-width:0}}
p,li{{overflow-wrap:anywhere}}.small{{color:var(--faint);font-size:.875rem}}
.wide{{overflow-x:auto}}table{{border-collapse:collapse;width:100%;font-size:.875rem}}
th,td{{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}}
td.number{{text-align:right;white-space:nowrap}}meter{{width:100%;min-width:5rem}}
.mark{{font-size:.875rem;font-weight:600}}.good .mark,.mark.good{{color:var(--good)}}
.mark.open{{color:var(--open)}}.mark.bad{{color:var(--bad)}}
.changes,.timeline,.functions{{padding-left:0;list-style:none}}.functions li{{margin-bottom:.5rem}}
.changes li{{font-family:ui-monospace,monospace;font-size:.875rem}}
.added{{color:var(--added)}}.removed{{color:var(--removed)}}
.timeline li{{border-left:.25rem solid var(--line);padding:.1rem 0 .1rem 1rem;margin-bottom:.75rem}}
.timeline>li.good{{border-color:var(--good)}}.timeline>li.bad{{border-color:var(--bad)}}
.timeline>li.open{{border-color:var(--open)}}
.timeline p{{margin:.1rem 0}}summary{{cursor:pointer}}:focus-visible{{outline:.2rem solid var(--open)}}
@media print{{body{{max-width:none}}nav,.skip{{display:none}}article,li{{break-inside:avoid}}
details>*{{display:block}}}}
"""
