"""Changes that act late: what a reader sees until each has spread. Pure; the clock is an input."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Ledger(Generic[T]):
    """For each key the states before its youngest changes, each until the change acts."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._former: dict[Hashable, list[tuple[float, T]]] = {}

    def record(self, key: Hashable, before: T, now: float) -> None:
        """A change happens at `now` (s); `before` is what it replaces."""
        self._former.setdefault(key, []).append((now + self._delay_s, before))

    def former(self, key: Hashable, now: float) -> tuple[T] | None:
        """The state that still acts, or None if the newest one does. Forgets what is over."""
        waiting = [(at, before) for at, before in self._former.get(key, []) if at > now]
        if not waiting:
            self._former.pop(key, None)
            return None
        self._former[key] = waiting
        return (waiting[0][1],)
