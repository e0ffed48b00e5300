"""Decides whether and when an attempt is made again. No clock, no network.

The rules are those of OpenAI's own SDKs: 408, 409, 429 and 5xx, or what `x-should-retry` says; Retry-After
obeyed; otherwise exponential backoff with jitter. A wait that the caller can do better than a paid-for Lambda
is left to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_WAIT_S = 0.25
MAX_WAIT_S = 4.0
MAX_RETRY_AFTER_S = 8.0  # beyond this the answer goes to the caller, with its Retry-After


def is_retryable(status: int, should_retry: str) -> bool:
    """Whether an upstream answer may be asked for again; `should_retry` is the header x-should-retry."""
    if should_retry == "true":
        return True
    if should_retry == "false":
        return False
    return status in (408, 409, 429) or status >= 500


def backoff_s(attempt: int, chance: float) -> float:
    """Seconds to wait after the `attempt`-th failure (from 1), jittered by up to a quarter; `chance` is in
    [0, 1).
    """
    wait: float = min(FIRST_WAIT_S * 2.0 ** (attempt - 1), MAX_WAIT_S)
    return wait * (1.0 - 0.25 * chance)


def retry_after_s(header: Callable[[str], str | None], now: float) -> float | None:
    """Seconds that an answer asks to wait: retry-after-ms, else retry-after (seconds or date), or None."""
    milliseconds = _number(header("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000.0
    value = header("retry-after")
    seconds = _number(value)
    if seconds is not None or not value:
        return seconds
    from email.utils import parsedate_to_datetime  # 10 ms of a cold start, for a form that is rarely sent

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):  # the latter for numbers that no date can have
        return None


def wait_s(attempt: int, retry_after_s: float | None, chance: float, left: float) -> float | None:
    """How long to wait before the next attempt, or None when it is better to give the answer to the caller.

    `left` is what remains of the total time: a wait that would use it up leaves nothing for the attempt.
    """
    if retry_after_s is not None and retry_after_s > MAX_RETRY_AFTER_S:
        return None
    # A little later than asked: clocks differ, and everybody else was told the same moment.
    wait = (
        backoff_s(attempt, chance)
        if retry_after_s is None
        else max(retry_after_s * (1.0 + 0.05 * chance), retry_after_s + 0.01)
    )
    return wait if wait < left else None


def _number(value: str | None) -> float | None:
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0.0 <= number < float("inf") else None
