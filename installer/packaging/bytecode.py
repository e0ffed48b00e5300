"""Bytecode for Lambda: compiled when packaged, because Lambda's file system cannot store it and imports take twice
as long without it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from installer.errors import CommandFailed

_LIMIT_S = 300


def compile_tree(folder: Path) -> None:
    """Put unchecked hash-based bytecode of this interpreter's version beside every module.

    Unchecked: a Lambda's files never change, and a check would read each source. Hash-based: no timestamp inside.
    Tracebacks show paths of Lambda, not of this machine. Raises CommandFailed for a module that does not compile.
    """
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", "/var/task", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)  # noqa: S603 - fixed
    if done.returncode:
        raise CommandFailed(f"{folder.name} does not compile: {done.stdout.strip() or done.stderr.strip()}")


def source_of(path: str) -> str:
    """The module that a path belongs to: `a/b.py` for `a/__pycache__/b.cpython-311.pyc`, otherwise the path itself."""
    parts = PurePosixPath(path)
    if parts.suffix != ".pyc":
        return path
    return str(parts.parent.parent / f"{parts.name.split('.')[0]}.py")


def without(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The tree without bytecode, which sources and interpreter version determine.

    Two builds of one Python version may marshal the same code differently, so bytecode takes no part in a digest.
    """
    return {path: content for path, content in files.items() if not path.endswith(".pyc")}
