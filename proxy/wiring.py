"""The composition root: which parts a process is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.clock import SYSTEM
from proxy.core import Proxy
from proxy.secret.cache import CANDIDATE_TTL_S, SecretCache
from proxy.telemetry import Telemetry
from proxy.upstream.forward import Forwarder
from proxy.upstream.pool import Pool
from proxy.upstream.resolve import Resolver

if TYPE_CHECKING:
    from proxy.clock import Clock
    from proxy.secret.store import SecretStore
    from proxy.settings import Settings


class Parts:
    """What a door needs: the core, the telemetry that ends a request, and the secret to keep fresh."""

    def __init__(
        self,
        settings: Settings,
        store: SecretStore,
        clock: Clock = SYSTEM,
        telemetry: Telemetry | None = None,
        *,
        candidate_store: SecretStore | None = None,
    ) -> None:
        self.clock = clock
        self.telemetry = telemetry or Telemetry(settings.environment, settings.log_level, clock)
        report = self.telemetry.secret_failed
        candidate = None
        if candidate_store is not None:
            candidate = SecretCache(candidate_store, CANDIDATE_TTL_S, clock, report)
        self.secrets = SecretCache(store, settings.secret_ttl_s, clock, report, candidate)
        self.pool = Pool(clock, Resolver())
        self.proxy = Proxy(settings, self.secrets, Forwarder(self.pool, self.secrets, clock), clock)
