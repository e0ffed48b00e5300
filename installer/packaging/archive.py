"""Which files of a folder are packaged; `pack` and `tree_digest` are the control plane's own."""

import hashlib
from pathlib import Path

from chalicelib.artifacts.archive import pack, tree_digest

__all__ = ["collect", "digest", "pack", "tree_digest"]

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


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()
