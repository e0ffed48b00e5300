"""The contract between the runner and a phase: the request, the result, and the Phase protocol.

The runner compares a phase's fingerprint with the one that the phase last applied in this environment. Equal means
SKIPPED without a call of `run`; else the phase runs, and the fingerprint that holds afterwards is stored. The last
*applied* fingerprint counts, not that of the last good release, because a failed deployment changes AWS, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeVar

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.fleets.promotions import Promotion, secret_version_id
from chalicelib.domain.model import Action, Environment, Evidence
from chalicelib.domain.names import Names
from chalicelib.domain.options import Options
from chalicelib.ports import Aws

from .polling import next_poll_s


class Status(StrEnum):
    """The status of one call of a phase. A failure is raised, not returned."""

    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    IN_PROGRESS = "IN_PROGRESS"


class OfPhase(Protocol):
    """A type of evidence (`domain/evidence/`); PHASE names the phase that writes it."""

    PHASE: ClassVar[str]


K = TypeVar("K", bound=OfPhase)
C = TypeVar("C")
E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Results:
    """Evidence of the phases that ended in this deployment. A skipped phase counts with what it applied earlier."""

    recorded: Mapping[str, Evidence] = field(default_factory=dict)

    def of(self, kind: type[K]) -> K:
        """The evidence of the phase that `kind` belongs to. Raises PhaseFailed (EvidenceMissing) when that phase has
        not ended."""
        evidence = self.find(kind)
        if evidence is None:
            raise PhaseFailed(
                f"{kind.PHASE} has not ended in this deployment, so there is no evidence of it",
                code="EvidenceMissing",
                remedy="Deploy again with options.force.",
            )
        return evidence

    def find(self, kind: type[K]) -> K | None:
        """The same; None when that phase has not ended."""
        evidence = self.recorded.get(kind.PHASE)
        return None if evidence is None else decode_lenient(kind, dict(evidence))

    def also(self, phase: str, evidence: Evidence) -> Results:
        """These results and the evidence of one more phase."""
        return Results({**self.recorded, phase: evidence})


def applied_as(environment: Environment, kind: type[K]) -> K | None:
    """The evidence that a phase left when it was last applied in this environment; None when it never was."""
    applied = environment.applied.get(kind.PHASE)
    return None if applied is None else decode_lenient(kind, dict(applied.evidence))


@dataclass(frozen=True, slots=True)
class Waits:
    """How many calls in succession the phase has waited for the same step."""

    step: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """The input of one call of a phase. `now` is UTC; `seed` seeds everything random.

    cursor: the phase's cursor of its last IN_PROGRESS result, {} on the first call; read it with `cursor_as`.
    started_at: when the first call of this phase in this deployment began.
    error: the error that the state machine caught, for the steps that end a deployment.
    token: Step Functions' task token, for the step that waits for an approval.
    plan: by phase, whether it would be skipped if the same deployment started now; only for a phase whose `Phase.plan`
    asks for it, else {}.
    unchanged: the SKIPPED results of the phases that come next, in their order, up to the first that has something to
    do; only for a phase with `Plan.SKIP`, else {}.
    promotion: the release that action promote rolls; None for any other action. pinned: see `Deployment.bundle`.
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
    waits: Waits = Waits()
    results: Results = field(default_factory=Results)
    error: Mapping[str, str] | None = None
    token: str = ""
    plan: Mapping[str, bool] = field(default_factory=dict)
    unchanged: Mapping[str, Result[object]] = field(default_factory=dict)
    promotion: Promotion | None = None
    pinned: str = ""

    def bundle(self, aws: Aws) -> str:
        """Key of the bundle whose code and template this deployment rolls."""
        return self.promotion.bundle if self.promotion else self.pinned or aws.settings.bundle_key

    @property
    def secret_version(self) -> str | None:
        """ID of the secret version that this deployment rolls: the one that the request names, or the one with the
        promoted models, which exists only where they differ from the environment's. None for neither."""
        return secret_version_id(self.deployment_id) if self.promotion else self.options.secret_version

    @property
    def names(self) -> Names:
        """The names of the environment's resources."""
        return Names(self.environment.name)

    @property
    def elapsed_s(self) -> float:
        """Seconds since this phase's first call."""
        return (self.now - self.started_at).total_seconds()

    @property
    def is_first_call(self) -> bool:
        """Whether no earlier call of this phase in this deployment has answered IN_PROGRESS."""
        return not self.cursor and not self.waits.step

    def cursor_as(self, kind: type[C]) -> C:
        """The cursor; all defaults on the first call. Fields of another version of the control plane are ignored."""
        return decode_lenient(kind, dict(self.cursor))

    def wait(self, summary: str, *, step: str, cursor: object = None, evidence: E_co | None = None) -> Result[E_co]:
        """IN_PROGRESS while AWS is not ready; the pause grows while the phase waits for the same `step`.

        step: a few words that name what the phase waits for, never "".
        """
        count = self.waits.count if step == self.waits.step else 0
        return Result(Status.IN_PROGRESS, summary, evidence, cursor, next_poll_s(count), waits=Waits(step, count + 1))


