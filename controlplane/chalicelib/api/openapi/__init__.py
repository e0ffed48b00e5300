"""`/openapi.json`: the API as an OpenAPI 3.1 document.

The schemas come from the types: bodies from what decodes them, answers from what each route is annotated to return,
evidence from the phases' evidence types. `components` makes the schemas, `paths` the operations.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.fleets.request import FleetStart
from chalicelib.domain.times import Clock
from chalicelib.lifecycle.start import Start
from chalicelib.ports import Aws
from chalicelib.upgrade.requests import UpgradeStart

from .. import control, deployments, environments, health, nights, secret_versions, secrets
from ..answers import Answer, ApiCall
from ..fleets import fleet_deployments, fleets
from ..past import incidents
from ..spending import costs
from . import components, texts
from .operation import Operation
from .parameters import (
    FILTERS,
    FLEET,
    FLEET_DEPLOYMENT,
    ID,
    IF_NONE_MATCH,
    KEY,
    NAME,
    PAGE,
    ROLL_BACK,
    SECRET_QUERY,
    TARGET,
)
from .paths import describe

__all__ = ["Operation", "document", "operations", "show"]

_SECRET = "/environments/{name}/secret"  # noqa: S105 - a path
_BODIES = (Start, UpgradeStart, FleetStart, secret_versions.SecretRollback)


def show(call: ApiCall, aws: Aws, clock: Clock) -> Answer[dict[str, Any]]:
    """This document."""
    call.refuse_query()
    return Answer(200, document())


def document() -> dict[str, Any]:
    """The whole document."""
    listed = operations()
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        paths.setdefault(operation.path, {})[operation.method] = describe(operation)
    return {
        "openapi": "3.1.0",
        "info": texts.INFO,
        "servers": [texts.SERVER],
        "tags": [{"name": name, "description": text} for name, text in texts.TAGS.items()],
        "security": [{"sigv4": []}],
        "paths": paths,
        "components": {"schemas": components.schemas(listed, _BODIES), "securitySchemes": {"sigv4": texts.SIGV4}},
    }


def operations() -> tuple[Operation, ...]:
    """Every route. A test holds them against app.py."""
    return (
        *_deployments(),
        *_answers_to_deployments(),
        *_environments(),
        *_changes_of_secrets(),
        *_views_of_secrets(),
        *_fleets(),
        *_fleet_deployments(),
        Operation("listNights", "/nights", "get", nights.index, "environments", parameters=PAGE, refusals=(400,)),
        Operation("getHealth", "/health", "get", health.show, "control plane", refusals=(400,)),
        Operation("getOpenApi", "/openapi.json", "get", show, "control plane", refusals=(400,)),
    )


def _environments() -> tuple[Operation, ...]:
    path, tag, of_one = "/environments", "environments", (400, 404)
    return (
        Operation("listEnvironments", path, "get", environments.index, tag, parameters=PAGE, refusals=(400,)),
        Operation(
            "getEnvironment", f"{path}/{{name}}", "get", environments.show, tag, parameters=(NAME,), refusals=of_one
        ),
        Operation(
            "listHistory",
            f"{path}/{{name}}/history",
            "get",
            environments.history,
            tag,
            parameters=(NAME, *PAGE),
            refusals=of_one,
        ),
        Operation("getCosts", f"{path}/{{name}}/costs", "get", costs.show, tag, parameters=(NAME,), refusals=of_one),
        Operation(
            "listIncidents",
            f"{path}/{{name}}/incidents",
            "get",
            incidents.index,
            tag,
            parameters=(NAME, *PAGE),
            refusals=of_one,
        ),
        Operation(
            "getIncident",
            f"{path}/{{name}}/incidents/{{id}}",
            "get",
            incidents.show,
            tag,
            parameters=(NAME, ID),
            refusals=of_one,
        ),
    )


def _deployments() -> tuple[Operation, ...]:
    path, tag = "/deployments", "deployments"
    return (
        Operation(
            "startDeployment",
            path,
            "post",
            deployments.start,
            tag,
            statuses=(202,),
            body=Start.__name__,
            or_body=UpgradeStart.__name__,
            parameters=(KEY,),
            refusals=(400, 404, 409, 415),
        ),
        Operation("listDeployments", path, "get", deployments.index, tag, parameters=FILTERS, refusals=(400,)),
        Operation(
            "getDeployment", f"{path}/{{id}}", "get", deployments.show, tag, parameters=(ID,), refusals=(400, 404)
        ),
        Operation(
            "getReport",
            f"{path}/{{id}}/report",
            "get",
            deployments.report,
            tag,
            parameters=(ID,),
            text="text/html",
            refusals=(400, 404),
        ),
        Operation(
            "getHandoff",
            f"{path}/{{id}}/handoff",
            "get",
            deployments.handoff,
            tag,
            parameters=(ID,),
            text="text/markdown",
            refusals=(400, 404),
        ),
    )


def _answers_to_deployments() -> tuple[Operation, ...]:
    routes = {"abort": control.abort, "approve": control.approve, "resume": control.resume}
    return tuple(
        Operation(
            f"{verb}Deployment",
            f"/deployments/{{id}}/{verb}",
            "post",
            route,
            "deployments",
            statuses=(202,),
            parameters=(ID, KEY) if verb == "resume" else (ID,),
            refusals=(400, 404, 409),
        )
        for verb, route in routes.items()
    )


def _changes_of_secrets() -> tuple[Operation, ...]:
    changing = (NAME, *SECRET_QUERY)
    stored = (200, 202)
    return (
        Operation(
            "putSecret",
            _SECRET,
            "put",
            secrets.put,
            "secrets",
            statuses=stored,
            body="SecretDocument",
            parameters=(*changing, KEY, IF_NONE_MATCH),
            refusals=(400, 409, 415),
        ),
        Operation(
            "patchSecret",
            _SECRET,
            "patch",
            secrets.patch,
            "secrets",
            statuses=stored,
            body="SecretPatch",
            parameters=(*changing, KEY),
            refusals=(400, 404, 409, 415),
        ),
        Operation(
            "rollBackSecret",
            f"{_SECRET}/rollback",
            "post",
            secret_versions.rollback,
            "secrets",
            statuses=stored,
            body=secret_versions.SecretRollback.__name__,
            body_is_optional=True,
            parameters=changing,
            refusals=(400, 404, 409, 415),
        ),
    )


def _views_of_secrets() -> tuple[Operation, ...]:
    return tuple(
        Operation(id_, path, "get", route, "secrets", parameters=(NAME, TARGET), refusals=(400, 404, 409))
        for id_, path, route in (
            ("getSecret", _SECRET, secret_versions.show),
            ("listSecretVersions", f"{_SECRET}/history", secret_versions.history),
        )
    )


def _fleets() -> tuple[Operation, ...]:
    path, tag, of_one = "/fleets/{name}", "fleets", (400, 404)
    listed = f"{path}/deployments"
    rolls = fleet_deployments
    return (
        Operation("listFleets", "/fleets", "get", fleets.index, tag, parameters=PAGE, refusals=(400,)),
        Operation("getFleet", path, "get", fleets.show, tag, parameters=(FLEET,), refusals=of_one),
        Operation("listFleetDeployments", listed, "get", rolls.index, tag, parameters=(FLEET, *PAGE), refusals=of_one),
        Operation(
            "startFleetDeployment",
            listed,
            "post",
            rolls.start,
            tag,
            statuses=(202,),
            body=FleetStart.__name__,
            parameters=(FLEET, KEY),
            refusals=(400, 404, 409, 415),
        ),
    )


def _fleet_deployments() -> tuple[Operation, ...]:
    path, tag, both, rolls = "/fleets/{name}/deployments/{id}", "fleets", (FLEET, FLEET_DEPLOYMENT), fleet_deployments
    answers = (("abort", rolls.abort, (*both, ROLL_BACK)), ("approve", rolls.approve, both))
    return (
        Operation("getFleetDeployment", path, "get", rolls.show, tag, parameters=both, refusals=(400, 404)),
        Operation(
            "getFleetReport",
            f"{path}/report",
            "get",
            rolls.report,
            tag,
            parameters=both,
            text="text/html",
            refusals=(400, 404),
        ),
        *(
            Operation(
                f"{verb}FleetDeployment",
                f"{path}/{verb}",
                "post",
                route,
                tag,
                statuses=(202,),
                parameters=parameters,
                refusals=(400, 404, 409),
            )
            for verb, route, parameters in answers
        ),
    )
