"""What a control plane with some history answers to the console: environments, deployments, nights, secret versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.api.answers import ApiCall
from chalicelib.api.bodies import body_of
from chalicelib.api.dora import dora
from chalicelib.api.past.responses import HistoryPage, IncidentDetail, IncidentPage
from chalicelib.api.responses import (
    DeploymentPage,
    EnvironmentList,
    LoadView,
    NightList,
    SecretHistory,
    SecretVersionView,
)
from chalicelib.api.spending import costs
from chalicelib.api.spending.responses import EnvironmentCosts
from chalicelib.api.views import show_deployment, show_environment, show_with_history, show_with_phases
from chalicelib.costs.ledger import bill
from chalicelib.domain.aws.usage import Usage
from chalicelib.domain.codec import encode
from chalicelib.domain.evidence.plan import PlanEvidence, PlanLine, SettingChange
from chalicelib.domain.evidence.release import ShiftEvidence
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, FinishedRun, PhaseRecord, PhaseStatus
from chalicelib.domain.nights import Checked, NightSummary, NightVerdict, summarize
from chalicelib.domain.records import DriftRow, HistoryEntry, Incident
from chalicelib.engine.registry import PHASES

from . import FakeAws, fleet_pages
from .finished_runs import at, refused, rolled, taken_back

NOW = datetime.now(UTC)


def deployment_of(run: FinishedRun, deployment_id: str) -> Deployment:
    """As its record is once the run has ended."""
    links = {name: f"deployments/{deployment_id}/{name}" for name in ("report", "handoff")}
    return replace(
        run.deployment,
        id=deployment_id,
        status=run.status,
        summary=run.summary,
        error=run.error,
        started_at=run.deployment.created_at,
        ended_at=run.at,
        links=links,
    )


def shown(deployment: Deployment, phases: tuple[PhaseRecord, ...], load: LoadView | None = None) -> Any:
    return body_of(
        show_with_phases(deployment, phases, PHASES, bill(deployment, phases, "eu-central-1", NOW.date()), load=load)
    )


def _running(phases: tuple[PhaseRecord, ...], name: str, **other: Any) -> tuple[PhaseRecord, ...]:
    """The phases up to that one, which runs."""
    place = [phase.name for phase in phases].index(name)
    return (*phases[:place], replace(phases[place], status=PhaseStatus.RUNNING, ended_at=None, **other))


def loading(second: int) -> Any:
    """A deployment in its load test."""
    run, _ = rolled()
    deployment = replace(run.deployment, id="d-load", started_at=run.deployment.created_at)
    load = LoadView(
        second=second,
        workers=2,
        due=30 * second,
        sent=30 * second,
        good=30 * second - second // 3,
        failed=second // 3,
        unsent=0,
        p50_ms=24.0 + second % 5,
        p99_ms=61.0 + 7 * (second % 3),
    )
    return shown(deployment, _running(run.phases, "load_test", evidence={}), load)


def shifting(percent: int) -> Any:
    """A deployment that moves users."""
    run, _ = rolled()
    deployment = replace(run.deployment, id="d-shift", started_at=run.deployment.created_at)
    recorded = next(phase for phase in run.phases if phase.name == ShiftEvidence.PHASE).evidence
    steps = [step for step in recorded["weights"] if step[1] <= percent]
    judged = [each for each in recorded["judgements"] if each["percent"] < percent]
    evidence = {**recorded, "percent": percent, "weights": steps, "judgements": judged}
    return shown(deployment, _running(run.phases, "shift_traffic", evidence=evidence))


def planned() -> Any:
    """A plan with changed settings."""
    run, _ = rolled()
    evidence = PlanEvidence(
        plan=(
            PlanLine("package_artifact", "skip"),
            PlanLine("deploy_stack", "run", {"changes": ["Modify Api (AWS::ApiGateway::RestApi)"]}),
            PlanLine("release_code", "depends", {"on": "deploy_stack"}),
        ),
        text="deploy_stack would run",
        digest="c0ffee" * 10,
        settings=(
            SettingChange("memory_mb", 256, 512, "candidate"),
            SettingChange("throttle.rate_per_s", 50, 80, "users"),
            SettingChange("webhook", None, {"url": "https://example.org/<b>"}, "none"),
        ),
    )
    step = PhaseRecord(
        0, "make_plan", PhaseStatus.SUCCEEDED, at(1), at(3), "deploy_stack would run", encode(evidence), polls=1
    )
    record = replace(
        run.deployment,
        id="d-plan",
        action=Action.PLAN,
        status=DeploymentStatus.SUCCEEDED,
        summary="deploy_stack would run",
        approval={},
        started_at=at(0),
        ended_at=at(4),
    )
    return shown(record, (step,))


def history() -> list[HistoryEntry]:
    """Newest first."""
    outcomes = ("SUCCEEDED", "ROLLED_BACK", "SUCCEEDED", "SUCCEEDED", "FAILED", "SUCCEEDED", "SUCCEEDED")
    return [
        HistoryEntry(
            at=(NOW - timedelta(days=3 * days)).isoformat(),
            deployment_id=f"d-{days}",
            action="deploy",
            outcome=outcome,
            summary="Version 8 serves all traffic" if outcome == "SUCCEEDED" else "<img src=x onerror=alert(1)>",
            who="arn:aws:sts::123456789012:assumed-role/deployers/ada",
            why="Larger memory",
            requested_at=(NOW - timedelta(days=3 * days, seconds=200 + 40 * days)).isoformat(),
            users_saw_it=outcome == "ROLLED_BACK",
            diff={"memory_mb": [256, 512]},
        )
        for days, outcome in enumerate(outcomes)
    ]


def nights() -> list[NightSummary]:
    """The last eighteen, one of them bad and one busy, newest first."""
    summaries = []
    for ago in range(18):
        verdict = {4: NightVerdict.FAILED, 9: NightVerdict.BUSY}.get(ago, NightVerdict.GOOD)
        day = date(2026, 11, 26) - timedelta(days=ago)
        checked = [Checked("prod", verdict, f"d-night-{ago}"), Checked("dev", NightVerdict.GOOD, f"d-dev-{ago}")]
        summary = summarize(["prod", "dev"], checked)
        summaries.append(replace(summary, night=day.isoformat(), began_at=f"{day}T02:00:00+00:00"))
    return summaries


def pages() -> dict[str, Any]:
    """Answers by path."""
    good, _ = rolled()
    bad, _ = refused()
    back, _ = taken_back()
    prod = replace(good.environment, links={"base_url": "https://abc.example/api/v1"})
    dev = replace(prod, name="dev", live=None, last_good=None, applied={}, status="NEVER_LIVE")
    eu = replace(prod, name="eu", target=fleet_pages.THERE)
    ended = {"d-2": good, "d-3": bad, "d-4": back}
    records = [deployment_of(run, name) for name, run in ended.items()]
    secret = SecretHistory(
        "prod",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:proxyctl/prod",
        (
            SecretVersionView("9e2b77aa-new-version", at(-100), True, False, ("d-2",)),
            SecretVersionView("5c1d0e9a-old-version", at(-90_000), False, False, ("d-1", "d-0")),
        ),
    )
    drift = (
        DriftRow("alarm proxyctl-prod-errors", "threshold 0.01", "threshold 0.9", True),
        DriftRow("proxyctl-prod-proxy:live", "version 3", "version 4", False, "Roll back."),
    )
    incident = Incident(at(-90_000), "d-3", "an alarm was changed", drift, at(-3_600), "d-4", "Revalidate passed")
    detail = show_with_history(prod, history(), dora(history(), NOW))
    return {
        "/environments": body_of(EnvironmentList(tuple(map(show_environment, (prod, dev, eu))), None)),
        "/environments/eu": body_of(show_with_history(eu, (), dora((), NOW))),
        "/environments/prod": body_of(detail),
        "/environments/dev": body_of(show_with_history(dev, (), dora((), NOW))),
        "/environments/prod/secret/history": body_of(secret),
        "/environments/prod/history": body_of(HistoryPage("prod", tuple(history()), None)),
        "/environments/prod/costs": body_of(_costs(ended)),
        "/environments/prod/incidents": body_of(IncidentPage("prod", (incident,), None)),
        "/environments/prod/incidents/d-3": body_of(_incident_page(incident)),
        "/nights": body_of(NightList(tuple(nights()), None)),
        "/deployments": body_of(DeploymentPage(tuple(map(show_deployment, records)), None)),
        "/deployments/d-plan": planned(),
        "/deployments/d-load": loading(3),
        "/deployments/d-shift": shifting(10),
        **fleet_pages.pages(),
        **{f"/deployments/{name}": _ended(run, name) for name, run in ended.items()},
    }


def _ended(run: FinishedRun, deployment_id: str) -> Any:
    return shown(deployment_of(run, deployment_id), tuple(map(measured, run.phases)))


def _costs(ended: Mapping[str, FinishedRun]) -> EnvironmentCosts:
    """As the API answers it for an environment with these deployments."""
    aws = FakeAws()
    for name, run in ended.items():
        aws.records.started[name] = deployment_of(run, name)
        aws.records.recorded[name] = {phase.name: measured(phase) for phase in run.phases}
    checked = {"verdict": "GOOD", "deployment_id": "d-2"}
    aws.records.attributes["prod"] = {"status": "LIVE", "last_deployment": "d-4", "last_revalidation": checked}
    aws.records.add_history("prod", NOW.isoformat(), {"action": "deploy", "usd": 0.0093})
    call = ApiCall({"name": "prod"}, {}, {}, b"", "arn:aws:iam::123456789012:user/me")
    return costs.show(call, aws.as_aws(), lambda: NOW).body


def measured(phase: PhaseRecord) -> PhaseRecord:
    """The phase with what a warm call uses."""
    used = Usage(calls=2, gb_s=1.4, write_units=20, read_units=9, proxy_calls=12, proxy_s=2.5)
    return replace(phase, polls=2, usage=used)


def _incident_page(incident: Incident) -> IncidentDetail:
    entries = tuple(replace(entry, drift=incident.drift) for entry in history()[:2])
    return IncidentDetail(environment="prod", history=entries, **asdict(incident) | {"drift": incident.drift})
