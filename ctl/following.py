"""Reads something again and again until it has ended."""

import json
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

_GROWTH = 1.4


def follow(
    read: Callable[[], T],
    state_of: Callable[[T], object],
    is_final: Callable[[T], bool],
    *,
    pauses_s: tuple[float, float],
    limit_s: float,
    late: str,
) -> Iterator[T]:
    """What each read brings; the pause grows from the first to the second of `pauses_s` while `state_of` is the same.

    Raises TimeoutError with the words `late` after `limit_s` seconds.
    """
    first_s, last_s = pauses_s
    deadline, pause_s, before = time.monotonic() + limit_s, first_s, ""
    while True:
        latest = read()
        yield latest
        if is_final(latest):
            return
        state = json.dumps(state_of(latest), sort_keys=True)
        pause_s = first_s if state != before else min(pause_s * _GROWTH, last_s)
        before = state
        if time.monotonic() > deadline:
            raise TimeoutError(late)
        time.sleep(pause_s)
