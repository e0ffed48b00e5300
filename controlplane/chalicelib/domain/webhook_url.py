"""`config.webhook` and `config.notify`: which URLs the control plane, or SNS for it, can and may call.

Stricter than the HTTP client behind it.
"""

from __future__ import annotations

import ipaddress
import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<rest>(?:/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?(?:\?[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*)?)"
)
_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LONGEST, _LONGEST_HOST = 2_048, 253
_WRITE_IT_SO = (
    "Percent-encode other characters of the path, write an international host as xn--…, and leave user names and "
    "fragments out."
)
_PRIVATE = "must be reachable from the internet", "Name a public host, not one of a private network."
_THIS_MACHINE = "127.0.0.1"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Names that resolve inside a network only.
_INTERNAL = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "localdomain")


def refusal(url: str) -> tuple[str, str] | None:
    """What is wrong with a webhook's URL, and the remedy; None when it can be called."""
    match = _match(url)
    if match is None or _ENCODED.search(match["rest"]):
        return "must be https://host[:port]/path in ASCII", _WRITE_IT_SO
    host = match["host"].lower()
    # Plain HTTP only to this very machine, as in the embedded cloud: elsewhere the signature could be replayed.
    if match["scheme"] != "https" and host != _THIS_MACHINE:
        return "must begin with https://", "Give the receiver a certificate."
    if len(host) > _LONGEST_HOST or not 0 < int(match["port"] or 443) < 65_536:
        return "has a host or port that cannot be", "Correct it."
    return None if host == _THIS_MACHINE or _is_public(host) else _PRIVATE


def refusal_of_recipient(url: str) -> tuple[str, str] | None:
    """The same for a URL that SNS shall call: SNS takes any, and never reaches one of a private network."""
    return _PRIVATE if is_on_this_machine(url) else refusal(url)


def is_on_this_machine(url: str) -> bool:
    """Whether it names 127.0.0.1, which only the embedded cloud may call."""
    match = _match(url)
    return match is not None and match["host"] == _THIS_MACHINE


def is_public_address(text: str) -> bool:
    """Whether an IP address is one of the internet, and stands for no other one that is not."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in (address, *_embedded(address)))


def _match(url: str) -> re.Match[str] | None:
    return _URL.fullmatch(url) if len(url) <= _LONGEST else None


def _is_public(host: str) -> bool:
    last = host.rpartition(".")[2]
    if host.startswith("[") or last.isdigit() or last.startswith("0x"):
        # Resolvers read 127.1, 0x7f.1 and 2130706433 as addresses, too: only the full form is taken.
        return is_public_address(host.strip("[]"))
    return "." in host and last not in _INTERNAL


def _embedded(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that a gateway reaches for this one: of 6to4, Teredo, and NAT64 (RFC 6052, section 2.1)."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    through_nat64 = [ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)] if address in _NAT64 else []
    return [*through_nat64, *filter(None, [address.sixtofour]), *(address.teredo or ())]
