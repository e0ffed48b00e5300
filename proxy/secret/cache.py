"""The configuration in force: the last good secret, read again when it is old or when the upstream says 401.

A secret that cannot be read or decoded never replaces a good one: it is reported, and asked for again later.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from proxy import errors
from proxy.secret import schema
from proxy.secret.store import SecretUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from proxy.clock import Clock
    from proxy.secret.schema import Config
    from proxy.secret.store import SecretStore

RETRY_AFTER_FAILURE_S = 5.0  # how long a failed read is left alone
CANDIDATE_TTL_S = 2.0  # a rollout waits this long until every process reads its version
EARLY = 0.8  # part of the TTL after which a read between two requests is worth it


class SecretCache:
    """Holds the decoded secret. Threads may share it: one reads, the others go on with what there is."""

    def __init__(
        self,
        store: SecretStore,
        ttl_s: float,
        clock: Clock,
        report: Callable[[str], None],
        candidate: SecretCache | None = None,
    ) -> None:
        """`candidate`: the cache of requests on the candidate's path; None where they share this one."""
        self._candidate = candidate
        self._store = store
        self._ttl_s = ttl_s
        self._clock = clock
        self._report = report
        self._lock = threading.Lock()
        self._config: Config | None = None
        self._read_at = float("-inf")
        self._failed_at = float("-inf")
        self._fruitless_at = float("-inf")
        self._failure = ""

    def of(self, *, candidate: bool) -> SecretCache:
        """The cache of a request: of one on the candidate's path, or of a user's."""
        return self._candidate if candidate and self._candidate is not None else self

    def get(self) -> Config:
        """The configuration to use now. Raises ProxyError 503 while there has never been a good one."""
        held = self._config
        if held is not None and not self._due(self._ttl_s):
            return held
        if held is None:
            with self._lock:
                if self._config is None:
                    self._read()
        elif self._lock.acquire(blocking=False):
            try:
                self._read()
            finally:
                self._lock.release()
        if self._config is None:
            raise errors.unavailable(f"The proxy has no usable secret: {self._failure}.")
        return self._config

    def held(self) -> Config | None:
        """The configuration that was read last, however old; None before the first. Never waits."""
        return self._config

    def replace(self, refused: Set[str], upstream: str = "") -> Config | None:
        """After a 401: a configuration whose key for the upstream is not one of the `refused`, or None.

        `upstream`: a name in the secret, empty for the default one.
        """
        with self._lock:
            if self._config is not None and _has_other_key(self._config, refused, upstream):
                return self._config  # another thread has read it meanwhile
            now = self._clock.wall()
            if now - self._fruitless_at >= RETRY_AFTER_FAILURE_S:
                self._read()
            held = self._config
            if held is not None and _has_other_key(held, refused, upstream):
                return held
            # The key is wrong in the secret itself: every request of every caller would read it again.
            self._fruitless_at = max(self._fruitless_at, now)
        return None

    def refresh_early(self) -> None:
        """Read again before the TTL ends; called between two requests, when nobody waits for it."""
        if self._candidate is not None:
            self._candidate.refresh_early()
        if self._config is not None and self._due(self._ttl_s * EARLY) and self._lock.acquire(blocking=False):
            try:
                self._read()
            finally:
                self._lock.release()

    def _due(self, age_s: float) -> bool:
        now = self._clock.wall()
        return now - self._read_at >= age_s and now - self._failed_at >= RETRY_AFTER_FAILURE_S

    def _read(self) -> None:
        now = self._clock.wall()
        if now - self._failed_at < RETRY_AFTER_FAILURE_S:
            return
        try:
            text, version_id = self._store.read()
            self._config = schema.decode(text, version_id)
            self._read_at = now
            self._failed_at = float("-inf")
            return
        except (SecretUnreadable, schema.SecretError) as error:
            self._failure = str(error)
        except Exception as error:  # noqa: BLE001  (no secret, however odd, may take the last good one away)
            self._failure = f"the secret cannot be decoded: {type(error).__name__}"  # its message may hold a value
        self._failed_at = now
        self._report(self._failure)


def _has_other_key(config: Config, refused: Set[str], name: str) -> bool:
    upstream = config.upstreams.get(name) if name else config.upstream
    return upstream is not None and upstream.api_key not in refused
