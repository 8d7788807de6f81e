"""Networks that companies have: a proxy, and an authority of their own."""

import http.server
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.errors import BuildError
from tasks.project.uv import run_uv
from tasks.project.web import open_url

pytestmark = pytest.mark.whole

asked: list[str] = []


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers everything, as a server or as a proxy."""

    def do_GET(self) -> None:
        asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def do_CONNECT(self) -> None:
        asked.append(self.path)
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    asked.clear()
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody knows."""
    path = tmp_path / "own.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path.with_suffix(".txt")), "-out", str(path)]
    try:
        subprocess.run([*command, *more], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl here")
    return path


def test_a_companys_own_authority_is_believed_where_aws_ca_bundle_names_it(
    server: http.server.ThreadingHTTPServer, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, authority.with_suffix(".txt"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    url = f"https://127.0.0.1:{server.server_port}/x"
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        open_url(url, 5)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    with open_url(url, 5, Range="bytes=0-4") as answer:
        assert answer.read() == b"hello"


def test_the_proxy_and_the_authority_reach_uv(
    server: http.server.ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("UV_", "NO_PROXY", "no_proxy"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "bundle.pem"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index.invalid/simple")
    (tmp_path / "wanted.in").write_text("something-nobody-has-made\n", encoding="utf-8")
    with pytest.raises(BuildError):
        run_uv(["pip", "compile", "wanted.in"], ["--no-cache"], folder=tmp_path, interpreter=sys.executable)
    assert asked[:1] == ["index.invalid:443"]
