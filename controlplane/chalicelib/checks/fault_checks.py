"""The checks of validate_errors that need an upstream which fails on request: llmock, in the embedded cloud only.

`TIMES` is above the proxy's highest number of retries (5), so that a fault outlasts them.
"""

from __future__ import annotations

from collections.abc import Mapping

from .check import CHAT, FAULTY, JSON, Check, HttpRequest, error_shape
from .expectations import Expect

TIMES = 6
THROTTLING = "throttling"
_ASK = HttpRequest("POST", CHAT, JSON, body=FAULTY)
_STREAM = HttpRequest("POST", CHAT, JSON, body={**FAULTY, "stream": True})
_NEEDS = ("stand_in",)


def _fails(status: int, **more: object) -> tuple[Mapping[str, object], ...]:
    return ({"type": "fail", "status": status, "times": TIMES, **more},)


FAULTS: tuple[Check, ...] = (
    Check(
        "upstream_400",
        "An error of the upstream passes unchanged: its message, type and code.",
        (*error_shape(400, code="planted"), Expect("json.error.message", "is", "Planted by a check.")),
        http=_ASK,
        faults=({"type": "fail", "status": 400, "code": "planted", "message": "Planted by a check."},),
        needs=_NEEDS,
    ),
    Check(
        "upstream_401",
        "When the upstream refuses the proxy's key, the caller gets 401.",
        error_shape(401),
        http=_ASK,
        faults=_fails(401),
        needs=_NEEDS,
    ),
    Check(
        "upstream_429",
        "After the configured retries, the upstream's 429 passes with its retry-after.",
        (
            *error_shape(429),
            Expect("headers.retry-after", "is", "1"),
            Expect("headers.retry-after-ms", "is", "50"),
            Expect("attempts", "is", "$attempts"),
        ),
        http=_ASK,
        faults=_fails(429, retry_after=0.05),
        needs=_NEEDS,
    ),
    Check(
        "upstream_500",
        "The proxy retries a 500 as often as configured, then passes it on.",
        (*error_shape(500), Expect("attempts", "is", "$attempts")),
        http=_ASK,
        faults=_fails(500),
        needs=_NEEDS,
    ),
    Check(
        "upstream_503",
        "After the configured retries, the upstream's 503 passes with its retry-after.",
        (*error_shape(503), Expect("headers.retry-after", "present")),
        http=_ASK,
        faults=_fails(503, retry_after=0.05),
        needs=_NEEDS,
    ),
    Check(
        "upstream_recovers",
        "After one 503 the proxy retries, and the caller gets 200.",
        (Expect("status", "is", 200), Expect("json.choices.0.message.content", "present")),
        http=_ASK,
        faults=({"type": "fail", "status": 503, "retry_after": 0.05, "times": 1},),
        needs=(*_NEEDS, "retries"),
    ),
    Check(
        "slow_first_byte",
        "A response that begins late, but within the timeout, arrives.",
        (Expect("status", "is", 200), Expect("ms", "at_least", 700)),
        http=_ASK,
        faults=({"type": "delay", "seconds": 0.7},),
        needs=_NEEDS,
    ),
    Check(
        "stall_in_mid_stream",
        "A stream that pauses, but not beyond the timeout, arrives complete.",
        (
            Expect("status", "is", 200),
            Expect("text", "holds", "[DONE]"),
            Expect("tells_of_failure", "is", False),
            Expect("ms", "at_least", 700),
        ),
        http=_STREAM,
        faults=({"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": 0.7},),
        needs=_NEEDS,
    ),
    Check(
        "dropped_connection",
        "When the upstream drops the connection in mid-stream, the client can tell.",
        (Expect("tells_of_failure", "is", True),),
        http=_STREAM,
        faults=({"type": "stream_fault", "kind": "disconnect", "after_chunks": 3},),
        needs=_NEEDS,
    ),
    Check(
        "truncated_stream",
        "When a stream ends without its closing event, the client can tell.",
        (Expect("tells_of_failure", "is", True),),
        http=_STREAM,
        faults=({"type": "stream_fault", "kind": "truncate", "after_chunks": 3},),
        needs=_NEEDS,
    ),
    Check(
        "first_byte_timeout",
        "An upstream that sends nothing is given up after first_byte_s, within 10 %.",
        (*error_shape(504), Expect("timed_ms", "near", ("$first_byte_ms", 0.1))),
        http=_ASK,
        faults=({"type": "delay", "seconds": "$first_byte_too_long"},),
        needs=(*_NEEDS, "first_byte_ms"),
    ),
    Check(
        "idle_timeout",
        "A stream that stops is cut after idle_s, within 10 %, and the client can tell.",
        (Expect("tells_of_failure", "is", True), Expect("timed_ms", "near", ("$idle_ms", 0.1))),
        http=_STREAM,
        faults=({"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": "$idle_too_long"},),
        needs=(*_NEEDS, "idle_ms"),
    ),
)

# The load engine drives this check (`throttle.py`); only its expectations are here.
THROTTLED = Check(
    THROTTLING,
    "Above the stage's throttle callers get 429 with a retry-after in OpenAI's error shape; after a pause, 200.",
    (
        Expect("status", "is", 429),
        Expect("json.error.message", "present"),
        Expect("headers.retry-after", "present"),
        Expect("headers.access-control-allow-origin", "present"),
        Expect("recovered", "is", True),
    ),
)
