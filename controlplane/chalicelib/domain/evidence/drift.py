"""Evidence of check_drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Severity = Literal["drift", "info"]
DRIFT: Severity = "drift"
INFO: Severity = "info"


@dataclass(frozen=True, slots=True)
class DriftFinding:
    """One difference between an environment and its record.

    kind: stack, alias, settings, secret, alarm or address. where: the resource or the value; expected, found: its
    recorded and its present state. severity: `drift` fails a revalidation, `info` does not. heals: whether
    `options.heal` restores it. deliberate: whether someone may have made the difference in an emergency, so that
    nothing takes it back unasked.
    """

    kind: str = ""
    where: str = ""
    expected: str = ""
    found: str = ""
    remedy: str = ""
    severity: Severity = DRIFT
    heals: bool = False
    deliberate: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.where} is {self.found}, not {self.expected}"


@dataclass(frozen=True, slots=True)
class DriftEvidence:
    """The findings at the end. healed: one line for each restored kind; not_healed: drift that `options.heal` left.

    repaired: findings that were there before the repair, and are gone.
    """

    PHASE: ClassVar[str] = "check_drift"

    findings: tuple[DriftFinding, ...] = ()
    healed: tuple[str, ...] = ()
    not_healed: tuple[str, ...] = ()
    repaired: tuple[DriftFinding, ...] = ()
