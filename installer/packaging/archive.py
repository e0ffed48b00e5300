"""Reproducible zips: the same files give the same bytes on every machine."""

import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from installer.errors import CommandFailed

EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR = 0o100644 << 16
_EXECUTABLE = 0o100755 << 16
# What never runs in a Lambda: build leftovers, and type information for tools.
_LEFT_OUT = {
    "__pycache__",
    ".DS_Store",
    "INSTALLER",
    "RECORD",
    "REQUESTED",
    "direct_url.json",
    ".lock",
    "uv_cache.json",
}


def collect(folder: Path, *, bytecode: bool = False) -> dict[str, bytes]:
    """Every file below `folder` by its path in the zip, without leftovers; with `bytecode` also what was compiled."""
    left_out = _LEFT_OUT - {"__pycache__"} if bytecode else _LEFT_OUT
    suffixes = (".pyi",) if bytecode else (".pyi", ".pyc")
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not left_out & set(name.parts) and path.suffix not in suffixes:
            found[name.as_posix()] = path.read_bytes()
    return found


def build(files: Mapping[str, bytes], executable: frozenset[str] = frozenset()) -> bytes:
    """A zip of `files`, sorted, at a fixed time, readable by all; those named in `executable` may be run."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, so that the mode below counts wherever it was built
            entry.external_attr = _EXECUTABLE if name in executable else _REGULAR
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return target.getvalue()


def compile_tree(folder: Path) -> None:
    """Put unchecked hash-based bytecode of this interpreter's version beside every module.

    Unchecked: a Lambda's files never change, and a check would read each source. Hash-based: no timestamps inside, so
    the same source gives the same bytes. Tracebacks show the paths of Lambda, not of this machine.
    Raises CommandFailed for a module that does not compile.
    """
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", "/var/task", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 - fixed
    if done.returncode:
        raise CommandFailed(f"{folder.name} does not compile: {done.stdout.strip() or done.stderr.strip()}")


def source_of(name: str) -> str:
    """The module that a path in a zip belongs to: `a/b.py` for `a/__pycache__/b.cpython-311.pyc`, else itself."""
    path = PurePosixPath(name)
    if path.suffix != ".pyc":
        return name
    return str(path.parent.parent / f"{path.name.split('.')[0]}.py")


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def tree_digest(files: Mapping[str, bytes]) -> str:
    """One SHA-256 over names and contents: the key of what was built from them."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{len(files[name])}\0".encode())
        total.update(files[name])
    return total.hexdigest()
