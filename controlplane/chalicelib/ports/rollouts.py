"""Deployments, started as POST /deployments starts them: for a step that rolls other environments than its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from chalicelib.domain.model import Deployment


class Rollouts(Protocol):
    def begin(self, given: Mapping[str, Any], *, caller: str, key: str) -> Deployment:
        """given: the body of the POST. The same key gives the same deployment. Raises BadRequest, or Conflict while
        the environment is busy."""
        ...
