"""A release that a drill breaks on purpose: its checks must fail, and it must go back."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.config import Options
from chalicelib.domain.drills import EPHEMERAL
from chalicelib.engine.fingerprints import fingerprint

from .release import Wanted


def is_sabotaged(environment: str, options: Options) -> bool:
    """Whether a release is to be broken on purpose: in an environment that a drill made, and nowhere else."""
    return options.sabotage is not None and bool(EPHEMERAL.fullmatch(environment))


def broken(release: Wanted) -> Wanted:
    """The same release with a setting that no number is: the proxy refuses to start, as it would with anybody's typing
    error, and the gateway answers 5xx for it. Having never run, it rings no alarm that watches users."""
    environment = {**release.environment, "SECRET_TTL_S": "broken by a drill"}
    return replace(release, environment=environment, fingerprint=fingerprint(release.fingerprint, environment))
