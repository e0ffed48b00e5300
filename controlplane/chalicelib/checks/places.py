"""How many checks run at once, so that Lambda refuses none of their requests for want of concurrency. Pure."""

from __future__ import annotations

from collections.abc import Iterable

MOST_AT_ONCE = 8  # checks mostly wait
# Executions beside the checks: this phase, the API that a client polls, an event, and the proxy's own warming.
_OTHERS = 4


def places(unreserved: int, reserved: Iterable[int | None]) -> int:
    """Checks at once, from 1 to MOST_AT_ONCE. unreserved: concurrent executions of the account that no function has
    reserved; they do not matter where the proxy's function has its own."""
    own = [count for count in reserved if count is not None]
    return max(1, min(MOST_AT_ONCE, *own if own else [unreserved - _OTHERS]))
