"""Content codings that the standard library can undo: gzip and deflate (RFC 9110 section 8.4.1)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DECODABLE = frozenset({"gzip", "x-gzip", "deflate"})
PIECE = 262_144  # bytes that one step may produce, however well they were compressed
_ZLIB_OR_GZIP = 47
_RAW = -zlib.MAX_WBITS


class CodingError(ValueError):
    """Encoded bytes are not what their coding says, or end too early."""


class Decoder:
    """Undoes one coding as bytes arrive, in pieces of bounded size."""

    def __init__(self, coding: str) -> None:
        self._is_gzip = coding != "deflate"
        self._inflate = zlib.decompressobj(_ZLIB_OR_GZIP)
        self._begun = False

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """The decoded bytes. Raises CodingError."""
        rest = bytes(data)
        if rest and not self._begun:
            self._begin(rest)
        while rest:
            try:
                piece = self._inflate.decompress(rest, PIECE)
            except zlib.error:
                raise CodingError("The content is not encoded as its content-encoding says.") from None
            rest = self._rest()
            if piece:
                yield piece

    def _begin(self, data: bytes) -> None:
        self._begun = True
        # Some senders of deflate leave out the zlib wrapper, whose first byte is always of the form x8.
        if not self._is_gzip and data[0] & 0x0F != 8:
            self._inflate = zlib.decompressobj(_RAW)

    def _rest(self) -> bytes:
        """What of the input is still to be decoded; behind the end of a gzip member another one may follow."""
        if not self._inflate.eof:
            return self._inflate.unconsumed_tail
        rest = self._inflate.unused_data
        if rest.startswith(b"\x1f\x8b") and self._is_gzip:
            self._inflate = zlib.decompressobj(_ZLIB_OR_GZIP)
            return rest
        return b""  # padding behind the end

    def finish(self) -> Iterator[bytes]:
        """What is left. Raises CodingError when the encoded content was cut short."""
        if not self._begun:
            return
        tail = self._inflate.flush()
        if tail:
            yield tail
        if not self._inflate.eof:
            raise CodingError("The encoded content ended too early.")


def coding_of(value: str) -> str:
    """The one coding of a content-encoding header in lower case; empty for none, the header itself for several."""
    codings = [part.strip().lower() for part in value.split(",")]
    applied = [coding for coding in codings if coding not in ("", "identity")]
    return ", ".join(applied)
