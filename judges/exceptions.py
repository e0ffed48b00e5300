"""What a judge reports and this project accepts: data, each entry with a reason and a source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent / "accepted"


@dataclass(frozen=True, slots=True)
class Accepted:
    """finding: a shell pattern over the finding's text. source: where the reason can be read."""

    finding: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """open: findings without an exception. unused: exceptions that match no finding any more."""

    open: list[str]
    unused: list[str]

    @property
    def passed(self) -> bool:
        """Whether nothing is left to explain or to delete."""
        return not self.open and not self.unused


def load(judge: str, folder: Path = FOLDER) -> list[Accepted]:
    """The exceptions of a judge, from `accepted/<judge>.yaml`; [] when it has none.

    Raises ValueError for an entry without a finding, a reason or a source.
    """
    path = folder / f"{judge}.yaml"
    if not path.exists():
        return []
    return [_accepted(path, entry) for entry in yaml.safe_load(path.read_text()) or ()]


def _accepted(path: Path, entry: dict[str, Any]) -> Accepted:
    missing = [name for name in ("finding", "reason", "source") if not str(entry.get(name) or "").strip()]
    if missing or set(entry) - {"finding", "reason", "source"}:
        raise ValueError(f"{path.name}: {entry!r} needs exactly finding, reason and source (missing: {missing})")
    return Accepted(**entry)


def judge(findings: Iterable[str], accepted: Iterable[Accepted]) -> Verdict:
    """Hold findings against exceptions. An exception that nothing needs is reported, so that the list stays true."""
    findings, accepted = sorted(set(findings)), list(accepted)
    open_ = [text for text in findings if not any(fnmatchcase(text, entry.finding) for entry in accepted)]
    unused = [entry.finding for entry in accepted if not any(fnmatchcase(text, entry.finding) for text in findings)]
    return Verdict(open_, unused)
