"""A tree of files as a zip, and the digest that identifies the tree whatever compressed it.

zlib and zlib-ng compress the same input to different bytes, so that the bytes of a zip say more about the machine that
built it than about its content. Whatever is stored by content is therefore named by `tree_digest` (decision 007).
Standard library only: the installer uses it, too.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_UNIX = 3
_REGULAR, _EXECUTABLE = 0o100644, 0o100755
NOTHING: frozenset[str] = frozenset()


def pack(files: Mapping[str, bytes], executable: frozenset[str] = NOTHING) -> bytes:
    """A zip of the tree in the order of its paths, at a fixed time; `executable` paths get mode 0755, all others 0644.

    The bytes are the same for the same tree under one build of zlib only.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as opened:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = _UNIX  # without it the mode does not count
            entry.external_attr = _mode(path in executable) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            opened.writestr(entry, files[path])
    return target.getvalue()


def unpack(content: bytes) -> tuple[dict[str, bytes], frozenset[str]]:
    """The files of a zip by path, and which of them are executable. Raises zipfile.BadZipFile."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        entries = [entry for entry in opened.infolist() if not entry.is_dir()]
        executable = frozenset(entry.filename for entry in entries if entry.external_attr >> 16 & 0o100)
        return {entry.filename: opened.read(entry) for entry in entries}, executable


def tree_digest(files: Mapping[str, bytes], executable: frozenset[str] = NOTHING) -> str:
    """SHA-256 (hex) over path, mode and content of every file, in the order of the paths."""
    total = hashlib.sha256()
    for path in sorted(files):
        # The length ends the content: without it, bytes could move from one file to the next unnoticed.
        total.update(f"{path}\0{_mode(path in executable):o}\0{len(files[path])}\0".encode())
        total.update(files[path])
    return total.hexdigest()


def _mode(is_executable: bool) -> int:
    return _EXECUTABLE if is_executable else _REGULAR
