"""How old the provider's key is, and when that is worth a warning."""

from __future__ import annotations

from datetime import datetime

_SECONDS_A_DAY = 86_400


def age_days(changed_at: datetime | None, now: datetime) -> int:
    """Whole days since the last change; 0 when Secrets Manager does not say when that was."""
    return 0 if changed_at is None else int((now - changed_at).total_seconds() // _SECONDS_A_DAY)


def is_old(age: int, max_age: int) -> bool:
    """Whether a key of `age` whole days must be rotated; at exactly `max_age` days it need not."""
    return age > max_age


def warnings(age: int, max_age: int) -> tuple[str, ...]:
    """One sentence when the key is too old. Both in days."""
    if not is_old(age, max_age):
        return ()
    return (f"The key was last changed {age} days ago, more than {max_age}: rotate it.",)
