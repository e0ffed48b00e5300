"""What a control plane with a fleet in two accounts answers to the console."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalicelib.api.bodies import body_of
from chalicelib.api.fleets.report import report_of
from chalicelib.api.fleets.responses import FleetDeploymentPage, FleetList
from chalicelib.api.fleets.views import show
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.fleets.model import (
    Fleet,
    FleetDeployment,
    FleetMember,
    FleetRow,
    FleetState,
    FleetWave,
    Gate,
    MemberStatus,
    Undoing,
)
from chalicelib.domain.model import Action, DeploymentStatus

from .finished_runs import at

CALLER = "arn:aws:sts::123456789012:assumed-role/deployers/ada"
ROLE = "arn:aws:iam::222222222222:role/proxyctl-target-eu-west-1"
THERE = Target(ROLE, "shop-7f3a", "eu-west-1")
_ROLLED, _REFUSED = "Version 8 serves all traffic", "p99 2,310 ms, limit 900 ms: <b>fail</b>"


def _member(name: str, wave: int, target: Target | None, **other: Any) -> FleetMember:
    ended = FleetMember(name, wave, MemberStatus.SUCCEEDED, "d-2", "SUCCEEDED", _ROLLED, target=target)
    return replace(ended, started_at=at(10 * wave), ended_at=at(10 * wave + 9), **other)


def failed() -> FleetState:
    """The second wave failed, and the first was taken back."""
    deployment = FleetDeployment(
        id="f-failed", fleet="shops", action=Action.PROMOTE, status=DeploymentStatus.ROLLED_BACK, created_at=at(0),
        waves=3, members=4, wave=2, gate=Gate(soak_s=600), caller=CALLER, reason="a new model", started_at=at(0),
        ended_at=at(90), summary=f"Wave 2 of 3 stopped the fleet, 1 of 2 environments failed: eu: {_REFUSED}",
        error={"code": "WaveFailed", "message": f"Wave 2 of 3 stopped the fleet: eu: {_REFUSED}",
               "remedy": "GET /fleets/shops/deployments/f-failed shows every environment and its deployment."},
    )  # fmt: skip
    back = {"undone": Undoing.DONE, "rollback_id": "d-4", "rollback_summary": "Users are on version 7"}
    members = (
        _member("canary", 1, None, **back),
        _member(
            "eu", 2, THERE, status=MemberStatus.FAILED, deployment_id="d-3", outcome="ROLLED_BACK", summary=_REFUSED
        ),
        _member("us", 2, None, **back),
        FleetMember("a-name-of-20-letters", 3),
    )
    return FleetState(deployment, (FleetWave(1, 1, 0, at(20)), FleetWave(2, 2, 1), FleetWave(3, 1)), members)


def waiting() -> FleetState:
    """The first wave has passed; the next one needs an approval."""
    deployment = FleetDeployment(
        id="f-waiting", fleet="shops", action=Action.DEPLOY, status=DeploymentStatus.WAITING_APPROVAL,
        created_at=at(0), waves=2, members=3, wave=1, gate=Gate(approval="required"), caller=CALLER, started_at=at(0),
        execution_arn="arn:aws:states:eu-central-1:123456789012:execution:proxyctl-fleet:f-waiting",
        approval={"token": "t", "until": at(86_400), "wave": 1},
    )  # fmt: skip
    members = (_member("canary", 1, THERE), FleetMember("eu", 2), FleetMember("us", 2))
    return FleetState(deployment, (FleetWave(1, 1, 0, at(20)), FleetWave(2, 2)), members)


def running(ended: int) -> FleetState:
    """The second of three waves runs; so many of its four environments have ended."""
    deployment = replace(waiting().deployment, id="f-running", status=DeploymentStatus.RUNNING, wave=2, approval={})
    names = ("eu", "us", "asia", "africa")
    second = [
        _member(name, 2, THERE)
        if place < ended
        else replace(_member(name, 2, None), status=MemberStatus.RUNNING, outcome="", summary="", ended_at="")
        for place, name in enumerate(names)
    ]
    waves = (FleetWave(1, 1, 0, at(20), CALLER, at(30)), FleetWave(2, 4), FleetWave(3, 1))
    return FleetState(deployment, waves, (_member("canary", 1, None), *second, FleetMember("rest", 3)))


def _row(state: FleetState) -> FleetRow:
    deployment = state.deployment
    return FleetRow(
        id=deployment.id,
        status=deployment.status.value,
        action=deployment.action.value,
        created_at=deployment.created_at,
        ended_at=deployment.ended_at or "",
        waves=len(state.waves),
        members=len(state.members),
        summary=deployment.summary,
        caller=deployment.caller,
    )


def pages() -> dict[str, Any]:
    """Answers by path."""
    states = (waiting(), running(1), failed())
    fleets = (Fleet("shops", "f-waiting", "f-waiting", at(0)), Fleet("banks", "", "f-failed", at(0)))
    path = "/fleets/shops/deployments"
    shown = {f"{path}/{state.deployment.id}": show(state) for state in states}
    return {
        "/fleets": body_of(FleetList(fleets, "more")),
        path: body_of(FleetDeploymentPage("shops", tuple(map(_row, states)), None)),
        **{place: body_of(view) for place, view in shown.items()},
        **{f"{place}/report": report_of(view).encode() for place, view in shown.items()},
    }
