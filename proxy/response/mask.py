"""Masks the providers' keys in what an upstream sends back: some repeat the key in their error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.secret.schema import Config

SHORTEST = 4  # characters of a key that is masked in errors and headers
# In answers that are no errors only what is a key beyond doubt: "ollama" is a key, too, and a word of such answers.
SHORTEST_ANYWHERE = 20
_OPENAI = "sk-"


class Mask:
    """Replaces keys by as many asterisks, so that no length changes."""

    def __init__(self, config: Config) -> None:
        keys = {upstream.api_key for upstream in (config.upstream, *config.upstreams.values())}
        self._texts = tuple(sorted((key for key in keys if len(key) >= SHORTEST), key=len, reverse=True))
        self.in_errors = tuple(key.encode() for key in self._texts)
        self.anywhere = tuple(
            key.encode() for key in self._texts if len(key) >= SHORTEST_ANYWHERE or key.startswith(_OPENAI)
        )

    def text(self, value: str) -> str:
        """A header's value without keys."""
        for key in self._texts:
            if key in value:
                value = value.replace(key, "*" * len(key))
        return value


def masked(data: bytes, keys: tuple[bytes, ...]) -> bytes:
    """Bytes without the keys that lie in them as a whole."""
    for key in keys:
        if key in data:
            data = data.replace(key, b"*" * len(key))
    return data


class BodyMask:
    """Masks keys in a body that arrives in chunks, also where a chunk ends in the middle of one."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys
        self._held = b""  # the end of the last chunk, as far as a key may begin with it

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; what may be handed on."""
        data = masked(self._held + chunk if self._held else chunk, self._keys)
        size = max((_begun(data, key) for key in self._keys), default=0)
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
