"""What POST /deployments does first: a drill gets an environment of its own, and nobody else gets its sabotage."""

from __future__ import annotations

from typing import Any

from chalicelib.domain import drills
from chalicelib.domain.errors import BadRequest, Conflict
from chalicelib.domain.model import Action
from chalicelib.domain.names import Names
from chalicelib.ports import Aws

_OURS = ("drill_of", "sabotage")


def request_of(given: dict[str, Any], aws: Aws) -> dict[str, Any]:
    """The body to begin with. For a drill, `environment` names the template: it is looked at, never locked."""
    _refuse_what_is_ours(given)
    template, options = given.get("environment"), given.get("options", {})
    if given.get("action") != Action.DRILL.value or not isinstance(template, str) or not isinstance(options, dict):
        return given  # what is no drill, or is malformed and so refused where it is decoded
    if "config" in given:
        raise BadRequest(
            "a drill takes no config: it copies its template's", field="config", remedy="Leave config out."
        )
    if aws.records.environment(Names(template).environment).live is None:
        raise Conflict(
            f"environment {template} serves no release that a drill could copy",
            code="NoTemplate",
            field="environment",
            remedy="Name an environment that is live.",
        )
    return {**given, "environment": drills.DRILL_RECORD_ENVIRONMENT, "options": {**options, "drill_of": template}}


def _refuse_what_is_ours(given: dict[str, Any]) -> None:
    options = given.get("options", {})
    for name in _OURS:
        if isinstance(options, dict) and name in options:
            raise BadRequest(
                f"options.{name} is for the control plane's own drills",
                field=f"options.{name}",
                remedy="POST a deployment with action drill instead.",
            )
    if given.get("environment") == drills.DRILL_RECORD_ENVIRONMENT and given.get("action") != Action.DRILL.value:
        raise BadRequest(
            f"the name {drills.DRILL_RECORD_ENVIRONMENT} is reserved: drills are kept on record under it",
            field="environment",
            remedy="Choose another name.",
        )
