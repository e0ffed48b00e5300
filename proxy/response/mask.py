"""Masks the providers' keys in what an upstream sends back: some repeat the key in their error messages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.secret.schema import Config

SHORTEST = 4  # characters of a key that is masked in errors and headers
# In answers that are no errors only what is a key beyond doubt: "ollama" is a key, too, and a word of such answers.
SHORTEST_ANYWHERE = 20
_OPENAI = "sk-"
_PUNCTUATION = {ord(char): "x" for char in "-._~"}
_LINE_ENDS = (b"\n", b"\r")


class Mask:
    """Replaces keys by as many asterisks, so that no length changes."""

    def __init__(self, config: Config) -> None:
        keys = {upstream.api_key for upstream in (config.upstream, *config.upstreams.values())}
        strong = {key for key in keys if len(key) >= SHORTEST_ANYWHERE or key.startswith(_OPENAI)}
        self._texts = _spellings(key for key in keys if len(key) >= SHORTEST)
        self.in_errors = tuple(text.encode() for text in self._texts)
        self.anywhere = tuple(text.encode() for text in _spellings(strong))

    def text(self, value: str) -> str:
        """A header's value without keys."""
        for key in self._texts:
            if key in value:
                value = value.replace(key, "*" * len(key))
        return value


def _spellings(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys, and what they become in JSON and in URLs, the longest first."""
    spellings: set[str] = set()
    for key in keys:
        spellings.add(key)
        if not key.translate(_PUNCTUATION).isalnum():  # most keys have nothing that is ever escaped
            spellings |= _escaped(key)
    return tuple(sorted(spellings, key=len, reverse=True))


def _escaped(key: str) -> set[str]:
    """How the JSON writers of PHP, .NET, Go and Java (Gson) spell a key, and URLs do."""
    as_json = json.dumps(key)[1:-1]
    in_net = re.sub(r"[&'+<>`]", lambda match: f"\\u{ord(match[0]):04X}", as_json.replace('\\"', "\\u0022"))
    in_go = re.sub(r"[&<>]", lambda match: f"\\u{ord(match[0]):04x}", as_json)
    in_gson = re.sub(r"[&'<=>]", lambda match: f"\\u{ord(match[0]):04x}", as_json)
    in_url = quote(key, safe="")
    in_url_lower = re.sub(r"%..", lambda match: match[0].lower(), in_url)
    in_php, in_net_php = as_json.replace("/", "\\/"), in_net.replace("/", "\\/")
    return {as_json, in_php, in_net, in_net_php, in_go, in_gson, in_url, in_url_lower}


def masked(data: bytes, keys: tuple[bytes, ...]) -> bytes:
    """Bytes without the keys that lie in them as a whole."""
    for key in keys:
        if key in data:
            data = data.replace(key, b"*" * len(key))
    return data


class BodyMask:
    """Masks keys in a body that arrives in chunks, also where a chunk ends in the middle of one.

    `in_errors`: the keys, more than `keys`, that are masked in a chunk that speaks of an error.
    """

    def __init__(self, keys: tuple[bytes, ...], in_errors: tuple[bytes, ...] = ()) -> None:
        self._keys = keys
        self._all = in_errors or keys
        self._held = b""  # the end of the last chunk, as far as a key may begin with it

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; what may be handed on."""
        data = self._held + chunk if self._held else chunk
        for key in self._all:
            if key in data:
                data = masked(data, self._all if b"error" in data else self._keys)
                break
        if data.endswith(_LINE_ENDS):  # no key has one: nearly all of an ordinary stream
            self._held = b""
            return data
        size = max((_begun(data, key) for key in self._all), default=0)
        self._held = data[len(data) - size :]
        return data[: len(data) - size] if size else data

    def finish(self) -> bytes:
        """What was held back."""
        rest, self._held = self._held, b""
        return rest


def _begun(data: bytes, key: bytes) -> int:
    """How many bytes at the end of `data` are the beginning of `key`; the most that are."""
    at = data.find(key[:1], max(0, len(data) - len(key) + 1))
    while at >= 0:
        if key.startswith(data[at:]):
            return len(data) - at
        at = data.find(key[:1], at + 1)
    return 0
