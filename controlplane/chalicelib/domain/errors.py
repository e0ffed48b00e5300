"""Every error that a task or the API may end with: few, flat names, because Step Functions matches them as strings.

Each states what failed and what to do. All inherit from `RolloutError` directly, since an ASL `ErrorEquals` on a base
class does not catch its children.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Ranges = Mapping[str, tuple[float, float]]  # (lowest, highest) by field

_LEAST = 1e-9  # of the numbers above 0; DynamoDB holds none below 1e-130
_SHOWN = 40  # characters of a number in a message


def _fields(evidence: object) -> dict[str, Any]:
    """The fields of an evidence dataclass that differ from their defaults, or a copy of a mapping."""
    if dataclasses.is_dataclass(evidence) and not isinstance(evidence, type):
        untouched = type(evidence)()
        values = {field.name: getattr(evidence, field.name) for field in dataclasses.fields(evidence)}
        return {name: value for name, value in values.items() if value != getattr(untouched, name)}
    return dict(evidence) if isinstance(evidence, Mapping) else {}


class RolloutError(Exception):
    """A stable code, a message, the field at fault, a remedy and evidence.

    evidence: a mapping of JSON values, or a phase's evidence dataclass; of that, the fields that differ from their
    defaults are recorded.
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
    """A phase found a reason to stop the rollout. Not retried."""


class Throttled(RolloutError):
    """AWS throttled a call or failed internally, and the SDK's retries ran out. Step Functions tries again."""


class AccessDenied(RolloutError):
    """AWS denied a call: a policy lacks a statement."""


class AwsCallFailed(RolloutError):
    """AWS refused a call for a reason that the adapter does not handle.

    aws_code: AWS's error code (`ValidationError`); "" when AWS sent none.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        remedy: str | None = None,
        evidence: object = None,
        aws_code: str = "",
    ) -> None:
        super().__init__(message, code=code, remedy=remedy, evidence=evidence)
        self.aws_code = aws_code


class NotFound(RolloutError):
    """A resource or record does not exist."""


class BadRequest(RolloutError):
    """The caller's input is wrong; `field` says where."""


class Conflict(RolloutError):
    """The current state forbids it: the environment is busy, or an Idempotency-Key was used before.

    holder: ID of the deployment that holds the environment. claimed_by, body_sha256: ID of the deployment that the
    Idempotency-Key stands for, and the digest of the body that came with it. "" where they do not apply.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        field: str | None = None,
        remedy: str | None = None,
        holder: str = "",
        claimed_by: str = "",
        body_sha256: str = "",
    ) -> None:
        super().__init__(message, code=code, field=field, remedy=remedy)
        self.holder = holder
        self.claimed_by = claimed_by
        self.body_sha256 = body_sha256


class LockLost(RolloutError):
    """Another deployment holds the environment; this one must not change it any more."""


class Aborted(RolloutError):
    """The deployment was stopped on request."""


def within(name: str, value: float | None, low: float, high: float) -> None:
    """Refuse a number outside [low, high], and one so near to 0 that DynamoDB cannot hold it, naming the field."""
    if value is None or (low <= value <= high and (value == 0 or abs(value) >= _LEAST)):
        return
    least = f", and 0 or at least {_LEAST}" if low <= value <= high else ""
    raise BadRequest(
        f"{name} is {shown(value)}; it must be from {low} to {high}{least}",
        field=name,
        remedy=f"Set {name} within the range.",
    )


def not_longer(name: str, text: str, most: int) -> None:
    """Refuse a text of more characters than `most`, naming the field."""
    if len(text) > most:
        raise BadRequest(
            f"{name} has {len(text)} characters; it may have {most}",
            field=name,
            remedy="Say it shorter, or link to where it is said.",
        )


def all_within(under: str, value: object, ranges: Ranges) -> None:
    """`within` for each field of `value` that `ranges` names; `under`: the path of `value`."""
    for name, (low, high) in ranges.items():
        within(f"{under}.{name}", getattr(value, name), low, high)


def shown(value: float) -> str:
    """The number, cut where a caller has sent thousands of digits."""
    try:
        text = str(value)
    except ValueError:  # Python refuses to write integers of more than 4,300 digits
        return "a number with thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def unknown_environment(name: str, *, field: str) -> NotFound:
    """The error for a request about an environment that never had a deployment."""
    return NotFound(
        f"there is no environment {name}",
        field=field,
        remedy="POST /deployments with action deploy makes it; GET /environments lists those that exist.",
    )
