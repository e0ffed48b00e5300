"""Token buckets that limit how many requests a minute a client key may send to this process.

Lambda runs a process for each environment and they share nothing: with n environments a caller gets up to n times its
rate.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from proxy import errors

if TYPE_CHECKING:
    from proxy.clock import Clock
    from proxy.secret.schema import ClientKey


class RateLimits:
    """One bucket for each client key with a rate. A bucket holds one minute's requests; a new one is full."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # by the key's id: (requests left, as of when)

    def take(self, client: ClientKey) -> None:
        """Count a request. Raises ProxyError 429 with retry-after when the bucket is empty."""
        rate = client.requests_per_minute
        if rate is None:
            return
        with self._lock:
            left, since = self._buckets.get(client.id, (max(1.0, rate), self._clock.wall()))
            # Wall time: the monotonic clock of a frozen environment may stand still. It never refills backwards.
            now = max(since, self._clock.wall())
            left = min(max(1.0, rate), left + (now - since) * rate / 60.0)
            allowed = left >= 1.0
            self._buckets[client.id] = (left - 1.0 if allowed else left, now)
        if not allowed:
            raise errors.rate_limited(rate, (1.0 - left) * 60.0 / rate)
