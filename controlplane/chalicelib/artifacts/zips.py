"""Zip files with the same bytes on every machine: fixed times and modes, sorted, and our own deflate.

Layout: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3)
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from .deflate import deflate

_STORED, _DEFLATED = 0, 8
_VERSION, _UNIX = 20, 3
_TIME, _DATE = 0, 1 << 5 | 1  # 1980-01-01 00:00, the earliest that a zip can hold
_UTF8_NAMES = 0x800
_REGULAR, _EXECUTABLE = 0o100644 << 16, 0o100755 << 16


def pack(files: Mapping[str, bytes], executable: frozenset[str]) -> bytes:
    """A zip of the files in the order of their paths; `executable` ones get mode 0755, all others 0644."""
    out, directory = bytearray(), bytearray()
    for path in sorted(files):
        name, content = path.encode(), files[path]
        packed = deflate(content)
        method = _DEFLATED if len(packed) < len(content) else _STORED
        body = packed if method == _DEFLATED else content
        flags = 0 if path.isascii() else _UTF8_NAMES
        common = struct.pack(
            "<HHHHHIIIHH",
            _VERSION, flags, method, _TIME, _DATE, zlib.crc32(content), len(body), len(content), len(name), 0,
        )  # fmt: skip
        mode = _EXECUTABLE if path in executable else _REGULAR
        directory += struct.pack("<IBB", 0x02014B50, _VERSION, _UNIX) + common
        directory += struct.pack("<HHHII", 0, 0, 0, mode, len(out)) + name
        out += struct.pack("<I", 0x04034B50) + common + name + body
    count, start = len(files), len(out)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), start, 0)
    return bytes(out + directory + end)
