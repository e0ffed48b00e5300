"""`ports.records` in memory, with the same conditions as the table's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.adapters.items import to_environment
from chalicelib.domain.errors import Aborted, Conflict, LockLost, NotFound
from chalicelib.domain.model import (
    Applied,
    Deployment,
    DeploymentStatus,
    Environment,
    EnvironmentPage,
    Lock,
    Page,
    PhaseRecord,
)
from chalicelib.domain.records import Claim, Ending, Incident

from .pages import page_of


def _target_of(deployment: Deployment) -> dict[str, str] | None:
    target = deployment.config.target
    return dataclasses.asdict(target) if target else None


class FakeRecords:
    """Keeps attributes as the table does, so that what is written in one shape is read in the other."""

    def __init__(self) -> None:
        self.started: dict[str, Deployment] = {}
        self.claims: dict[str, tuple[str, str]] = {}
        self.attributes: dict[str, dict[str, Any]] = {}
        self.recorded: dict[str, dict[str, PhaseRecord]] = {}
        self.noted: dict[str, list[dict[str, Any]]] = {}
        self.incidents: dict[str, dict[str, Incident]] = {}
        self.past: dict[str, list[dict[str, Any]]] = {}

    def start(self, deployment: Deployment, lock: Lock, claim: Claim | None, takes_over: Lock | None) -> None:
        if claim and claim.key in self.claims:
            by, body = self.claims[claim.key]
            raise Conflict("used before", claimed_by=by, body_sha256=body)
        held = self.environment(deployment.environment).lock
        if held and not (takes_over and held.deployment_id == takes_over.deployment_id):
            raise Conflict("busy", code="EnvironmentBusy", holder=held.deployment_id)
        self.started[deployment.id] = deployment
        if claim:
            self.claims[claim.key] = (deployment.id, claim.body_sha256)
        self.attributes.setdefault(deployment.environment, {}).update(
            lock=dataclasses.asdict(lock),
            last_deployment=deployment.id,
            updated_at=deployment.created_at,
            target=_target_of(deployment),
        )

    def enqueue(self, deployment: Deployment, claim: Claim | None) -> None:
        if claim and claim.key in self.claims:
            by, body = self.claims[claim.key]
            raise Conflict("used before", claimed_by=by, body_sha256=body)
        self.started[deployment.id] = deployment
        if claim:
            self.claims[claim.key] = (deployment.id, claim.body_sha256)

    def claimed(self, key: str) -> Claim | None:
        return Claim(key, self.claims[key][1]) if key in self.claims else None

    def claim(self, claim: Claim, subject: str, at: str) -> None:
        if claim.key in self.claims:
            raise Conflict("used before", claimed_by=subject)
        self.claims[claim.key] = (subject, claim.body_sha256)

    def next_in_line(self, environment: str) -> Deployment | None:
        waiting = [item for item in self.started.values() if item.environment == environment and item.waiting]
        return min(waiting, key=lambda item: (item.created_at, item.id), default=None)

    def take_turn(self, deployment: Deployment, lock: Lock) -> None:
        name = deployment.environment
        if self.environment(name).lock or not self.deployment(deployment.id).waiting:
            raise Conflict("busy", code="EnvironmentBusy")
        self.attributes.setdefault(name, {}).update(
            lock=dataclasses.asdict(lock), last_deployment=deployment.id, target=_target_of(deployment)
        )
        self.started[deployment.id] = dataclasses.replace(
            self.deployment(deployment.id), waiting=False, summary="", config=deployment.config
        )

    def leave_line(self, deployment: Deployment, changes: Mapping[str, Any]) -> None:
        if not self.deployment(deployment.id).waiting:
            raise Conflict("waits no more")
        self.update_deployment(deployment.id, changes)

    def deployment(self, deployment_id: str) -> Deployment:
        if deployment_id not in self.started:
            raise NotFound(f"there is no deployment {deployment_id}", field="id")
        return self.started[deployment_id]

    def deployments(
        self, environment: str | None, status: DeploymentStatus | None, limit: int, cursor: str | None
    ) -> Page:
        result = sorted(self.started.values(), key=lambda item: item.created_at, reverse=True)
        wanted = [
            item
            for item in result
            if (environment is None or item.environment == environment) and (status is None or item.status is status)
        ]
        return Page(*page_of(wanted, limit, cursor))

    def update_deployment(self, deployment_id: str, changes: Mapping[str, Any]) -> None:
        stands = self.deployment(deployment_id)
        if stands.status.is_final:
            raise Conflict("has ended already")
        given = dict(changes)
        if "status" in given:
            given["status"] = DeploymentStatus(given["status"])
        if given.get("links", ...) is None:
            given["links"] = {}
        self.started[deployment_id] = dataclasses.replace(stands, **given)

    def end(self, deployment: Deployment, ending: Ending) -> None:
        self._may_end(deployment, ending)
        self._held(deployment.environment, deployment.id)
        self._held_by(deployment.environment, ending.execution_arn)
        self.end_without(deployment, ending)
        attributes = self.attributes[deployment.environment]
        attributes.update(ending.environment)
        attributes["lock"] = None
        for phase in ending.forgets:
            attributes.pop(f"applied_{phase}", None)
        self.add_history(deployment.environment, ending.at, ending.history)

    def end_without(self, deployment: Deployment, ending: Ending) -> None:
        self._may_end(deployment, ending)
        self.update_deployment(deployment.id, ending.deployment)
        self.add_event(deployment.id, ending.at, f"deployment.{str(ending.deployment['status']).lower()}", {})

    def _may_end(self, deployment: Deployment, ending: Ending) -> None:
        stands = self.deployment(deployment.id)
        if stands.status.is_final:
            raise Conflict("has ended already")
        if ending.unless_aborted and stands.abort_requested:
            raise Aborted("was asked to stop")

    def phases(self, deployment_id: str) -> Sequence[PhaseRecord]:
        result = self.recorded.get(deployment_id, {}).values()
        return sorted(result, key=lambda phase: (phase.number, phase.name))

    def put_phase(self, deployment_id: str, phase: PhaseRecord) -> None:
        self.recorded.setdefault(deployment_id, {})[phase.name] = phase

    def put_phase_as(self, name: str, lock: Lock, phase: PhaseRecord) -> None:
        self.renew_lock(name, lock)
        before = self.recorded.get(lock.deployment_id, {}).get(phase.name)
        if before and before.status.is_done:
            raise Conflict(f"{phase.name} is done; its record stays as it is", code="PhaseDone")
        self.put_phase(lock.deployment_id, phase)

    def skip_phases_as(self, name: str, lock: Lock, phases: Sequence[PhaseRecord]) -> None:
        self.renew_lock(name, lock)
        for phase in phases:
            self.put_phase(lock.deployment_id, phase)
            kind = f"{phase.name}.{phase.status.value.lower()}"
            self.add_event(lock.deployment_id, str(phase.ended_at), kind, {"summary": phase.summary})

    def add_event(self, deployment_id: str, at: str, kind: str, detail: Mapping[str, Any]) -> None:
        self.noted.setdefault(deployment_id, []).append({"at": at, "kind": kind, "detail": dict(detail)})

    def event(self, deployment_id: str, key: str) -> Mapping[str, Any]:
        for answer in self.noted.get(deployment_id, []):
            if f"EVENT#{answer['at']}#{answer['kind']}" == key:
                return answer
        raise NotFound(key)

    def events(self, deployment_id: str) -> Sequence[Mapping[str, Any]]:
        return self.noted.get(deployment_id, [])

    def environment(self, name: str) -> Environment:
        return to_environment(name, self.attributes[name]) if name in self.attributes else Environment(name)

    def environments(self) -> Iterator[Environment]:
        return (self.environment(name) for name in sorted(self.attributes))

    def environment_page(self, limit: int, cursor: str | None) -> EnvironmentPage:
        entries, following = page_of(list(self.environments()), limit, cursor)
        return EnvironmentPage(entries, following)

    def environment_names(self) -> Sequence[str]:
        return sorted(self.attributes)

    def update_environment(self, name: str, changes: Mapping[str, Any], *, holder: str | None = None) -> None:
        if holder:
            self._held(name, holder)
        self.attributes.setdefault(name, {}).update(changes)

    def set_applied(self, name: str, phase: str, applied: Applied | None, *, holder: str) -> None:
        self._held(name, holder)
        if applied:
            self.attributes[name][f"applied_{phase}"] = dataclasses.asdict(applied)
        else:
            self.attributes[name].pop(f"applied_{phase}", None)

    def renew_lock(self, name: str, lock: Lock, *, takes_over: bool = False) -> None:
        self._held(name, lock.deployment_id)
        if not takes_over:
            self._held_by(name, lock.execution_arn, "")
        self.attributes[name]["lock"] = dataclasses.asdict(lock)

    def take_lock_again(self, name: str, lock: Lock) -> None:
        held = self.environment(name).lock
        if held is None or held.deployment_id == lock.deployment_id:
            self.attributes.setdefault(name, {})["lock"] = dataclasses.asdict(lock)

    def release_lock(self, name: str, holder: str) -> None:
        held = self.environment(name).lock
        if held and held.deployment_id == holder:
            self.attributes[name]["lock"] = None

    def add_history(self, name: str, at: str, entry: Mapping[str, Any]) -> None:
        self.past.setdefault(name, []).append({"at": at, **entry})

    def history(self, name: str, limit: int) -> Sequence[Mapping[str, Any]]:
        return list(reversed(self.past.get(name, [])))[:limit]

    def history_page(self, name: str, limit: int, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        return page_of(list(reversed(self.past.get(name, []))), limit, cursor)

    def history_between(self, name: str, first: str, last: str, limit: int) -> Sequence[Mapping[str, Any]]:
        entries = reversed(self.past.get(name, []))
        return [entry for entry in entries if first <= entry["at"] <= (last or "~")][:limit]

    def record_incident(self, name: str, incident: Incident) -> None:
        stands = self.incidents.setdefault(name, {})
        before = stands.get(incident.opened_by)
        drift = before.drift if before and incident.closed_at else incident.drift
        stands[incident.opened_by] = dataclasses.replace(incident, drift=drift)

    def incident_page(self, name: str, limit: int, cursor: str | None) -> tuple[Sequence[Incident], str | None]:
        return page_of(list(reversed(self.incidents.get(name, {}).values())), limit, cursor)

    def incident(self, name: str, opened_by: str) -> Incident | None:
        return self.incidents.get(name, {}).get(opened_by)

    def history_since(self, name: str, at: str) -> Sequence[Mapping[str, Any]]:
        return [entry for entry in reversed(self.past.get(name, [])) if entry["at"] >= at]

    def _held_by(self, name: str, *executions: str) -> None:
        held = self.environment(name).lock
        if not held or held.execution_arn not in executions:
            raise LockLost(f"environment {name} is held by {held.execution_arn if held else 'nobody'}")

    def _held(self, name: str, holder: str) -> None:
        held = self.environment(name).lock
        if not held or held.deployment_id != holder:
            raise LockLost(f"deployment {holder} no longer holds environment {name}")
