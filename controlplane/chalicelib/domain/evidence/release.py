"""Evidence of release_code, shift_traffic, bake and roll_back: what happens to a version and to users' traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from .comparison import AgainstRecord, Compared


@dataclass(frozen=True, slots=True)
class ReleaseEvidence:
    """The function version that the candidate alias points at, and what the candidate said of itself.

    version: number; published: whether this deployment published it. environment: names of the variables, sorted.
    health: the JSON body of the candidate's `/health`. stranger: what happened when a role without business with the
    secret tried to read it. pruned: versions that were deleted.
    """

    PHASE: ClassVar[str] = "release_code"

    version: str = ""
    published: bool = False
    code_sha256: str = ""
    artifact_digest: str = ""
    fingerprint: str = ""
    memory_mb: int = 0
    timeout_s: int = 0
    environment: tuple[str, ...] = ()
    health: Mapping[str, object] = field(default_factory=dict)
    execution_role_reads_secret: bool = False
    stranger: str = ""
    pruned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """One step of a shift. percent: users' share on the candidate; against_live: verdict, or `NOT RUN: …`.

    at: when it was judged, ISO 8601; "" in records of earlier versions. p_value: of the comparison of failures, valid
    at every look; counts: invocations and errors by `candidate…` and `live…` since the shift began.
    """

    percent: int = 0
    alarms: str = ""
    against_live: str = ""
    p_value: float | None = None
    counts: Mapping[str, int] | None = None
    at: str = ""


@dataclass(frozen=True, slots=True)
class ShiftEvidence:
    """How users moved. from_version: None when no traffic was moved, "" when there was no live version before.

    comparisons: candidate and live, from the load test through the last step. live_times: the live version's times in
    the steps, by series, as base64 of encoded histograms; the bake compares with them.
    percent: users' share on `version` at the step that is being judged; None before the first step.
    secret_version, secret_from: the secret version that users get now, and the one before; "" when it did not change.
    weights: (when, users' share on `version` in percent from then on) for each step that was taken, ISO 8601.
    """

    PHASE: ClassVar[str] = "shift_traffic"

    from_version: str | None = None
    version: str = ""
    percent: int | None = None
    steps_percent: tuple[int, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    weights_act: str = ""
    comparisons: tuple[Compared, ...] = ()
    live_times: Mapping[str, str] = field(default_factory=dict)
    secret_version: str = ""
    secret_from: str = ""
    weights: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class BakeEvidence:
    """alarms: state by name at the end; looks: how often they were read; watched_s: seconds; without_data: names of
    alarms in INSUFFICIENT_DATA. failures: the comparisons with the version before, in words; against_record: the same
    as figures."""

    PHASE: ClassVar[str] = "bake"

    alarms: Mapping[str, str] = field(default_factory=dict)
    looks: int = 0
    watched_s: int = 0
    without_data: tuple[str, ...] = ()
    failures: str = ""
    against_record: tuple[AgainstRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class RollBackEvidence:
    """version: the one that both aliases are on now; moved: the version that each moved alias left, by alias.

    secret_version: the secret version that users are back on; "" when it was not changed. secret_to: the one that the
    release ran with, "" when it is not on record.
    release_of: deployment that made the release; to: when it was good, ISO 8601; live: the version that stays live
    when there is no good release; hushed: test alarms that were reset to OK.
    """

    PHASE: ClassVar[str] = "roll_back"

    version: str = ""
    moved: Mapping[str, str] = field(default_factory=dict)
    release_of: str = ""
    to: str = ""
    live: str | None = None
    hushed: tuple[str, ...] | None = None
    secret_version: str = ""
    secret_to: str = ""
