"""The pause before the next call to AWS: short at first, then longer."""

from __future__ import annotations

_STEPS_S = (1, 1, 2, 3, 5, 8, 13)


def next_poll_s(polls: int) -> int:
    """Seconds to wait after `polls` earlier polls for the same thing: 1 to 13."""
    return _STEPS_S[min(polls, len(_STEPS_S) - 1)]
