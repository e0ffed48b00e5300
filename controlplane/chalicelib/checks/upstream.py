"""The stand-in upstream of the embedded cloud (llmock), told to fail for one check and nobody else.

Behaviours are aimed at a model that only this check names, so that rollouts beside this one keep a healthy upstream.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.errors import PhaseFailed
from chalicelib.ports import Aws

_JSON = {"content-type": "application/json"}
_TIMEOUT_S = 5.0


def plant(behaviours: Sequence[Mapping[str, Any]], model: str, aws: Aws) -> None:
    """Queue these behaviours for requests that name `model`."""
    aimed = [{**behaviour, "match": {"model": model}} for behaviour in behaviours]
    reply = aws.endpoint.call(
        "POST",
        f"{aws.settings.upstream_faults_url}/_llmock/scenario",
        _JSON,
        json.dumps({"behaviors": aimed}).encode(),
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


def leftover(behaviours: Sequence[Mapping[str, Any]], model: str, aws: Aws) -> int:
    """How many failures nobody came for; they are used up, so that the queue does not grow from rollout to rollout.

    What was planted less what is left over is how often the proxy asked.
    """
    planned = sum(int(one.get("times", 1)) for one in behaviours if one["type"] == "fail")
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "left over?"}]}).encode()
    url = f"{aws.settings.upstream_faults_url}/v1/chat/completions"
    for used in range(planned):
        if aws.endpoint.call("POST", url, _JSON, body, signed=False, timeout_s=_TIMEOUT_S).status < 400:
            return used
    return planned
