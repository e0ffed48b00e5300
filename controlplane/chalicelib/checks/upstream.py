"""Plants faults in the stand-in upstream of the embedded cloud (llmock) for a single check.

A fault applies to requests for a model that only this check names, so that other rollouts keep a healthy upstream.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.errors import AwsCallFailed, PhaseFailed
from chalicelib.ports import Aws

from .check import CHAT
from .target import TIMEOUT_S, Target

_JSON = {"content-type": "application/json"}
_TIMEOUT_S = 5.0
_PROBE: Mapping[str, object] = {"type": "fail", "status": 400, "code": "proxyctl_probe", "message": "Planted."}


def established(target: Target, aws: Aws) -> Target:
    """The target with `stand_in` true only when the proxy's request used up a fault that was planted in the stand-in.

    An address alone proves nothing: the secret's upstream may be another one. What the proxy answers proves nothing
    either, because it is under test. Faults go through the candidate's path only, so that no error counts as users'.
    """
    if not target.variables["stand_in"]:
        return target
    is_upstream = target.signed and _uses_up_a_fault(target, aws)
    return replace(target, variables={**target.variables, "stand_in": is_upstream})


def _uses_up_a_fault(target: Target, aws: Aws) -> bool:
    model = f"proxyctl-{target.variables['nonce']}-stand-in"
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()
    try:
        plant([_PROBE], model, aws)
        aws.endpoint.call("POST", target.url + CHAT, _JSON, body, signed=target.signed, timeout_s=TIMEOUT_S)
        return count_attempts([_PROBE], model, aws) > 0
    except (AwsCallFailed, PhaseFailed):
        return False


def plant(faults: Sequence[Mapping[str, object]], model: str, aws: Aws) -> None:
    """Queue these llmock behaviours for requests for `model`. Raises PhaseFailed (StandInFailed)."""
    behaviours = [{**fault, "match": {"model": model}} for fault in faults]
    reply = aws.endpoint.call(
        "POST",
        f"{aws.settings.upstream_faults_url}/_llmock/scenario",
        _JSON,
        json.dumps({"behaviors": behaviours}).encode(),
        signed=False,
        timeout_s=_TIMEOUT_S,
    )
    if reply.status != 201:
        raise PhaseFailed(
            f"the stand-in upstream refused a scenario: HTTP {reply.status}",
            code="StandInFailed",
            remedy="Look at its log under .local/.",
            evidence={"answer": reply.body[:300].decode(errors="replace")},
        )


def failures(faults: Sequence[Mapping[str, object]]) -> int:
    """How many requests these faults let fail."""
    return sum(int(str(fault.get("times", 1))) for fault in faults if fault["type"] == "fail")


def count_attempts(faults: Sequence[Mapping[str, object]], model: str, aws: Aws) -> int:
    """How often the proxy called the upstream: the planted failures less those that are left.

    The failures that are left are used up, so that the queue does not grow from rollout to rollout.
    """
    planted = failures(faults)
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "left over?"}]}).encode()
    url = f"{aws.settings.upstream_faults_url}/v1/chat/completions"
    for left in range(planted):
        if aws.endpoint.call("POST", url, _JSON, body, signed=False, timeout_s=_TIMEOUT_S).status < 400:
            return planted - left
    return 0
