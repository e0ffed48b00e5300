"""Property-based tests neither depend on the machine's speed nor leave files behind."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("proxy", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("proxy")
