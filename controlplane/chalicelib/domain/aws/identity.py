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

    @property
    def is_explicit(self) -> bool:
        """Whether a Deny statement matched."""
        return self.decision == "explicitDeny"


@dataclass(frozen=True, slots=True)
class Simulation:
    """That IAM's simulator allowed everything that a policy of this digest grants its role.

    until: ISO 8601; from then on it is asked again. by_text: actions that the policy's text decided.
    """

    digest: str
    until: str
    by_text: tuple[str, ...] = ()
