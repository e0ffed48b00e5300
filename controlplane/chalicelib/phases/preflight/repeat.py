"""When to ask IAM's simulator again after it has refused for its rate, and when to stop asking."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from chalicelib.domain.errors import Throttled

T = TypeVar("T")
_SHORTEST_S, _LONGEST_S = 0.25, 4.0
# The Lambda has 60 s. Of these one request takes up to 16 s of botocore's own retries, the rest of the phase about 5 s.
PATIENCE_S = 25.0


@dataclass
class Pace:
    """Repeats throttled calls until `patience_s` have passed since it was made, then no more, for all calls together.

    Pauses double from 0.25 s to 4 s, each between half of it and all of it.
    """

    random: Random
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic
    patience_s: float = PATIENCE_S
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def is_over(self) -> bool:
        """Whether the time for all calls has passed."""
        return self.clock() - self.began >= self.patience_s

    def call(self, attempt: Callable[[], T]) -> T:
        """Raises Throttled when the time is over."""
        pause = _SHORTEST_S
        while True:
            try:
                return attempt()
            except Throttled:
                if self.is_over:
                    raise
            self.sleep(pause * self.random.uniform(0.5, 1))
            pause = min(2 * pause, _LONGEST_S)
