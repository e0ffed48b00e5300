"""What the core hands to an upstream, and who takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proxy.exchange import Exchange
    from proxy.message import Request, Response
    from proxy.request.model import NamedModel
    from proxy.secret.schema import Config


@dataclass(slots=True)
class Outbound:
    """A request that has passed all checks.

    `path`: below the base URL, with its query; `named`: the model in the body; `upstream`: the name of the upstream for
    a request without one.
    """

    request: Request
    path: str
    config: Config
    exchange: Exchange
    named: NamedModel | None = None
    caller_key: str = ""  # which must not go upstream
    upstream: str = ""


class Forwarding(Protocol):
    """Takes requests to an upstream; upstream/forward.py does."""

    def forward(self, outbound: Outbound) -> Response:
        """The upstream's answer. Raises ProxyError, CallerGone."""
        ...
