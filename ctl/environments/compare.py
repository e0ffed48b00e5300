"""What differs between an environment's file and what is deployed. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ctl.difference import ABSENT, Change, differences
from ctl.environments.files import EnvironmentFile, defaults
from ctl.settings import merged
from ctl.shapes import Deployment, Environment, Release, SecretView

_FINGERPRINT = 12  # hex digits that the API shows of a value's SHA-256


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the control plane has on record. environment: None when it never had a deployment; deployment: the newest
    deploy that succeeded. secret: None when there is none, or the control plane is too old to show it."""

    environment: Environment | None
    deployment: Deployment | None
    secret: SecretView | None


@dataclass(frozen=True, slots=True)
class Difference:
    """settings: of config, slo, load, bake and approval. secret: fields of the secret; their values are not shown."""

    settings: tuple[Change, ...]
    secret: tuple[str, ...]
    is_new: bool

    def __bool__(self) -> bool:
        return bool(self.settings or self.secret or self.is_new)


def compare(wanted: EnvironmentFile, document: Mapping[str, Any], deployed: Deployed) -> Difference:
    """document: the secret's fields that the file sets, resolved."""
    live = _live(deployed)
    before = _before(deployed) if live else {}
    after = {"config": wanted.config, **wanted.options}
    if before:
        # A field that only the control plane has is younger than this client's schema, and not the file's to change.
        before = {name: _same_fields(value, after[name]) for name, value in before.items() if name in after}
    changes = differences(before, after) if before else _own(wanted)
    return Difference(tuple(changes), _secret(document, deployed.secret), is_new=live is None)


def _live(deployed: Deployed) -> Release | None:
    return deployed.environment.get("live") if deployed.environment else None


def _before(deployed: Deployed) -> dict[str, Any]:
    live = _live(deployed) or {}
    options: Mapping[str, Any] = deployed.deployment.get("options", {}) if deployed.deployment else {}
    # The API leaves out what is null, and an older record what it did not know yet: both ran with the default.
    parts = {
        name: merged(defaults(name.capitalize()), options[name]) for name in ("slo", "load", "bake") if name in options
    }
    approval = {"approval": options["approval"]} if "approval" in options else {}
    return {"config": merged(defaults("Config"), live.get("config") or {}), **parts, **approval}


def _same_fields(before: object, after: object) -> object:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return before
    return {name: _same_fields(value, after[name]) for name, value in before.items() if name in after}


def _own(wanted: EnvironmentFile) -> list[Change]:
    """For a new environment: what the file itself says, not every default."""
    names = ("config", "slo", "load", "bake", "approval")
    return differences({}, {name: wanted.content[name] for name in names if name in wanted.content})


def _secret(document: Mapping[str, Any], stored: SecretView | None) -> tuple[str, ...]:
    """Names of the fields whose values differ from the stored ones; all of them when nothing is known of those."""
    fields = stored.get("fields", {}) if stored else {}
    return tuple(
        name
        for name, value in sorted(document.items())
        if fields.get(name) != fingerprint(value) and not (name == "schema" and "schema" in fields)
    )


def fingerprint(value: object) -> str:
    """As GET …/secret shows it: of a text as it is, of all else as compact JSON with sorted keys."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT]


def request(wanted: EnvironmentFile, reason: str | None, *, waits: bool) -> dict[str, Any]:
    """The body of POST /deployments: the whole configuration, so that what the file does not set has its default."""
    options = merged(wanted.options, {"reason": reason} if reason else {})
    if waits:
        options["if_busy"] = "wait"
    return {"environment": wanted.name, "action": "deploy", "config": wanted.config, "options": options}


__all__ = ["ABSENT", "Deployed", "Difference", "compare", "fingerprint", "request"]
