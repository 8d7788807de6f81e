import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasks.archives.downloads import RemoteFile, fetch_all
from tasks.errors import BuildError
from tasks.release.events import Downloading, Event, Moved
from tests.archives.wheelhouse import make_wheel
from tests.fakes import silent


def remote(path: Path, sha256: str = "") -> RemoteFile:
    """A file that an index offers, with its true hash or another."""
    return RemoteFile(path.name, path.as_uri(), sha256 or hashlib.sha256(path.read_bytes()).hexdigest())


def kept(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def test_a_file_is_fetched_once_and_then_found_in_the_cache(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg")
    file = remote(wheel)
    heard = list[Event]()
    first = fetch_all([file, file], tmp_path / "cache", heard.append)[file]
    wheel.unlink()
    assert heard[0] == Downloading(0)
    heard.clear()
    assert fetch_all([file], tmp_path / "cache", heard.append)[file] == first
    assert heard == []


def test_a_wheel_whose_hash_is_wrong_is_refused_and_the_cache_not_poisoned(tmp_path: Path) -> None:
    file = remote(make_wheel(tmp_path, "pkg"), "0" * 64)
    with pytest.raises(BuildError, match="not the locked 0000000000000000"):
        fetch_all([file], tmp_path / "cache", silent)
    assert kept(tmp_path / "cache") == []


def test_a_cached_file_that_was_damaged_is_fetched_afresh(tmp_path: Path) -> None:
    file = remote(make_wheel(tmp_path, "pkg"))
    path = fetch_all([file], tmp_path / "cache", silent)[file]
    path.write_bytes(b"damaged")
    fetch_all([file], tmp_path / "cache", silent)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def test_an_unreachable_file_says_what_to_check(tmp_path: Path) -> None:
    file = RemoteFile("pkg-1.0-py3-none-any.whl", (tmp_path / "gone.whl").as_uri(), "0" * 64)
    with pytest.raises(BuildError, match="Cannot download pkg-1.0-py3-none-any.whl.*check the network"):
        fetch_all([file], tmp_path / "cache", silent)
    assert kept(tmp_path / "cache") == []


def test_an_address_that_has_gone_stale_is_asked_for_afresh_by_the_next_build(tmp_path: Path) -> None:
    index = tmp_path / "cache" / "index" / "pylock.toml"
    index.parent.mkdir(parents=True)
    index.write_text("")
    with pytest.raises(BuildError, match="check the network and build again"):
        fetch_all([RemoteFile("a.whl", "file:///nowhere/a.whl", "0" * 64)], tmp_path / "cache", silent)
    assert not index.exists()


def test_a_wheel_with_a_false_record_never_enters_the_cache(tmp_path: Path) -> None:
    file = remote(make_wheel(tmp_path, "pkg", record={"pkg/__init__.py": "sha256=" + "A" * 43}))
    with pytest.raises(BuildError, match="RECORD"):
        fetch_all([file], tmp_path / "cache", silent)
    assert kept(tmp_path / "cache") == []


def test_a_download_that_fails_or_ends_early_is_tried_three_times(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pkg")
    asked, heard = [], list[Event]()

    class Flaky(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            whole = wheel.read_bytes()
            self.send_response(503 if len(asked) == 1 else 200)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write([b"", whole[:-9], whole][len(asked) - 1])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        file = replace(remote(wheel), url=f"http://127.0.0.1:{server.server_port}/{wheel.name}")
        assert fetch_all([file], tmp_path / "cache", heard.append)
    finally:
        server.shutdown()
        server.server_close()
    assert len(asked) == 3
    assert sum(each.size for each in heard if isinstance(each, Moved)) == wheel.stat().st_size
    assert heard[-3:-1] == [Moved(wheel.stat().st_size - 9), Moved(9 - wheel.stat().st_size)]
