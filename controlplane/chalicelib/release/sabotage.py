"""The release that a drill breaks on purpose: it must fail its health check and be rolled back."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.drills import EPHEMERAL
from chalicelib.domain.options import Options
from chalicelib.engine.fingerprints import fingerprint

from .release import WantedRelease


def is_sabotaged(environment: str, options: Options) -> bool:
    """Whether the release is to be broken: only in a drill's own environment (`drill-<6 hex>`)."""
    return options.sabotage is not None and bool(EPHEMERAL.fullmatch(environment))


def broken(release: WantedRelease) -> WantedRelease:
    """The same release with a setting that is not a number.

    The proxy refuses to start, as it does with any typing error, so API Gateway answers 5xx. A version that never
    served users sets off no alarm.
    """
    environment = {**release.environment, "SECRET_TTL_S": "broken by a drill"}
    return replace(release, environment=environment, fingerprint=fingerprint(release.fingerprint, environment))
