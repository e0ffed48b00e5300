"""One request on its way upstream, and the answer to one of its attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.upstream import retry

if TYPE_CHECKING:
    from proxy.exchange import Exchange
    from proxy.http.head import Fields, ResponseHead
    from proxy.message import Body, Request
    from proxy.response.families import Family
    from proxy.response.mask import Mask
    from proxy.secret.schema import Config, Upstream
    from proxy.upstream.connection import Connection

Parts = tuple["Body | memoryview", ...]


@dataclass(slots=True)
class Call:
    """What stays the same over a request's attempts, and which upstream and deadlines the current one has."""

    request: Request
    path: str  # below the base URL, with its query
    config: Config
    upstream: Upstream
    exchange: Exchange
    mask: Mask
    family: Family | None
    deadline: float  # on Clock.monotonic()
    caller_key: str = ""  # which must not go upstream
    first_byte_by: float = 0.0  # of the current attempt, likewise

    def line(self) -> str:
        """Method and target of the request line for the current upstream."""
        query = self.upstream.query
        if query:
            query = ("&" if "?" in self.path else "?") + query
        return f"{self.request.method} {self.upstream.base_path}{self.path}{query}"


class Answer:
    """An upstream's answer of which the head has arrived."""

    __slots__ = ("connection", "fields", "header", "status")

    def __init__(self, connection: Connection, head: ResponseHead) -> None:
        self.connection = connection
        self.status = head.status
        self.fields: Fields = head.fields
        self.header = dict(reversed(head.fields)).get  # the first value of a name

    @property
    def is_retryable(self) -> bool:
        """Whether the upstream asks for another attempt."""
        return retry.is_retryable(self.status, self.header("x-should-retry") or "")
