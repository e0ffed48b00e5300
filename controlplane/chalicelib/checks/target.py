"""Where the release under test is reached, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action, Evidence
from chalicelib.domain.names import Names
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.phase import Request
from chalicelib.ports import Aws
from chalicelib.stack.urls import CANDIDATE_PREFIX

TIMEOUT_S = 25.0
# A check of a timeout lasts as long as the timeout; phases must not.
LONGEST_TIMEOUT_S = 5.0
_PATIENCE_S = 1.5  # a planted pause outlasts the timeout under test by this much
_CHAT, _EMBEDDING = "gpt-4o-mini", "text-embedding-3-small"  # when the secret maps no model


@dataclass(frozen=True, slots=True)
class Target:
    """url: without a path; signed: whether API Gateway asks for IAM there; known: what checks refer to as `$name`."""

    url: str
    signed: bool
    version: str
    known: Mapping[str, Any] = field(default_factory=dict)


def release_fingerprint(request: Request, *more: Any) -> str:
    """Equal exactly when the release, the settings it runs under and what is asked of it are."""
    release = request.results.get("release_code", {})
    kept = {name: release.get(name) for name in ("version", "code_sha256", "artifact_digest")}
    secret = request.results.get("prepare_secret", {}).get("version_id")
    # Version numbers begin again with another stack.
    stack = request.results.get("deploy_stack", {}).get("stack_id")
    return fingerprint(kept, stack, secret, request.config.throttle, request.config.memory_mb, *more)


def locate(request: Request, aws: Aws) -> Target:
    """The candidate of a deploy; for a revalidation, what is live.

    With client keys on, the public path answers only those who hold one. The control plane holds none, so it asks the
    live version through the candidate's path, while that alias points to the same version.
    """
    api_url = str(_evidence(request, "deploy_stack").get("api_url", ""))
    if not api_url:
        raise PhaseFailed(
            "the environment has no API yet",
            code="NothingToTest",
            remedy="Deploy the environment first: POST /deployments with action deploy.",
        )
    candidate = api_url + CANDIDATE_PREFIX
    if request.action is not Action.REVALIDATE:
        version = str(_evidence(request, "release_code").get("version", ""))
        return _described(candidate, version, request, aws, is_candidate=True)
    aliases = aws.functions.aliases(Names(request.environment.name).function)
    same = aliases["candidate"].version == aliases["live"].version
    told = _described(candidate, aliases["live"].version, request, aws, is_candidate=same)
    known = {**told.known, "candidate": same, "live": True, "public_url": api_url}
    if same and known["client_keys"]:
        return Target(candidate, True, told.version, known)
    return Target(api_url, False, told.version, {**known, "candidate": False})


def _described(url: str, version: str, request: Request, aws: Aws, *, is_candidate: bool) -> Target:
    """Asks health, which tells IAM callers what the checks must know. The first request also warms a connection."""
    reply = aws.endpoint.call("GET", url + "/health", signed=True, timeout_s=TIMEOUT_S)
    told = reply.json() if reply.status == 200 else None
    secret = told.get("secret", {}) if isinstance(told, dict) else {}
    known = {
        "candidate": is_candidate,
        "live": False,
        "version": version,
        "nonce": fingerprint(request.deployment_id, request.now.isoformat())[:16],
        "stand_in": bool(aws.settings.upstream_faults_url),
        "public_url": url.removesuffix(CANDIDATE_PREFIX),
        **_of_secret(secret),
    }
    return Target(url, True, version, known)


def _of_secret(secret: Mapping[str, Any]) -> dict[str, Any]:
    aliases: Sequence[str] = secret.get("models", [])
    retries, origins = secret.get("retries"), secret.get("cors_origins", [])
    return {
        "aliases": list(aliases),
        "chat_model": next((name for name in aliases if "embed" not in name), _CHAT),
        "embedding_model": next((name for name in aliases if "embed" in name), _EMBEDDING),
        "client_keys": secret.get("client_keys", 0),
        "origin": _origin(origins),
        "retries": retries,
        "attempts": None if retries is None else retries + 1,
        **_of_timeouts(secret.get("timeouts", {})),
    }


def _origin(origins: Sequence[str]) -> str:
    """An origin that the proxy should let read its answers; none when it lets nobody."""
    named = [origin for origin in origins if origin != "*"]
    return named[0] if named else "https://browser.example" if origins else ""


def _of_timeouts(timeouts: Mapping[str, float]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, field_name in (("first_byte", "first_byte_s"), ("idle", "idle_s")):
        limit = timeouts.get(field_name)
        if limit is not None and limit <= LONGEST_TIMEOUT_S:
            known |= {f"{name}_ms": limit * 1_000, f"{name}_too_long": limit + _PATIENCE_S}
    return known


def _evidence(request: Request, phase: str) -> Evidence:
    """What a phase told in this deployment, or what it last brought about."""
    if phase in request.results:
        return request.results[phase]
    applied = request.environment.applied.get(phase)
    return applied.evidence if applied else {}
