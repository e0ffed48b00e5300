"""Fake ports with something in them: an environment that is live, one that is busy, deployments, a secret, a night."""

from __future__ import annotations

from typing import Any

from chalicelib.api import deployments, secrets
from chalicelib.api.fleets import fleet_deployments
from chalicelib.domain.evidence.load import LoadEvidence
from chalicelib.domain.model import DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.domain.records import DriftRow, Incident
from chalicelib.engine import registry

from tests.fakes import FakeAws
from tests.fakes.calls import ask
from tests.fakes.measuring import MeasuringAws

AT = "2026-01-01T00:00:00.000+00:00"
LIVE, BUSY, FLEET = "dev", "busy", "shops"
SECRET = {"schema": 2, "api_key": "sk-abcdefghijklmnopqrst", "models": {"fast": {"target": "gpt-4o-mini"}}}


def populated() -> tuple[FakeAws, dict[str, Any]]:
    """The ports, and what a request may name: `id` of the ended deployment with all phases, `name` of the live
    environment, `running` of a deployment that goes on, `fleet` of one of fleet `shops` that goes on."""
    aws = MeasuringAws()
    ask(aws, secrets.put, SECRET, name=LIVE)
    ended: str = ask(aws, deployments.start, {"environment": LIVE}).body["id"]
    for number, name in enumerate((*registry.PHASES, *registry.STEPS), 1):
        aws.records.put_phase(ended, _phase(number if name in registry.PHASES else 0, name))
    aws.artifacts.put("reports/report.html", b"<!doctype html>", content_type="text/html")
    _end(aws, ended)
    running: str = ask(aws, deployments.start, {"environment": BUSY}).body["id"]
    aws.nights.conclude("2026-01-01", {"asked": 1, "good": 1, "night": "2026-01-01"})
    fleet: str = ask(aws, fleet_deployments.start, {"waves": [[LIVE]]}, name=FLEET).body["id"]
    return aws, {"id": ended, "name": LIVE, "running": running, "fleet": fleet}


def _phase(number: int, name: str) -> PhaseRecord:
    evidence: dict[str, object] = {}
    if name == "write_handoff":
        evidence = {"report.html": "reports/report.html", "handoff.md": "reports/report.html"}
    if name == LoadEvidence.PHASE:
        evidence = {"verdict": "PASSED", "sent": 120, "response_ms": {"p50": 12.5, "p99": 40}}
    return PhaseRecord(number, name, PhaseStatus.SUCCEEDED, AT, AT, "Done", evidence)


def _end(aws: FakeAws, deployment_id: str) -> None:
    error = {"code": "SloFailed", "message": "p99 is too high", "remedy": "Raise it."}
    aws.records.update_deployment(
        deployment_id, {"status": DeploymentStatus.FAILED.value, "started_at": AT, "ended_at": AT, "error": error}
    )
    release = {"version": "1", "deployment_id": deployment_id, "at": AT, "config": {"memory_mb": 512}}
    aws.records.update_environment(
        LIVE,
        {
            "status": "LIVE",
            "lock": None,
            "live": release,
            "last_good": release,
            "incident": {"opened_at": AT, "opened_by": deployment_id, "why": "drift"},
            "last_revalidation": {"at": AT, "verdict": "GOOD", "deployment_id": deployment_id},
            "applied": {},
        },
    )
    entry = {
        "deployment_id": deployment_id,
        "action": "deploy",
        "outcome": "SUCCEEDED",
        "diff": {"version": ["1", "2"]},
        "drift": [{"where": "alarm a", "expected": "there", "found": "gone", "healed": True, "remedy": ""}],
    }
    row = DriftRow("live", "version 1", "version 2", False, "Roll back.")
    aws.records.record_incident(LIVE, Incident(AT, deployment_id, "drift", (row,)))
    aws.records.add_history(LIVE, "2026-01-02T00:00:00+00:00", entry)
