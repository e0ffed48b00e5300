"""The official OpenAI SDK as the user of the proxy that it is: each operation answers with plain facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from chalicelib.domain.aws.sdk_target import Target


class Sdk(Protocol):
    def observe(self, operation: str, target: Target, models: Mapping[str, str]) -> Mapping[str, Any]:
        """Do `operation` (chat, chat_stream, embeddings, models, responses, tool_call) and tell what came.

        models: `chat` and `embedding` by name. Facts always hold `status` (0 when nothing came), `ms` and
        `request_id`; an error of the SDK is a fact (`error`), not an exception. `not_run`: why the answer, which is
        complete, shows nothing of what was asked for.
        """
        ...
