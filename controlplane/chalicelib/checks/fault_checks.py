"""The checks of phase 8 that need an upstream which fails to order; the second half of the table in `checks.py`.

`times` is above the proxy's greatest number of retries (5), so that a fault outlasts them.
"""

from __future__ import annotations

from typing import Any

from .check import CHAT, FAULTY, JSON, Call, Check, error_shape
from .expectations import Expect

TIMES = 6
THROTTLING = "throttling"
_ASK = Call("POST", CHAT, JSON, body=FAULTY)
_STREAM = Call("POST", CHAT, JSON, body={**FAULTY, "stream": True})
_NEEDS = ("stand_in",)


def _fails(status: int, **more: Any) -> tuple[dict[str, Any], ...]:
    return ({"type": "fail", "status": status, "times": TIMES, **more},)


FAULTS: tuple[Check, ...] = (
    Check(
        "upstream_400",
        "The upstream's own refusal passes untouched: its message, type and code.",
        (*error_shape(400, code="planted"), Expect("json.error.message", "is", "Planted by a check.")),
        call=_ASK,
        faults=({"type": "fail", "status": 400, "code": "planted", "message": "Planted by a check."},),
        needs=_NEEDS,
    ),
    Check(
        "upstream_401",
        "An upstream that refuses the proxy's key answers 401, after the secret was read again.",
        error_shape(401),
        call=_ASK,
        faults=_fails(401),
        needs=_NEEDS,
    ),
    Check(
        "upstream_429",
        "The upstream's rate limit passes with its retry-after, once the proxy's own patience is over.",
        (
            *error_shape(429),
            Expect("headers.retry-after", "is", "1"),
            Expect("headers.retry-after-ms", "is", "50"),
            Expect("attempts", "is", "$attempts"),
        ),
        call=_ASK,
        faults=_fails(429, retry_after=0.05),
        needs=_NEEDS,
    ),
    Check(
        "upstream_500",
        "A failing upstream is asked again as often as configured, then its answer passes.",
        (*error_shape(500), Expect("attempts", "is", "$attempts")),
        call=_ASK,
        faults=_fails(500),
        needs=_NEEDS,
    ),
    Check(
        "upstream_503",
        "An overloaded upstream's answer passes with its retry-after.",
        (*error_shape(503), Expect("headers.retry-after", "present")),
        call=_ASK,
        faults=_fails(503, retry_after=0.05),
        needs=_NEEDS,
    ),
    Check(
        "upstream_recovers",
        "One failure in passing is not the caller's business: the retry answers 200.",
        (Expect("status", "is", 200), Expect("json.choices.0.message.content", "present")),
        call=_ASK,
        faults=({"type": "fail", "status": 503, "retry_after": 0.05, "times": 1},),
        needs=(*_NEEDS, "retries"),
    ),
    Check(
        "slow_first_byte",
        "An upstream that thinks before it speaks is waited for.",
        (Expect("status", "is", 200), Expect("ms", "at_least", 700)),
        call=_ASK,
        faults=({"type": "delay", "seconds": 0.7},),
        needs=_NEEDS,
    ),
    Check(
        "stall_in_mid_stream",
        "A stream that pauses for a while is not cut: all of it arrives, to its end.",
        (
            Expect("status", "is", 200),
            Expect("text", "holds", "[DONE]"),
            Expect("tells_of_failure", "is", False),
            Expect("ms", "at_least", 700),
        ),
        call=_STREAM,
        faults=({"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": 0.7},),
        needs=_NEEDS,
    ),
    Check(
        "dropped_connection",
        "An upstream that hangs up in mid-stream is never passed off as a whole answer.",
        (Expect("tells_of_failure", "is", True),),
        call=_STREAM,
        faults=({"type": "stream_fault", "kind": "disconnect", "after_chunks": 3},),
        needs=_NEEDS,
    ),
    Check(
        "truncated_stream",
        "A stream that ends early, in good order but without its closing event, is reported as broken.",
        (Expect("tells_of_failure", "is", True),),
        call=_STREAM,
        faults=({"type": "stream_fault", "kind": "truncate", "after_chunks": 3},),
        needs=_NEEDS,
    ),
    Check(
        "first_byte_timeout",
        "An upstream that says nothing is given up after first_byte_s, within 10 %.",
        (*error_shape(504), Expect("timed_ms", "near", ("$first_byte_ms", 0.1))),
        call=_ASK,
        faults=({"type": "delay", "seconds": "$first_byte_too_long"},),
        needs=(*_NEEDS, "first_byte_ms"),
    ),
    Check(
        "idle_timeout",
        "A stream that stops for good is cut after idle_s, within 10 %, and says so.",
        (Expect("tells_of_failure", "is", True), Expect("timed_ms", "near", ("$idle_ms", 0.1))),
        call=_STREAM,
        faults=({"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": "$idle_too_long"},),
        needs=(*_NEEDS, "idle_ms"),
    ),
)

# Throttling is driven by the load engine, not by one request; its expectations stand here beside the others.
THROTTLED = Check(
    THROTTLING,
    "Beyond the stage's throttle callers get 429 with a retry-after, in OpenAI's shape; a pause later all is well.",
    (
        Expect("status", "is", 429),
        Expect("json.error.message", "present"),
        Expect("headers.retry-after", "present"),
        Expect("headers.access-control-allow-origin", "present"),
        Expect("recovered", "is", True),
    ),
)
