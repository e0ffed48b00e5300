"""One API call as MiniStack hands it to a service, with its parameters whatever the protocol. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

# What a service handler answers: status, headers, body.
Reply = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Call:
    """service: MiniStack's name (`monitoring` for CloudWatch). action: IAM's, such as `sqs:CreateQueue`; or ""."""

    service: str
    action: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def params(self) -> Mapping[str, Any]:
        """The parameters by name: JSON as it is, a form's fields as strings."""
        try:
            document = json.loads(self.body or b"{}")
        except ValueError:
            document = None
        if isinstance(document, dict):
            return document
        form = parse_qs(self.body.decode("utf-8", errors="replace"), keep_blank_values=True)
        return {name: values[0] for name, values in form.items()}

    def text(self, name: str) -> str:
        """A string parameter; "" if it is missing."""
        return str(self.params.get(name) or "")


@dataclass(frozen=True)
class Refusal:
    """An error that AWS would answer."""

    status: int
    code: str
    message: str
