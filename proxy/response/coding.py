"""Content codings that the standard library can undo: gzip and deflate (RFC 9110 section 8.4.1)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DECODABLE = frozenset({"gzip", "x-gzip", "deflate"})
PIECE = 262_144  # bytes that one step may produce, however well they were compressed
STEP = 65_536  # bytes of input of one step
_ZLIB_OR_GZIP = 47
_MEMBER = b"\x1f\x8b"  # what a member of gzip begins with
_RAW = -zlib.MAX_WBITS


class CodingError(ValueError):
    """Encoded bytes are not what their coding says, or end too early."""


class Decoder:
    """Undoes one coding as bytes arrive, in pieces of bounded size."""

    def __init__(self, coding: str) -> None:
        self._is_gzip = coding != "deflate"
        self._inflate = zlib.decompressobj(_ZLIB_OR_GZIP)
        self._begun = False
        self._is_over = False  # what follows is padding

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """The decoded bytes. Raises CodingError."""
        # In steps, for zlib hands back, as a copy, what of its input a limited output leaves.
        with memoryview(data) as view:
            for at in range(0, len(view), STEP):
                yield from self._feed(bytes(view[at : at + STEP]))

    def _feed(self, rest: bytes) -> Iterator[bytes]:
        if not self._begun:
            self._begin(rest)
        while rest and not self._is_over:
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
        if rest.startswith(_MEMBER) and self._is_gzip:
            self._inflate = zlib.decompressobj(_ZLIB_OR_GZIP)
            return rest
        self._is_over = not (self._is_gzip and _MEMBER.startswith(rest))
        return b""

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
