"""Rewrites POST /deployments bodies for drills: a drill runs in an environment of its own, as a copy of a template."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain import drills
from chalicelib.domain.errors import BadRequest, Conflict
from chalicelib.domain.model import Action
from chalicelib.domain.names import Names
from chalicelib.ports import Aws

_INTERNAL_OPTIONS = ("drill_of", "sabotage")


def rewrite(body: Mapping[str, object], aws: Aws) -> Mapping[str, object]:
    """The body to begin with. In the body of a drill, `environment` names the template, which is read and not locked.

    Raises BadRequest for a reserved name or option, Conflict for a template that serves no release. A malformed body
    is answered unchanged, since decoding it refuses it.
    """
    _refuse_reserved(body)
    template, options = body.get("environment"), body.get("options", {})
    is_drill = body.get("action") == Action.DRILL.value
    if not is_drill or not isinstance(template, str) or not isinstance(options, dict):
        return body
    if "config" in body:
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
    return {**body, "environment": drills.DRILL_RECORD_ENVIRONMENT, "options": {**options, "drill_of": template}}


def _refuse_reserved(body: Mapping[str, object]) -> None:
    options = body.get("options", {})
    for name in _INTERNAL_OPTIONS:
        if isinstance(options, dict) and name in options:
            raise BadRequest(
                f"options.{name} is for the control plane's own drills",
                field=f"options.{name}",
                remedy="POST a deployment with action drill instead.",
            )
    if body.get("environment") == drills.DRILL_RECORD_ENVIRONMENT and body.get("action") != Action.DRILL.value:
        raise BadRequest(
            f"the name {drills.DRILL_RECORD_ENVIRONMENT} is reserved for the records of drills",
            field="environment",
            remedy="Choose another name.",
        )
