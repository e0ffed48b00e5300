"""What a door hands to the core and gets back: one request, one response, no transport.

Headers are ordered pairs, because repeated headers must survive; names are lower case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.exchange import Exchange

Body: TypeAlias = bytes | bytearray
# Headers that belong to one connection (RFC 9110 section 7.6.1) and never pass.
CONNECTION_HEADERS = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as the caller sent it; `path` is without the stage and without `/_candidate`."""

    method: str
    path: str
    query: str  # raw, without the question mark
    headers: tuple[tuple[str, str], ...]
    body: Body
    body_limit: int  # bytes; what the door can carry
    caller: int = -1  # a descriptor that shows when the caller hangs up; -1 where the door has none
    local: bool = False  # came in on this machine, where web pages can reach the proxy
    hold: bool = False  # the door needs the whole body before it can answer, so a broken one can become a 502
    candidate: bool = False  # an IAM caller came in through /_candidate
    live: bool = False  # and asks the users' version, through /_candidate/_live
    deadline: float | None = None  # on Clock.monotonic(); the platform ends the invocation then
    gateway_id: str = ""  # API Gateway's request id
    invocation_id: str = ""  # Lambda's request id

    @property
    def reads_pending(self) -> bool:
        """Whether a version of the secret that is under test answers this request."""
        return self.candidate and not self.live

    def header(self, name: str) -> str:
        """The first value of a header, by its lower-case name; empty when absent."""
        for key, value in self.headers:
            if key == name:
                return value
        return ""


@dataclass(slots=True)
class Response:
    """One HTTP response; `body` may raise StreamBroken after its last chunk."""

    status: int
    headers: list[tuple[str, str]]
    body: Iterable[bytes]
    exchange: Exchange = field(repr=False)

    def close(self) -> None:
        """Release the upstream connection when the body is not read to its end."""
        close = getattr(self.body, "close", None)
        if close is not None:
            close()


class StreamBroken(Exception):
    """The upstream failed after the headers were sent: the door must end the response as broken."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
