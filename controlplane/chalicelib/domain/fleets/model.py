"""A fleet deployment: environments that are rolled in waves. Times are ISO 8601, UTC.

Its record has a bounded size: members are items of their own, one an environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal

from chalicelib.domain.aws.targets import Target
from chalicelib.domain.errors import Ranges, all_within
from chalicelib.domain.records import Action, DeploymentStatus

from .promotions import Promotion


class MemberStatus(StrEnum):
    """PENDING: not begun. A member that is still PENDING when the fleet deployment has ended was never touched."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        return self in (MemberStatus.SUCCEEDED, MemberStatus.FAILED)


class Undoing(StrEnum):
    """What became of taking a member back. NOTHING: it has nothing to take back, or nowhere to go."""

    NOT_ASKED = ""
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    NOTHING = "NOTHING"

    @property
    def is_final(self) -> bool:
        return self in (Undoing.DONE, Undoing.FAILED, Undoing.NOTHING)


OnFailure = Literal["roll_back", "roll_back_wave", "keep"]
"""What happens to members that succeeded when a wave fails: all go back, those of that wave, or none."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a wave must pass before the next one begins.

    soak_s: seconds in which no alarm of the wave's environments may ring. approval: `required` waits for a person.
    tolerated_failures: share of the wave's members that may fail, in [0, 1).
    """

    RANGES: ClassVar[Ranges] = {"soak_s": (0, 86_400), "tolerated_failures": (0, 0.99)}

    soak_s: int = 0
    approval: Literal["none", "required"] = "none"
    tolerated_failures: float = 0.0

    def __post_init__(self) -> None:
        all_within("gate", self, self.RANGES)


@dataclass(frozen=True, slots=True)
class Stop:
    """Why no further member begins. by: who stopped it.

    code: Aborted, ExecutionStopped, ApprovalTimeout, AlarmRang, or that of the error because of which the alarms of a
    wave cannot be read. keeps: members that succeeded stay as they are, whatever `on_failure` says.
    """

    code: str = ""
    message: str = ""
    at: str = ""
    by: str = ""
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class FleetMember:
    """One environment of a fleet deployment. wave: from 1.

    deployment_id: its rollout; outcome: how that ended. before: the release that users had when it began, as
    (version, secret version), ("", "") for none. rollback_id: the deployment that takes it back. target: the account
    and region that it is in; None for the control plane's own, and before it has begun.
    """

    environment: str = ""
    wave: int = 0
    status: MemberStatus = MemberStatus.PENDING
    deployment_id: str = ""
    outcome: str = ""
    summary: str = ""
    before: tuple[str, str] = ("", "")
    started_at: str = ""
    ended_at: str = ""
    undone: Undoing = Undoing.NOT_ASKED
    rollback_id: str = ""
    rollback_summary: str = ""
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class FleetWave:
    """One wave. members: how many; failed: how many of them failed so far; passed_at: when its last member ended and
    no more than tolerated had failed, "" until then. approved_by, approved_at: who let the next wave begin."""

    number: int = 0
    members: int = 0
    failed: int = 0
    passed_at: str = ""
    approved_by: str = ""
    approved_at: str = ""

    def tolerates(self, gate: Gate) -> bool:
        """Whether no more of its members failed than the gate tolerates."""
        return self.failed <= int(self.members * gate.tolerated_failures + 1e-9)


@dataclass(frozen=True, slots=True)
class FleetDeployment:
    """One POST /fleets/{name}/deployments.

    body: what each member's POST /deployments is made of, without `environment`. promotion: what action promote rolls
    in every wave; bundle: the control plane's bundle when it began, which every wave of a deploy rolls.
    waves, members: how many. wave: the one that runs, 0 before the first. approval: task token and deadline.
    """

    id: str
    fleet: str
    action: Action
    status: DeploymentStatus
    created_at: str
    body: Mapping[str, Any] = field(default_factory=dict)
    gate: Gate = field(default_factory=Gate)
    on_failure: OnFailure = "roll_back"
    at_once: int = 10
    waves: int = 0
    members: int = 0
    wave: int = 0
    caller: str = ""
    reason: str = ""
    promotion: Promotion | None = None
    bundle: str = ""
    execution_arn: str = ""
    started_at: str | None = None
    ended_at: str | None = None
    summary: str = ""
    error: Mapping[str, str] | None = None
    stop: Stop | None = None
    approval: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fleet:
    """A name under which environments are rolled. running: the fleet deployment that holds it, "" for none."""

    name: str = ""
    running: str = ""
    last_deployment: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class FleetRow:
    """A fleet deployment as lists show it."""

    id: str = ""
    status: str = ""
    action: str = ""
    created_at: str = ""
    ended_at: str = ""
    waves: int = 0
    members: int = 0
    summary: str = ""
    caller: str = ""


@dataclass(frozen=True, slots=True)
class FleetState:
    """A fleet deployment with its waves and members, in their order."""

    deployment: FleetDeployment
    waves: Sequence[FleetWave]
    members: Sequence[FleetMember]

    def of_wave(self, number: int) -> list[FleetMember]:
        """The members of one wave."""
        return [member for member in self.members if member.wave == number]

    def has_begun(self, number: int) -> bool:
        """Whether any member of a wave has begun; False beyond the last wave."""
        return any(member.status is not MemberStatus.PENDING for member in self.of_wave(number))
