"""The server-sent event that tells an SDK that its stream broke.

openai-python and openai-node raise APIError for a `data` with an `error` member, in chat completions as in responses;
the Responses API besides has an `error` event of its own, whose members are `code`, `message` and `param`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proxy.response.families import RESPONSES

if TYPE_CHECKING:
    from proxy.response.families import Family


def error_event(family: Family | None, code: str, message: str, *, after_cr: bool = False) -> bytes:
    """The event's bytes, to be sent behind a whole event; `after_cr`: the last line sent ended in a CR."""
    error = {"message": message, "type": "server_error", "param": None, "code": code}
    start = b"\n" if after_cr else b""  # the LF of that CR, should a client wait for it
    if family is RESPONSES:
        fields = {"type": "error", "code": code, "message": message, "param": None, "error": error}
        return start + b"event: error\ndata: " + json.dumps(fields).encode() + b"\n\n"
    return start + b"data: " + json.dumps({"error": error}).encode() + b"\n\n"
