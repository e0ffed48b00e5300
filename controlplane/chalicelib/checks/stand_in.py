"""Whether the upstream of the release under test is the stand-in that faults can be planted in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from chalicelib.domain.errors import AwsCallFailed, PhaseFailed
from chalicelib.ports import Aws

from . import upstream
from .check import CHAT, JSON
from .repeat import until_let_in
from .target import TIMEOUT_S, Target

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
        upstream.plant([_PROBE], model, aws)
        until_let_in(
            lambda: aws.endpoint.call("POST", target.url + CHAT, JSON, body, signed=target.signed, timeout_s=TIMEOUT_S),
            lambda reply: reply.is_refused,
            model,
        )
        return upstream.count_attempts([_PROBE], model, aws) > 0
    except (AwsCallFailed, PhaseFailed):
        return False
