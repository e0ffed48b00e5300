"""What a phase is given and what it answers.

A phase module has `run(request, aws) -> Result` and, when the work can be left out because nothing changed,
`fingerprint(request, aws) -> str`. The runner compares that with what the phase last applied in this environment:
equal means SKIPPED without a call of `run`; else the phase runs, and the fingerprint that stands afterwards is kept.
It is compared with what was *applied*, not with the last good release: a failed deployment changes the world too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.domain.config import Config, Options
from chalicelib.domain.model import Action, Environment, Evidence


class Status(StrEnum):
    """What a single call of a phase may answer; a failure is raised, not answered."""

    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    IN_PROGRESS = "IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Request:
    """All that a phase may know. `now` is UTC; `seed` feeds whatever must look random.

    results: evidence by name of the phases that ended in this deployment; of a skipped one, what it had applied.
    cursor: what this phase itself noted when it last answered IN_PROGRESS, {} on the first call.
    started_at: when the first call of this phase in this deployment began.
    error: what the state machine caught, for the steps that end a deployment.
    token: Step Functions' task token, for the step that waits for a person.
    plan: whether each phase would be skipped if the same deployment were asked for now; filled for a module that
    sets `WANTS_PLAN` (`again` or `ahead`, see the runner), {} for all others.
    """

    deployment_id: str
    environment: Environment
    action: Action
    config: Config
    options: Options
    now: datetime
    started_at: datetime
    seed: str = ""
    cursor: Evidence = field(default_factory=dict)
    results: Mapping[str, Evidence] = field(default_factory=dict)
    error: Mapping[str, str] | None = None
    token: str = ""
    plan: Mapping[str, bool] = field(default_factory=dict)

    @property
    def elapsed_s(self) -> float:
        """Seconds since this phase's first call."""
        return (self.now - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Result:
    """What a phase did and saw. `summary` is one sentence for people; `evidence` holds ids, digests and counts.

    fan_out: how many workers the state machine must run before the next call; for a phase that has workers.
    """

    status: Status
    summary: str
    evidence: Evidence = field(default_factory=dict)
    cursor: Evidence = field(default_factory=dict)
    poll_after_s: int = 0
    fan_out: int = 0

    @classmethod
    def done(cls, summary: str, **evidence: Any) -> Result:
        return cls(Status.SUCCEEDED, summary, evidence)

    @classmethod
    def skipped(cls, summary: str, **evidence: Any) -> Result:
        return cls(Status.SKIPPED, summary, evidence)

    @classmethod
    def in_progress(cls, summary: str, *, poll_after_s: int, cursor: Evidence | None = None, **evidence: Any) -> Result:
        """AWS takes its time: call again after `poll_after_s` whole seconds (at least 1), with this `cursor`."""
        return cls(Status.IN_PROGRESS, summary, evidence, cursor or {}, max(1, poll_after_s))
