"""The cargo: the library that the first layer carries, on the configuration that travels with it."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vectora_core import ingest, newsletter, normalization
from vectora_core.ingest.deduplicate import canonical_url, deduplicate
from vectora_core.ingest.feeds import parse_feed
from vectora_core.ingest.pages import parse_page
from vectora_core.newsletter.render import to_html, to_markdown
from vectora_core.newsletter.select import select
from vectora_core.normalization.matching import Matcher
from vectora_core.normalization.scoring import score
from vectora_core.shared.config import load_client
from vectora_core.shared.items import Item

ROOT = Path(__file__).parent.parent.parent
CLIENT = "lai_weekly_v7"


class Folder:
    """A store in memory, whose configuration is this repository's canonical folder."""

    def __init__(self) -> None:
        self.written: dict[tuple[str, str], bytes] = {}

    def read(self, bucket: str, key: str) -> bytes:
        return (ROOT / key).read_bytes() if bucket == "config" else self.written[bucket, key]

    def write(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        assert content_type
        self.written[bucket, key] = body


def item(title: str = "News", **facts: Any) -> Item:
    return Item(title=title, url=f"https://x.example/{title}", source="wire", **facts)


def test_the_three_steps_make_a_newsletter_of_the_samples() -> None:
    store = Folder()
    assert ingest.run(store, CLIENT) == {"items": 5, "duplicates": 1, "failed_sources": {}}
    assert normalization.run(store, CLIENT) == {"items": 5, "matched": 2}
    assert newsletter.run(store, CLIENT) == {"selected": 2, "of": 5, "key": "lai_weekly_v7/newsletter.md"}
    text = store.written["newsletters", "lai_weekly_v7/newsletter.md"].decode()
    assert "## [Teva files its long-acting injectable for schizophrenia]" in text
    assert "Nanexa starts a malaria depot study" in text
    assert "hiring" not in text


def test_a_source_that_fails_is_reported_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(_url: str) -> bytes:
        raise OSError("no network")

    monkeypatch.setattr(ingest, "fetch", no_network)
    assert [len(ingest.read_source(Folder(), {"name": "a", "key": "canonical/samples/wire.xml"}))] == [4]
    with pytest.raises(OSError, match="no network"):
        ingest.read_source(Folder(), {"name": "b", "url": "https://x.example"})


def test_atom_is_read_as_well_as_rss() -> None:
    atom = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A &amp;amp; B</title>'
        b'<link href="https://x.example/1"/><updated>2026-02-03T23:30:00-02:00</updated></entry></feed>'
    )
    assert parse_feed(atom, "s") == [Item("A & B", "https://x.example/1", "s", "2026-02-04")]


def test_what_is_no_feed_is_refused() -> None:
    with pytest.raises(ValueError, match="not a feed"):
        parse_feed(b"<html><p>sorry", "s")


def test_a_page_gives_items_with_whole_addresses() -> None:
    html = b'<article><a href="/a">One</a><time datetime="2026-02-03T10:00">x</time><p>Why</p></article>'
    found = parse_page(html, {"name": "s", "url": "https://x.example/news/"})
    assert found == [Item("One", "https://x.example/a", "s", "2026-02-03", "Why")]


def test_one_address_or_one_title_is_one_piece_of_news() -> None:
    first, same_title = item("Big News!"), Item("big news", "https://y.example/other", "b")
    same_url = Item("Other words", "http://www.X.example/Big News!?utm=1", "c")
    assert deduplicate([first, same_title, same_url, item("More")]) == [first, item("More")]
    assert canonical_url("https://www.A.example/p/?q=1#f") == "//a.example/p"


def test_terms_match_as_whole_words_without_case_and_accents() -> None:
    matcher = Matcher({"indications": {"schizophrenia": ["schizophrenia", "Schizophr\u00e9nie"]}, "none": {}})
    assert matcher.match("La SCHIZOPHRENIE recule") == {"indications": ["schizophrenia"]}
    assert matcher.match("schizophrenialike") == {}


def test_naming_two_kinds_of_things_is_worth_more_and_an_exclusion_nothing() -> None:
    weights = {"companies": 3.0, "technologies": 4.0}
    assert score(item(matches={"companies": ["A", "B"]}), weights) == 6
    assert score(item(matches={"companies": ["A"], "technologies": ["T"]}), weights) == 10.5
    assert score(item(matches={"companies": ["A"], "exclusions": ["jobs"]}), weights) == 0


def test_the_best_come_first_and_among_equals_the_latest() -> None:
    old, new, low = (
        item("a", score=5, published="2026-01-01"),
        item("b", score=5, published="2026-02-01"),
        item("c", score=1),
    )
    assert select([low, old, new], 2, 10) == [new, old]
    assert select([low, old, new], 0, 1) == [new]


def test_what_comes_from_outside_is_escaped() -> None:
    evil = Item("<script>alert(1)</script>", "javascript:alert(1)", "wire", summary="<b>")
    page = to_html("T", [evil])
    assert "<script>" not in page
    assert "href" not in page
    assert to_markdown("T", []) == "# T\n\nNothing this time.\n"


@pytest.mark.parametrize("client_id", ["../secrets", "a/b", ""])
def test_a_client_id_cannot_lead_to_another_file(client_id: str) -> None:
    with pytest.raises(ValueError, match="not a client id"):
        load_client(Folder(), client_id)


def handler(name: str) -> ModuleType:
    """A function's handler, as Lambda would load it."""
    path = ROOT / "src_v2" / "lambdas" / name / "handler.py"
    spec = importlib.util.spec_from_file_location(f"handler_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["ingest", "normalize_score", "newsletter"])
@pytest.mark.parametrize("event", [{}, {"client_id": ""}, {"client_id": 3}, None, []])
def test_without_a_client_id_a_handler_answers_400_and_does_no_work(name: str, event: object) -> None:
    answer = handler(name).lambda_handler(event, None)  # no bucket is set, so any work would fail
    assert (answer["statusCode"], json.loads(answer["body"])) == (400, {"error": "client_id is required"})


@pytest.mark.parametrize("name", ["ingest", "normalize_score", "newsletter"])
def test_a_smoke_event_is_answered_at_once_and_does_no_work(name: str) -> None:
    answer = handler(name).lambda_handler({"smoke": True, "client_id": "lai_weekly_v7"}, None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"smoke": True})
