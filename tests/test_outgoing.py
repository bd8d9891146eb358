"""Calls over TLS: only to who can prove who he is, and cut off in time like any other."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from loyalty import outgoing


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/slow"):
            time.sleep(1)
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + self.headers["Authorization"].encode() + body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Host and port of a server."""
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def certificate(folder: Path) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = folder / "gateway.pem"
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    path = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with served(context) as address:
        yield f"https://{address}"


def post(url: str, seconds: float = 5) -> outgoing.Answer:
    return outgoing.post(url, body=b"!", headers={"Authorization": "ours"}, seconds=seconds)


def test_a_server_that_proves_itself_is_talked_to(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert post(server) == outgoing.Answer(200, b"ours!")


def test_one_that_does_not_is_told_nothing(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with pytest.raises(outgoing.NotSent, match="SSLError"):
        post(server)
    with pytest.raises(outgoing.NotSent):
        post(server.replace("127.0.0.1", "localhost"))


def test_one_that_is_slow_is_left_in_time(server: str) -> None:
    started = time.monotonic()
    with pytest.raises(outgoing.NoAnswer):
        post(f"{server}/slow", seconds=0.3)
    assert time.monotonic() - started < 0.8


def test_behind_a_proxy_too_it_is_known_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy}")
        assert post("http://gateway.invalid/send") == outgoing.Answer(200, b"ours!")
        with pytest.raises(outgoing.NoAnswer):
            post("http://gateway.invalid/slow", seconds=0.3)
    with pytest.raises(outgoing.NotSent):
        post("http://gateway.invalid/send")
