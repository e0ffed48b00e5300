"""How long to wait before asking AWS again: soon at first, then less and less often."""

from __future__ import annotations

_STEPS_S = (1, 1, 2, 3, 5, 8, 13)


def next_poll_s(asked: int) -> int:
    """Seconds to wait after having asked so many times before."""
    return _STEPS_S[min(asked, len(_STEPS_S) - 1)]
