"""The upstream over TLS: trusted, kept, verified, and as robust against stale connections as in the clear."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from proxy import tls
from tests.functional.proxy.rig import Rig, rig
from tests.functional.proxy.upstream import Upstream, chat, events, stream


def certificate(folder: Path, address: str) -> Path:
    """A self-signed certificate for an IP address, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = datetime.datetime.now(datetime.UTC)
    result = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = folder / f"{address}.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + result.public_bytes(pem))
    return file


class TlsUpstream(Upstream):
    """A scripted upstream that speaks TLS."""

    context: ssl.SSLContext

    def _serve(self, client: socket.socket, number: int) -> None:
        try:
            wrapped = self.context.wrap_socket(client, server_side=True)
        except (ssl.SSLError, OSError):
            return  # the caller did not like the certificate
        super()._serve(wrapped, number)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    file = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(file))
    tls.context.cache_clear()
    yield file
    tls.context.cache_clear()


def serving(file: Path) -> TlsUpstream:
    TlsUpstream.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    TlsUpstream.context.load_cert_chain(file)
    return TlsUpstream(chat())


def over(upstream: Upstream) -> Rig:
    return rig(upstream.base_url.replace("http:", "https:"), retries=0)


def test_requests_share_one_verified_connection_and_streams_pass(trusted: Path) -> None:
    with serving(trusted) as upstream:
        proxy = over(upstream)
        assert [proxy.ask().status for _ in range(5)] == [200] * 5
        upstream.script.append(stream(events("a", "b")))
        assert proxy.ask().chunks == events("a", "b")
        assert proxy.ask(body=b'{"input": "' + b"x" * 2_000_000 + b'"}').status == 200
    assert upstream.connections == 1


def test_a_stale_connection_is_replaced_and_nothing_is_sent_twice(trusted: Path) -> None:
    with serving(trusted) as upstream:
        proxy = over(upstream)
        for _ in range(5):
            assert proxy.ask().status == 200
            upstream.drop_connections()
    assert len(upstream.received) == 5


def test_a_certificate_for_another_host_is_refused_and_nothing_is_sent(trusted: Path, tmp_path: Path) -> None:
    with serving(certificate(tmp_path, "127.0.0.2")) as upstream:
        answer = over(upstream).ask()
    assert (answer.status, answer.json()["error"]["code"], upstream.received) == (502, "connect_error", [])


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    tls.context.cache_clear()
    with serving(certificate(tmp_path, "127.0.0.1")) as upstream:
        answer = over(upstream).ask()
    assert (answer.json()["error"]["code"], upstream.received) == ("connect_error", [])
