"""IAM's answers as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity that AWS sees in our calls."""

    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class Decision:
    """decision: allowed, explicitDeny or implicitDeny."""

    action: str
    resource: str
    decision: str

    @property
    def allowed(self) -> bool:
        return self.decision == "allowed"
