"""The locked files: which packages, in which versions, with which hashes. Pure but for `read`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from installer.dev.lock import SETS

ROOT = Path(__file__).resolve().parent.parent
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
_COMMENT = re.compile(r"^\s*#.*$|(?<=\s)#.*$", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """One pinned package. sets: the locked files that hold it, without `.txt`. hashes: SHA-256, hexadecimal."""

    name: str
    version: str
    hashes: tuple[str, ...]
    sets: tuple[str, ...]


def read(root: Path = ROOT) -> dict[str, str]:
    """The text of each locked file by its name without `.txt`."""
    return {stem: (root / f"{stem}.txt").read_text() for stem, _ in SETS} | {
        "proxy/requirements": (root / "proxy" / "requirements.txt").read_text()
    }


def requirements(text: str) -> list[str]:
    """The requirements of a locked file, each with its continuation lines as one text."""
    joined = _COMMENT.sub("", text).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]


def findings(files: Mapping[str, str]) -> list[str]:
    """`file: requirement: what is wrong` for whatever is not pinned or has no hash."""
    lines = []
    for stem, text in files.items():
        for requirement in requirements(text):
            what = requirement.partition(" --hash")[0]
            if not _PIN.match(requirement):
                lines.append(f"{stem}.txt: {what}: not pinned to one version")
            elif not _HASH.search(requirement):
                lines.append(f"{stem}.txt: {what}: has no SHA-256")
    return lines


def packages(files: Mapping[str, str]) -> list[Package]:
    """Every package of the files, each version once, sorted."""
    merged: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for stem, text in files.items():
        for requirement in requirements(text):
            if match := _PIN.match(requirement):
                hashes, sets = merged.setdefault((match[1].lower(), match[2]), (set(), set()))
                hashes.update(_HASH.findall(requirement))
                sets.add(stem)
    return [Package(*key, tuple(sorted(hashes)), tuple(sorted(sets))) for key, (hashes, sets) in sorted(merged.items())]
