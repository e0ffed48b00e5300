"""Deployments, started as POST /deployments starts them: for a step that rolls another environment than its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.model import Deployment


class Rollouts(Protocol):
    def begin(self, body: Mapping[str, object], *, caller: str, key: str) -> Deployment:
        """body: as POST /deployments takes it. The same key gives the same deployment. Raises BadRequest, and Conflict
        while the environment is busy."""
        ...