@dataclass(frozen=True, slots=True)
class Result(Generic[E_co]):
    """The outcome of one call. `summary` is one sentence for people.

    evidence: the phase's evidence dataclass; partial while IN_PROGRESS. cursor: its cursor dataclass.
    poll_after_s: whole seconds until the next call, at least 1, while IN_PROGRESS; else 0.
    fan_out: number of workers that the state machine runs before the next call; 0 for a phase without workers.
    next: the phase or step that the state machine goes on with, where the result decides it; else "".
    """

    status: Status
    summary: str
    evidence: E_co | None = None
    cursor: object = None
    poll_after_s: int = 0
    fan_out: int = 0
    waits: Waits = Waits()
    next: str = ""

    @classmethod
    def done(cls, summary: str, evidence: E_co | None = None) -> Result[E_co]:
        return cls(Status.SUCCEEDED, summary, evidence)

    @classmethod
    def skipped(cls, summary: str, evidence: E_co | None = None) -> Result[E_co]:
        return cls(Status.SKIPPED, summary, evidence)

    @classmethod
    def in_progress(
        cls,
        summary: str,
        *,
        poll_after_s: int,
        cursor: object = None,
        evidence: E_co | None = None,
    ) -> Result[E_co]:
        """Ask for another call after `poll_after_s` whole seconds (at least 1). See also `Request.wait`."""
        return cls(Status.IN_PROGRESS, summary, evidence, cursor, max(1, poll_after_s))


class Plan(StrEnum):
    """For which phases the runner computes whether they would be skipped now, as input of this phase."""

    NONE = "none"
    AGAIN = "again"  # phases that ended in this deployment
    AHEAD = "ahead"  # phases that were ever applied
    SKIP = "skip"  # phases that come next, with their results: see Request.unchanged


Run = Callable[[Request, Aws], Result[E_co]]
Fingerprint = Callable[[Request, Aws], str]
Look = Callable[[Request, Aws], "Result[E_co] | None"]


@dataclass(frozen=True, slots=True)
class NoCursor:
    """The cursor of a phase that never answers IN_PROGRESS, or that needs no cursor when it does."""


class Phase(Protocol):
    """A phase or step as the runner uses it. Each room defines `run.PHASE` with `Definition`.

    run: one call. Idempotent: a second call changes nothing and says so.
    fingerprint: one string over all inputs and the state in AWS, equal exactly when there is nothing to do; None for a
    phase that always runs.
    unchanged: for a step without fingerprint: its SKIPPED result when reads alone show that it has nothing to do, None
    when it must run.
    """

    @property
    def run(self) -> Run[object]: ...
    @property
    def evidence(self) -> type[object]: ...
    @property
    def cursor(self) -> type[object]: ...
    @property
    def fingerprint(self) -> Fingerprint | None: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def unchanged(self) -> Look[object] | None: ...


@dataclass(frozen=True, slots=True)
class Definition(Generic[E_co]):
    """A room's Phase: `PHASE = Definition(run, StackEvidence, StackCursor, fingerprint)`."""

    run: Run[E_co]
    evidence: type[E_co]
    cursor: type[object] = NoCursor
    fingerprint: Fingerprint | None = None
    plan: Plan = Plan.NONE
    unchanged: Look[E_co] | None = None
