"""Reads how a part of a drill ended: its deployment's phases, the environment's record and the live alias."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.errors import NotFound
from chalicelib.domain.evidence.clean_up import CleanUpEvidence
from chalicelib.domain.model import Deployment, PhaseRecord
from chalicelib.domain.names import Names
from chalicelib.ports import Aws

from .cursor import DrillCursor
from .parts import PartEnd


def end_of(cursor: DrillCursor, child: Deployment, aws: Aws) -> PartEnd:
    """The facts after the cursor's part, of which `child` is the deployment."""
    records = {phase.name: phase for phase in aws.records.phases(child.id)}
    environment = aws.records.environment(child.environment)
    return PartEnd(
        status=child.status.value,
        phases={phase.name: phase.status.value for phase in records.values() if phase.number},
        live=environment.live.version if environment.live else "",
        alias=_alias(child.environment, aws.at(child.config.target, "run_drill")) if cursor.part != "cleanup" else "",
        before=cursor.live,
        remaining=_remaining(records),
    )


def _remaining(records: Mapping[str, PhaseRecord]) -> int | None:
    record = records.get(CleanUpEvidence.PHASE)
    clean_up = decode_lenient(CleanUpEvidence, record.evidence) if record else CleanUpEvidence()
    return None if clean_up.left is None else len(clean_up.left)


def _alias(environment: str, aws: Aws) -> str:
    """The version that gets all of the users' traffic; "" when none does."""
    try:
        live = aws.functions.aliases(Names(environment).function).get("live")
    except NotFound:
        return ""
    return live.version if live and not live.weights else ""
