"""What ends an event stream, by API family. A family that is not in the table is passed and never judged.

Sources: OpenAI's API reference (streaming events of chat completions, completions and responses), Azure OpenAI's REST
reference for the paths with deployments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Where a provider puts the API: /v1 is gone already (paths.py); Azure and Bedrock have more in front.
_PREFIX = r"(?:/openai)?(?:/v1)?(?:/deployments/[^/]+)?"


@dataclass(frozen=True, slots=True)
class Family:
    """`done`: the data `[DONE]` ends a stream. `types`: event types that end one. `marks`: bytes that an event that may
    end a stream must contain."""

    name: str
    done: bool
    types: frozenset[str]
    marks: tuple[bytes, ...]


CHAT = Family("chat", True, frozenset({"error"}), (b"[DONE]", b"error"))
RESPONSES = Family(
    "responses",
    False,
    frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled", "error"}),
    (b"response.completed", b"response.incomplete", b"response.failed", b"response.cancelled", b"error"),
)
_TABLE = (
    (re.compile(_PREFIX + r"/(?:chat/)?completions/?").fullmatch, CHAT),
    (re.compile(_PREFIX + r"/responses(?:/[^/]+)?/?").fullmatch, RESPONSES),
)


def family_of(path: str) -> Family | None:
    """The family of a path below the base URL, without its query."""
    for matches, family in _TABLE:
        if matches(path):
            return family
    return None
