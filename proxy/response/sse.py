"""The server-sent event that tells an SDK that its stream broke.

openai-python and openai-node raise APIError for a `data` with an `error` member, in chat completions as in
responses; the Responses API besides has an `error` event of its own, whose members are `code`, `message` and
`param`.
"""

from __future__ import annotations

import json


def error_event(path: str, code: str, message: str, *, after: bytes) -> bytes:
    """The event's bytes; `after` is the last chunk sent: an event cut in its middle is closed first."""
    error = {"message": message, "type": "server_error", "param": None, "code": code}
    start = b"" if not after or after.endswith((b"\n\n", b"\r\n\r\n")) else b"\n\n"
    if path.startswith("/responses"):
        fields = {"type": "error", "code": code, "message": message, "param": None, "error": error}
        return start + b"event: error\ndata: " + json.dumps(fields).encode() + b"\n\n"
    return start + b"data: " + json.dumps({"error": error}).encode() + b"\n\n"
