"""The page: what it says, that it says it safely, and that a browser shows it."""

import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from invoke import Config, Context

from tasks import report as verb
from tasks.output.report import Page, Section, Sized, render
from tasks.release.contents import Contents, Distribution
from tasks.release.doubts import Finding
from tasks.release.journal import Entry, Who
from tasks.release.journal import Status as Outcome
from tasks.release.status import Mark, Row, Status
from tests.conftest import After
from tests.output.test_documents import release_twice

pytestmark = pytest.mark.whole

EVIL = "<script>alert('x')</script>&\"'"
ENTRY = Entry(
    number=3, what="deploy", release="releases/a.json", version="core 1.2.4", commit="abc1234", who=Who(user="anne"),
    begun="2026-11-21 10:00:00 UTC", status=Outcome.CONFIRMED,
)  # fmt: skip
STATUS = Status("dev", Mark.OK, ENTRY, (Row("news-ingest-dev", Mark.OK, "python3.12", "core 1.2.4", "abcd1234"),))
LAYER = Sized("core", Contents({"python/core/a.py": ("0" * 64, 2_000_000)}, (), 1_500_000), 5, 0)


def page(*sections: Section, layers: tuple[Sized, ...] = (LAYER,)) -> str:
    return render(Page("news", "2026-11-21 10:00:00 UTC", sections or (Section(STATUS, [ENTRY]),), layers))


def text_of(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def test_every_part_is_there_with_what_is_known() -> None:
    html = page(Section(STATUS, [ENTRY], [Finding("news-x: unlike", "run: inv deploy")], ["+ canonical/a.yaml"]))
    said = text_of(html)
    for part in ("dev ok", "core 1.2.4", "news-ingest-dev", "by anne", "news-x: unlike", "run: inv deploy"):
        assert part in said
    assert "What comes next in dev + canonical/a.yaml" in said
    assert "1.50 MB packed of 5 MB (30 %)" in said
    assert all(f'id="{name}"' in html for name in ("environments", "findings", "journal", "layers"))


def test_entries_of_all_environments_are_one_timeline() -> None:
    later = replace(ENTRY, begun="2026-11-22 10:00:00 UTC", version="core 1.2.5")
    said = text_of(page(Section(STATUS, [ENTRY]), Section(replace(STATUS, name="stage"), [later])))
    assert said.index("stage deploy core 1.2.5") < said.index("dev deploy core 1.2.4")


def test_what_cannot_be_read_says_why() -> None:
    assert "no permission" in text_of(page(Section(Status("prod", Mark.MISSING, why=("no permission",)))))


def test_nothing_that_comes_from_elsewhere_is_markup() -> None:
    entry = replace(ENTRY, version=EVIL, commit=EVIL, who=Who(user=EVIL), reason=EVIL, emergency=EVIL, what=EVIL)
    status = Status(EVIL, Mark.DRIFTED, entry, (Row(EVIL, Mark.MIXED, EVIL, EVIL, EVIL),), (EVIL,))
    contents = Contents({f"python/{EVIL}/a.py": ("0", 1)}, (Distribution(EVIL, EVIL, EVIL),), 1)
    section = Section(status, [entry], [Finding(EVIL, EVIL)], [EVIL])
    html = render(Page(EVIL, EVIL, [section], [Sized(EVIL, contents)]))
    assert "<script" not in html
    assert html.count("alert(") == html.count("&lt;script&gt;alert(&#39;x&#39;)")


def test_the_page_needs_nothing_else() -> None:
    html = page()
    assert re.findall(r"(?:src|href)=[\"'](?!#)", html) == []
    assert "default-src 'none'" in html
    assert "@import" not in html
    assert "url(" not in html


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", ["text", "faint", "good", "open", "bad", "added", "removed"])
def test_every_text_can_be_told_from_its_ground(name: str, place: int) -> None:
    colours = [dict(re.findall(r"--(\w+): (#\w{6});", each)) for each in re.findall(r":root {([^}]*)}", page())]
    for ground in ("page", "card"):
        assert contrast(colours[place][name], colours[place][ground]) >= 4.5


@pytest.fixture
def written(after: After, tmp_path: Path) -> Path:
    """The page of the example project after two deployments and a promotion."""
    site = after(release_twice)
    path = tmp_path / "report.html"
    settings = {"sandbox_endpoint": site.endpoint, "root": str(site.root)}
    verb.report(Context(Config(overrides=settings)), to=str(path))
    return path


def test_the_command_writes_what_status_and_history_say(written: Path) -> None:
    said = text_of(written.read_text(encoding="utf-8"))
    assert "dev ok core 1.2.5, deps 1.0.5" in said
    assert "stage behind core 1.2.4, deps 1.0.5" in said
    assert "prod nothing deployed" in said
    assert "~ news-ingest-stage: core 1.2.4, deps 1.0.5 -> core 1.2.5, deps 1.0.5" in said
    assert "Nothing was found." in said


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.long
@pytest.mark.skipif(not BROWSER, reason="no Chromium here; on Debian: apt install chromium")
@pytest.mark.parametrize("size", ["1300,1600", "400,1600"])
def test_a_browser_shows_it_without_a_complaint_or_a_request(written: Path, size: str, tmp_path: Path) -> None:
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND", f"--window-size={size}"]
    shown = subprocess.run(
        [*command, f"--screenshot={tmp_path / 'page.png'}", "--dump-dom", written.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert [line for line in shown.stderr.splitlines() if "CONSOLE" in line or "net_error" in line] == []
    assert all(f'id="{name}"' in shown.stdout for name in ("environments", "findings", "journal", "layers"))


def test_nothing_on_the_page_reads_otherwise_than_it_is() -> None:
    html = page(Section(STATUS, [replace(ENTRY, who=Who(user="anna\u202e\x1b"))]))
    assert "anna\\u202e\\x1b" in html
    assert "\u202e" not in html
