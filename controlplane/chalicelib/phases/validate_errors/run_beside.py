"""Runs the checks of time limits beside everything else: they wait for seconds, and nothing waits for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

from chalicelib.checks.check import Check
from chalicelib.checks.expectations import CheckOutcome, CheckVerdict
from chalicelib.checks.observe import run_all, run_check, run_once
from chalicelib.checks.target import Target
from chalicelib.ports import Aws


def run_beside(
    checks: Sequence[Check], target: Target, aws: Aws, throttle: Callable[[], CheckOutcome]
) -> list[CheckOutcome]:
    """All outcomes in the order of `checks`, then that of `throttle`.

    throttle: drives the throttle, whose 429s hit every request that begins meanwhile. So it begins when all checks but
    those of time limits have ended; the requests of these began before, and no 429 reaches them. Where there is no room
    for all of them at once, they end first. A time limit that was missed beside the load is tried again, alone.
    """
    slow = [check for check in checks if check.is_timed]
    beside = max(1, min(len(slow), target.at_once // 2))
    others = replace(target, at_once=max(1, target.at_once - beside))
    with ThreadPoolExecutor(beside) as pool:
        waiting = {check.name: pool.submit(run_once, check, target, aws) for check in slow}
        if beside < len(slow) or target.at_once == 1:
            wait(waiting.values())
        outcomes = {each.name: each for each in run_all([item for item in checks if item not in slow], others, aws)}
        throttled = throttle()
    for check in slow:
        first = waiting[check.name].result()
        repeats = first.verdict is CheckVerdict.FAILED
        outcomes[check.name] = run_check(check, target, aws) if repeats else first
    return [*(outcomes[check.name] for check in checks), throttled]
