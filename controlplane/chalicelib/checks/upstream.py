"""Plants faults in the stand-in upstream of the embedded cloud (llmock) for a single check.

A fault applies to requests for a model that only this check names, so that other rollouts keep a healthy upstream.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from chalicelib.domain.errors import PhaseFailed
from chalicelib.ports import Aws

_JSON = {"content-type": "application/json"}
_TIMEOUT_S = 5.0


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
