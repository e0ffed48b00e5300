"""What the records port takes and answers: claims, pages, endings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.model import Deployment


@dataclass(frozen=True, slots=True)
class Claim:
    """An Idempotency-Key and the digest of the body that came with it."""

    key: str
    body_sha256: str


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; `cursor` asks for the next page, None at the end."""

    deployments: Sequence[Deployment]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a deployment ends: attributes of its own record, what its environment is from now on, a line of history.

    at: ISO 8601; execution_arn: who may end it, if that still holds the environment; forgets: phases of which nothing
    is applied any more; unless_aborted: refuse when someone has asked it to stop.
    """

    at: str
    execution_arn: str
    deployment: Mapping[str, Any]
    environment: Mapping[str, Any]
    history: Mapping[str, Any]
    forgets: Sequence[str] = ()
    unless_aborted: bool = False
