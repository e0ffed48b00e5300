"""The code that a cloud's processes run, as a digest: it tells a cloud of this version from one of another."""

import hashlib
from pathlib import Path

# What the processes load once, at their start. Docs, tests and the starter itself may change while a cloud runs.
_PARTS = ("inside/*.py", "emulator.py", "emf.py", "pump.py", "stand_in.py", "strict.py", "requirements-emulator.txt")


def digest(root: Path) -> str:
    """Digest of the files' names and content, without regard to the order in which a file system lists them."""
    paths = sorted(path for pattern in _PARTS for path in (root / "local").glob(pattern))
    digests = [f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
