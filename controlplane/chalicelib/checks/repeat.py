"""Sends a request again that API Gateway refused itself.

The stage's throttle and Lambda's concurrency are shared with users: their 429 says nothing about the proxy.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # 16 s in all: each phase still ends within its Lambda's time
_JITTER = (0.7, 1.3)


def until_let_in(send: Callable[[], T], is_refused: Callable[[T], object], seed: str) -> T:
    """What the first request brings that was not refused, or the last of six. seed: of the pauses' jitter."""
    answer, jitter = send(), random.Random(seed)  # noqa: S311  spreads requests, decides nothing
    for pause_s in _PAUSES_S:
        if not is_refused(answer):
            break
        time.sleep(pause_s * jitter.uniform(*_JITTER))
        answer = send()
    return answer
