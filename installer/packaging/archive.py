"""File trees as zips: which files of a folder go in, the zip itself, and the digest that names it.

A tree is a mapping from path to content. Its digest, not that of the zip's bytes, is the key of an upload: zlib and
zlib-ng compress the same input to different bytes, so two machines would give one tree two keys (docs/decisions/007).
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_UNIX = 3
_REGULAR, _EXECUTABLE = 0o100644, 0o100755
# Build leftovers and installers' notes: no Lambda reads them, and they differ between machines.
_IGNORED_NAMES = frozenset(
    {
        "__pycache__",
        ".DS_Store",
        "INSTALLER",
        "RECORD",
        "REQUESTED",
        "direct_url.json",
        ".lock",
        "uv_cache.json",
    }
)
NOTHING = frozenset[str]()


def collect(folder: Path, *, bytecode: bool = False) -> dict[str, bytes]:
    """The files below `folder` by their path in the zip, without leftovers and type stubs; `bytecode`: with .pyc."""
    ignored_names = _IGNORED_NAMES - {"__pycache__"} if bytecode else _IGNORED_NAMES
    ignored_suffixes = (".pyi",) if bytecode else (".pyi", ".pyc")
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not ignored_names & set(name.parts) and path.suffix not in ignored_suffixes:
            files[name.as_posix()] = path.read_bytes()
    return files


def pack(files: Mapping[str, bytes], executable: frozenset[str] = NOTHING) -> bytes:
    """A zip of the tree in the order of its paths; `executable` paths get mode 0755, all others 0644."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as opened:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = _UNIX  # otherwise the mode does not count when it was built on Windows
            entry.external_attr = _mode(path, executable) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            opened.writestr(entry, files[path])
    return target.getvalue()


def tree_digest(files: Mapping[str, bytes], executable: frozenset[str] = NOTHING) -> str:
    """SHA-256 (hex) over path, mode and content of every file: equal for equal trees, however they are compressed."""
    total = hashlib.sha256()
    for path in sorted(files):
        # The length ends the content: without it, bytes could move from one file to the next unnoticed.
        total.update(f"{path}\0{_mode(path, executable):o}\0{len(files[path])}\0".encode())
        total.update(files[path])
    return total.hexdigest()


def _mode(path: str, executable: frozenset[str]) -> int:
    return _EXECUTABLE if path in executable else _REGULAR


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()
