"""A webhook's URL is accepted only if it can be called, and only a public host is called."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from chalicelib.domain.config import Webhook
from chalicelib.domain.errors import BadRequest
from chalicelib.domain.webhook_url import is_on_this_machine, refusal
from hypothesis import given
from hypothesis import strategies as st

LABEL = "a" * 63


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com:8443/a/b?c=d&e=%C3%A9",
        "https://xn--bcher-kva.example/é".replace("é", "%C3%A9"),
        f"https://{LABEL}.example.com/",
        "https://8.8.8.8/hook",
        "https://[2606:4700::1111]/hook",
        "http://127.0.0.1:8080/hook",
    ],
)
def test_a_url_that_can_be_called_is_accepted(url: str) -> None:
    assert Webhook(url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/é",
        "https://bücher.example/",
        f"https://a{LABEL}.example.com/",
        "https://-a.example.com/",
        "https://a..example.com/",
        "https://a_b.example.com/",
        "https://example.com/%zz",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://user@example.com/",
        "https://example.com/#fragment",
        "https://example.com:0/",
        "https://example.com:70000/",
        "https://" + "a." * 130 + "com/",
        "https://example.com/" + "a" * 2_048,
        "ftp://example.com/",
        "http://example.com/",
        "https://",
        "",
    ],
)
def test_a_url_that_cannot_be_called_is_refused_with_the_field(url: str) -> None:
    with pytest.raises(BadRequest) as refused:
        Webhook(url)
    assert refused.value.field == "config.webhook.url"


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "127.0.0.2", "127.1", "2130706433", "0x7f.1", "[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:10.0.0.1]",
        "localhost", "intranet", "db.internal", "printer.local",
        # Behind a gateway these are private IPv4 addresses: NAT64, 6to4, Teredo (whose client is inverted).
        "[64:ff9b::a00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:a00:1::]", "[2002:7f00:1::1]", "[2001::f5ff:fffe]",
    ],
)  # fmt: skip
def test_private_and_link_local_hosts_are_refused_however_they_are_written(host: str) -> None:
    assert refusal(f"https://{host}/hook") is not None


@pytest.mark.parametrize("host", ["[64:ff9b::808:808]", "[2606:4700:4700::1111]", "8.8.8.8"])
def test_a_public_address_may_be_called_in_each_notation(host: str) -> None:
    assert refusal(f"https://{host}/hook") is None


def test_only_one_address_is_this_machine() -> None:
    assert is_on_this_machine("http://127.0.0.1:9/x")
    assert not is_on_this_machine("https://127.0.0.1.example.com/x")


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_accepted_the_http_client_can_send(host: str, path: str) -> None:
    url = f"https://{host}/{path}"
    if refusal(url) is None:
        parts = urlsplit(url)
        assert parts.hostname
        parts.hostname.encode("idna")
        f"{parts.path}?{parts.query}".encode("ascii")
