"""EventBridge behind `ports.events`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import AwsCallFailed

from .session import call


class EventBridgeEvents:
    """See the Protocol."""

    def put(self, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
        answer = call("events", "put_events", Entries=[entry])
        if answer.get("FailedEntryCount"):
            # PutEvents answers 200 for entries that it did not take.
            first = answer["Entries"][0]
            raise AwsCallFailed(f"events:put_events: {first.get('ErrorCode')}: {first.get('ErrorMessage')}")
