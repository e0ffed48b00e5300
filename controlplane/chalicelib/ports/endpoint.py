"""HTTP requests to the proxy as users send them, signed for IAM routes or unsigned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.aws.http import Reply


class Endpoint(Protocol):
    """One connection a request, so that checks do not share warm connections."""

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        signed: bool,
        timeout_s: float,
        public: bool = False,
    ) -> Reply:
        """Send and read to the end, `timeout_s` for all of it. public: send nothing to an address that is none of the
        internet, whatever the host's name resolves to.

        Raises AwsCallFailed when no status line came; its evidence has `kind`: connect, timeout, dropped
        or protocol.
        """
        ...

    def sign(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The headers to add so that API Gateway knows the caller's role (SigV4, service execute-api)."""
        ...
