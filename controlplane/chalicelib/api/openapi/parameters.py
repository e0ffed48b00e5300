"""Parameters of the routes: path, query and headers."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.described.schemas import NAME_PATTERN
from chalicelib.domain.model import DeploymentStatus
from chalicelib.domain.options import LONGEST_REASON

Parameter = dict[str, Any]


def _in_path(name: str, pattern: str, description: str) -> Parameter:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def _in_query(name: str, schema: Parameter, description: str) -> Parameter:
    return {"name": name, "in": "query", "schema": schema, "description": description}


ID = _in_path("id", "^[A-Za-z0-9-]{1,64}$", "The deployment's ID.")
NAME = _in_path("name", NAME_PATTERN, "The environment's name.")
FLEET = _in_path("name", NAME_PATTERN, "The fleet's name.")
FLEET_DEPLOYMENT = _in_path("id", "^[A-Za-z0-9-]{1,64}$", "The fleet deployment's ID.")
ROLL_BACK = _in_query("roll_back", {"type": "boolean"}, "Take the others back as `on_failure` says.")
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "description": "The same key and body give the same deployment; another body with it is refused with 409.",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "`*` refuses, with 409 SecretExists, to replace a secret.",
}
TARGET = _in_query(
    "target", {"type": "string"}, "config.target of an environment that is new, as JSON; one that exists has its own."
)
SECRET_QUERY = (
    TARGET,
    _in_query("now", {"type": "boolean"}, "Answer 200: the version is current at once, without checks."),
    _in_query("wait", {"type": "boolean"}, "Queue behind a deployment that holds the environment."),
    _in_query("reason", {"type": "string", "maxLength": LONGEST_REASON}, "Why; it stands in the history."),
)
PAGE = (
    _in_query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Entries a page."),
    _in_query("cursor", {"type": "string"}, "`cursor` of the page before."),
)
FILTERS = (
    _in_query("environment", {"type": "string", "pattern": NAME_PATTERN}, "Only this environment's."),
    _in_query("status", {"type": "string", "enum": [*map(str, DeploymentStatus)]}, "Only those in this state."),
    *PAGE,
)
