"""Reproducible zips: the same files give the same bytes on every machine."""

import hashlib
import io
import py_compile
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

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


def collect(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by its path in the zip, without leftovers; links are not followed out of it."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not _LEFT_OUT & set(name.parts) and path.suffix not in (".pyc", ".pyi"):
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


def read(archive: Path) -> dict[str, bytes]:
    """Every file of a zip by its name."""
    with zipfile.ZipFile(archive) as opened:
        return {entry.filename: opened.read(entry) for entry in opened.infolist() if not entry.is_dir()}


def with_bytecode(files: Mapping[str, bytes], scratch: Path) -> dict[str, bytes]:
    """`files` and, for every module, unchecked hash-based bytecode of this interpreter's version.

    Unchecked: a Lambda's files never change, and a check would read each source. Hash-based: no timestamps inside, so
    the same source gives the same bytes. `scratch` is an empty folder to compile in.
    """
    grown = dict(files)
    for name, content in files.items():
        if not name.endswith(".py"):
            continue
        source, target = scratch / "module.py", scratch / "module.pyc"
        source.write_bytes(content)
        py_compile.compile(
            str(source),
            cfile=str(target),
            dfile=f"/var/task/{name}",  # what tracebacks show
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        module = PurePosixPath(name)
        grown[str(module.parent / "__pycache__" / f"{module.stem}.{sys.implementation.cache_tag}.pyc")] = (
            target.read_bytes()
        )
    return grown


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
