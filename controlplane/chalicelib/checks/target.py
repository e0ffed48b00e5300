"""Finds the release under test: its URL, its version, and what its `/health` says that the checks need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from chalicelib.domain.aws.address import Domain
from chalicelib.domain.aws.functions import alias_of
from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import Config, Throttle
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Action
from chalicelib.engine.fingerprints import fingerprint
from chalicelib.engine.phase import OfPhase, Request, applied_as
from chalicelib.ports import Aws
from chalicelib.stack.urls import candidate_url

from .places import MOST_AT_ONCE, places
from .repeat import until_let_in

K = TypeVar("K", bound=OfPhase)

TIMEOUT_S = 25.0
# A check of a timeout lasts as long as the timeout, so longer ones are not checked.
LONGEST_TIMEOUT_S = 5.0
_ROOM = 1.5  # a throttle of so many times a rate lets its bursts pass, too
_MARGIN_S = 1.5  # a planted pause is longer than the timeout under test by this
_NOT_FOR_CHAT = ("embed", "image", "dall-e", "tts", "whisper", "transcri", "audio", "realtime", "moderation", "sora")
_CHAT, _EMBEDDING = "gpt-4o-mini", "text-embedding-3-small"  # when the secret maps no model


@dataclass(frozen=True, slots=True)
class Target:
    """url: without a path; signed: whether API Gateway requires IAM there; version: the function version.

    variables: the values that checks refer to as `$name`, and the conditions that they need. at_once: how many checks
    may run at the same time (`places`).
    """

    url: str
    signed: bool
    version: str
    variables: Mapping[str, object] = field(default_factory=dict)
    at_once: int = MOST_AT_ONCE


@dataclass(frozen=True, slots=True)
class SecretFacts:
    """What `/health` tells IAM callers of the secret. Values that an older proxy does not tell are None or empty."""

    models: Sequence[str] = ()
    client_keys: int = 0
    cors_origins: Sequence[str] = ()
    retries: int | None = None
    timeouts: Mapping[str, float] = field(default_factory=dict)


def release_fingerprint(request: Request, *more: object) -> str:
    """Equal exactly when the release, the memory that it runs with and `more` are equal."""
    release = request.results.find(ReleaseEvidence) or ReleaseEvidence()
    secret = request.results.find(SecretEvidence) or SecretEvidence()
    # Version numbers start again with another stack.
    stack = request.results.find(StackEvidence) or StackEvidence()
    identity = {name: getattr(release, name) for name in ("version", "code_sha256", "artifact_digest")}
    return fingerprint(identity, stack.stack_id, secret.version_id, request.config.memory_mb, *more)


def felt_throttle(request: Request, rate_per_s: float) -> Throttle | None:
    """The throttle where so many requests a second would feel it; None where they would not."""
    throttle = request.config.throttle
    return throttle if throttle.rate_per_s < _ROOM * rate_per_s else None


def locate(request: Request, aws: Aws) -> Target:
    """The candidate of a deploy; for a revalidation, the live version. Raises PhaseFailed (NothingToTest).

    The live version is reached through the candidate's path wherever that serves it: errors that are made on purpose do
    not count as users', a night writes no metric that costs money, and client keys, of which the control plane has
    none, do not matter. The check `public_health` sees the public path.
    """
    stack = _latest(request, StackEvidence)
    if stack is None or not stack.api_url:
        raise PhaseFailed(
            "the environment has no API yet",
            code="NothingToTest",
            remedy="Deploy the environment first: POST /deployments with action deploy.",
        )
    url = candidate_url(stack)
    if request.action is not Action.REVALIDATE:
        release = _latest(request, ReleaseEvidence) or ReleaseEvidence()
        return _candidate(url, stack.api_url, release.version, request, aws, is_candidate=True)
    aliases = aws.functions.aliases(request.names.function)
    same = alias_of(aliases, "candidate").version == alias_of(aliases, "live").version
    candidate = _candidate(url, stack.api_url, alias_of(aliases, "live").version, request, aws, is_candidate=same)
    variables = {**candidate.variables, "live": True}
    if same:
        return Target(url, True, candidate.version, variables)
    return Target(stack.api_url, False, candidate.version, {**variables, "candidate": False})


def within_limits(target: Target, request: Request, aws: Aws) -> Target:
    """The target with `at_once` as the account and the function's reserved concurrency allow.

    Until the shift the function keeps what the live release reserves, so that both configurations count.
    """
    live = request.environment.live
    before = live.config.get("reserved_concurrency") if live else None
    reserved = (request.config.reserved_concurrency, before if isinstance(before, int) else None)
    return replace(target, at_once=places(aws.functions.limits().unreserved, reserved))


def _latest(request: Request, kind: type[K]) -> K | None:
    """A phase's evidence of this deployment, or else what it last applied in this environment."""
    return request.results.find(kind) or applied_as(request.environment, kind)


