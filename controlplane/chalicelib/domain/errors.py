"""Every error that a task or the API may end with: few, flat names, because Step Functions matches them as strings.

Each carries what failed and what to do. A class never inherits from another of this list but `RolloutError`,
since an ASL `ErrorEquals` on a base class would not catch its children.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


def _fields(evidence: object) -> dict[str, Any]:
    if dataclasses.is_dataclass(evidence) and not isinstance(evidence, type):
        untouched = type(evidence)()
        values = {field.name: getattr(evidence, field.name) for field in dataclasses.fields(evidence)}
        return {name: value for name, value in values.items() if value != getattr(untouched, name)}
    return dict(evidence) if isinstance(evidence, Mapping) else {}


class RolloutError(Exception):
    """What all errors here share: a stable code, a message, the field at fault, a remedy and evidence.

    evidence: a mapping of JSON values, or a phase's evidence dataclass of which the fields that were set are kept.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        field: str | None = None,
        remedy: str | None = None,
        evidence: object = None,
    ) -> None:
        super().__init__(message)
        self.code = code or type(self).__name__
        self.message = message
        self.field = field
        self.remedy = remedy
        self.evidence = _fields(evidence)

    def as_dict(self) -> dict[str, Any]:
        """`{code, message, field?, remedy?}`: the shape of design §3, for API bodies and records alike."""
        shape = {"code": self.code, "message": self.message, "field": self.field, "remedy": self.remedy}
        return {key: value for key, value in shape.items() if value}


class PhaseFailed(RolloutError):
    """A phase saw something that must stop the rollout. Not retried."""


class Throttled(RolloutError):
    """AWS asked to slow down, or had a fault of its own, and the SDK's retries ran out. Step Functions tries again."""


class AccessDenied(RolloutError):
    """AWS refused a call of ours: a policy lacks a statement."""


class AwsCallFailed(RolloutError):
    """AWS refused a call for a reason that no adapter expected."""


class NotFound(RolloutError):
    """The thing asked for does not exist."""


class BadRequest(RolloutError):
    """The caller's input is wrong; `field` says where."""


class Conflict(RolloutError):
    """The state of things forbids it: the environment is busy, or a key was used for another body."""


class LockLost(RolloutError):
    """Another deployment holds the environment now; this one must not touch it any more."""


class Aborted(RolloutError):
    """Someone asked this deployment to stop."""
