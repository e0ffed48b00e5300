"""Asks how users are when a deployment has ended: which version they are on, and whether it answers."""

from __future__ import annotations

from chalicelib.domain.errors import AwsCallFailed, NotFound, RolloutError
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.engine.phase import Request, applied_as
from chalicelib.ports import Aws

_TIMEOUT_S = 10.0


def users(request: Request, aws: Aws, *, saw_it: bool) -> str:
    """`still on version 4, healthy`. saw_it: whether users reached the version or the settings of this deployment.

    It says what is not known, and why, and never raises: the outcome must be recorded.
    """
    try:
        live = aws.functions.aliases(request.names.function).get("live")
    except NotFound:
        return "none: the environment has no function"
    except RolloutError as error:
        return f"not known: {error.message}"
    if live is None:
        return "get no answer: the alias live is gone. Deploy again, which makes it again"
    if request.environment.live is None:
        return "none yet: no release has passed"
    where = f"{'back' if saw_it else 'still'} on version {live.version}"
    weights = "".join(f", {share:.0%} on version {other}" for other, share in sorted(live.weights.items()))
    return f"{where}{weights}, {_health(request, aws)}"


def _health(request: Request, aws: Aws) -> str:
    stack = request.results.find(StackEvidence) or applied_as(request.environment, StackEvidence)
    if stack is None or not stack.api_url:
        return "health not known: the API's address is not on record"
    try:
        reply = aws.endpoint.call("GET", f"{stack.api_url}/health", signed=False, timeout_s=_TIMEOUT_S)
    except AwsCallFailed as error:
        return f"not healthy: {error.message}"
    return "healthy" if reply.status == 200 else f"not healthy: /health answers {reply.status}"
