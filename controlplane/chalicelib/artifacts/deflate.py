"""Deflate (RFC 1951) that gives the same bytes on every machine.

zlib's own output is no contract: zlib and zlib-ng, which Fedora and uv's Pythons carry, compress the same input to
different bytes, and so one source would get two digests. This writes one block with the fixed Huffman codes and takes
the last earlier place where the next four bytes stood. It costs about a second a megabyte and packs a quarter worse
than zlib -9; any zlib reads it.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache

_WINDOW = 32_768
_SHORTEST, _LONGEST = 4, 258  # a match of three bytes is allowed, and seldom worth its code

# RFC 1951, 3.2.5: the smallest length or distance of each code, and how many extra bits follow it.
_LENGTHS = (
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    13,
    15,
    17,
    19,
    23,
    27,
    31,
    35,
    43,
    51,
    59,
    67,
    83,
    99,
    115,
    131,
    163,
    195,
    227,
    258,
)
_LENGTH_BITS = (0,) * 8 + (1,) * 4 + (2,) * 4 + (3,) * 4 + (4,) * 4 + (5,) * 4 + (0,)
_DISTANCES = (1, 2, 3, 4, *(base for power in range(1, 14) for base in (2 ** (power + 1) + 1, 3 * 2**power + 1)))
_DISTANCE_BITS = (0, 0, *(code // 2 - 1 for code in range(2, 30)))

Code = tuple[int, int]  # value with its first bit lowest, and how many bits


def _reversed(value: int, bits: int) -> int:
    """Huffman codes go out with their highest bit first, all else with the lowest."""
    return int(format(value, f"0{bits}b")[::-1], 2)


def _literal_code(symbol: int) -> Code:
    """RFC 1951, 3.2.6."""
    if symbol < 144:
        return _reversed(0x30 + symbol, 8), 8
    if symbol < 256:
        return _reversed(0x190 + symbol - 144, 9), 9
    if symbol < 280:
        return _reversed(symbol - 256, 7), 7
    return _reversed(0xC0 + symbol - 280, 8), 8


@cache
def _literals() -> list[Code]:
    return [_literal_code(symbol) for symbol in range(288)]


@cache
def _length_code(length: int) -> Code:
    index = bisect_right(_LENGTHS, length) - 1
    value, bits = _literal_code(257 + index)
    return value | (length - _LENGTHS[index]) << bits, bits + _LENGTH_BITS[index]


@cache
def _distance_code(distance: int) -> Code:
    index = bisect_right(_DISTANCES, distance) - 1
    return _reversed(index, 5) | (distance - _DISTANCES[index]) << 5, 5 + _DISTANCE_BITS[index]


def _match_length(data: bytes, here: int, there: int) -> int:
    """How many bytes from `here` on repeat those from `there` on, of which four are known to."""
    most, length = min(_LONGEST, len(data) - here), _SHORTEST
    while length < most and data[there + length] == data[here + length]:
        length += 1
    return length


def deflate(data: bytes) -> bytes:
    """`data` as a raw deflate stream (what `zlib.decompress(…, -15)` reads)."""
    out = bytearray()
    pending, bits = 0b011, 3  # the last block, with fixed codes
    seen: dict[bytes, int] = {}
    literals, here = _literals(), 0
    while here < len(data):
        key = data[here : here + _SHORTEST]
        there = seen.get(key, -1) if len(key) == _SHORTEST else -1
        seen[key] = here
        if there >= 0 and here - there <= _WINDOW:
            length = _match_length(data, here, there)
            value, size = _length_code(length)
            far, far_size = _distance_code(here - there)
            value, size = value | far << size, size + far_size
            for inside in range(here + 1, min(here + length, len(data) - _SHORTEST)):
                seen[data[inside : inside + _SHORTEST]] = inside
            here += length
        else:
            value, size = literals[data[here]]
            here += 1
        pending, bits = pending | value << bits, bits + size
        if bits >= 64:
            whole = bits // 8
            out += (pending & ((1 << 8 * whole) - 1)).to_bytes(whole, "little")
            pending, bits = pending >> 8 * whole, bits - 8 * whole
    bits += 7  # the end-of-block code is seven zeros
    return bytes(out + pending.to_bytes((bits + 7) // 8, "little"))
