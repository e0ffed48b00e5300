"""Time and chance as inputs, so that every wait, deadline and jitter can be tested without waiting."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the proxy gets time (seconds), sleep and randomness (0 ≤ x < 1) from.

    `wall` and not `monotonic` ages what outlives an invocation: a frozen Lambda environment may not see the
    monotonic clock advance, but the rest of the world went on.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random


SYSTEM = Clock()
