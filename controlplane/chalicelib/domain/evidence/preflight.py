"""Evidence of preflight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem. blocks: whether it stops the deployment, else it is a warning.

    check: what was checked (`permissions`, `quotas`, `artifact` …). field: the input at fault, "" for none.
    """

    check: str = ""
    message: str = ""
    remedy: str = ""
    blocks: bool = True
    field: str = ""


@dataclass(frozen=True, slots=True)
class Simulated:
    """How many actions of how many roles IAM's simulator decided on. not_run: `NOT RUN, conditional: …`.

    remembered: how many of the roles an earlier deployment asked about. by_text: `policy action` of what the simulator
    cannot judge, and the text of the role's policy allows.
    """

    roles: int = 0
    actions: int = 0
    not_run: str | None = None
    remembered: int | None = None
    by_text: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """The artifact's number of files, and its size unpacked in bytes; None when it was not built."""

    files: int | None = None
    unpacked_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PreflightEvidence:
    """Who would deploy where, what was checked, and every finding. caller: ARN."""

    PHASE: ClassVar[str] = "preflight"

    account: str = ""
    caller: str = ""
    region: str = ""
    environment: str = ""
    simulated: Simulated = Simulated()
    artifact: Build = Build()
    findings: tuple[Finding, ...] = ()