def _candidate(url: str, public_url: str, version: str, request: Request, aws: Aws, *, is_candidate: bool) -> Target:
    """The target at the candidate's path, described by its `/health`. The request also warms the function."""
    reply = until_let_in(
        lambda: aws.endpoint.call("GET", url + "/health", signed=True, timeout_s=TIMEOUT_S),
        lambda reply: reply.is_refused,
        url,
    )
    health = reply.json() if reply.status == 200 else None
    secret = health.get("secret") if isinstance(health, dict) else None
    variables = {
        "candidate": is_candidate,
        "live": False,
        "version": version,
        "nonce": fingerprint(request.deployment_id, request.now.isoformat())[:16],
        "stand_in": bool(aws.settings.upstream_faults_url),
        "streams": _streams(request, aws),
        "public_url": public_url,
        "domain": _domain(request),
        **_secret_variables(decode_lenient(SecretFacts, secret or {})),
    }
    return Target(url, True, version, variables)


def _domain(request: Request) -> Domain | None:
    """The domain that users have now, if this release keeps it: a new one comes with the shift."""
    live, wanted = request.environment.live, request.config.domain
    users = decode_lenient(Config, dict(live.config)).domain if live and live.config else None
    return wanted if users and wanted and users.name == wanted.name else None


def _streams(request: Request, aws: Aws) -> bool:
    """Whether answers come through API Gateway's STREAM integration, which only an account has."""
    mode = request.config.response_mode or aws.settings.response_mode
    return mode == "stream" and not aws.settings.embedded


def _secret_variables(secret: SecretFacts) -> dict[str, object]:
    return {
        "aliases": list(secret.models),
        "chat_model": next((name for name in secret.models if _may_chat(name)), _CHAT),
        "embedding_model": next((name for name in secret.models if "embed" in name), _EMBEDDING),
        "client_keys": secret.client_keys,
        "origin": _origin(secret.cors_origins),
        "retries": secret.retries,
        "attempts": None if secret.retries is None else secret.retries + 1,
        **_timeout_variables(secret.timeouts),
    }


def _may_chat(alias: str) -> bool:
    """Whether a name sounds like a chat model's: `/health` tells names only."""
    return not any(word in alias.lower() for word in _NOT_FOR_CHAT)


def _origin(origins: Sequence[str]) -> str:
    """An origin whose browsers may read the proxy's responses; "" when there is none."""
    exact = [origin for origin in origins if origin != "*"]
    return exact[0] if exact else "https://browser.example" if origins else ""


def _timeout_variables(timeouts: Mapping[str, float]) -> dict[str, object]:
    """`first_byte_ms`, `idle_ms` and pauses that exceed them, of the timeouts that are short enough to check."""
    variables: dict[str, object] = {}
    for name, field_name in (("first_byte", "first_byte_s"), ("idle", "idle_s")):
        limit = timeouts.get(field_name)
        if limit is not None and limit <= LONGEST_TIMEOUT_S:
            variables |= {f"{name}_ms": limit * 1_000, f"{name}_too_long": limit + _MARGIN_S}
    return variables
