"""Evidence of acquire_lock and record_outcome: how a deployment takes its environment, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class LockEvidence:
    """execution_arn: the execution that holds the environment's lock. lease_until: epoch seconds.

    put_back: where the live alias was, and where it is or would be put; "" when it was in place. recovered: what was
    rebuilt of a record that someone had deleted, "" for nothing.
    """

    PHASE: ClassVar[str] = "acquire_lock"

    execution_arn: str = ""
    lease_until: float = 0
    put_back: str = ""
    recovered: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeEvidence:
    """outcome: the deployment's final status. environment_kept: whether the environment's record was written, too;
    False when another deployment holds the environment. users: after a failure, the version that they are on and
    whether it answers. documents: why report and handoff could not be written, "" when they were."""

    PHASE: ClassVar[str] = "record_outcome"

    outcome: str = ""
    environment_kept: bool = False
    users: str = ""
    documents: str = ""
