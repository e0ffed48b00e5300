"""`python -m bench.revalidation`: does a night's revalidation stay linear in the number of environments?

Recorded environments lie in a DynamoDB table (moto, in this process, on the table that resources.yaml declares); the
real nightly start, runner, steps and adapters work on them, with tiny checks. Counted is every call of an AWS API, the
bytes that the state machine carries, and the time of each part. moto scans a table for every query, so its own time
grows with the square; that time is taken out of the figures and told beside them. For the same reason all environments
are started and swept, but the steps run for a sample, spread over all; `--every` runs them for each, which takes long.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

from chalicelib import phases, runner
from chalicelib.api import nightly, sweep
from chalicelib.core.contract import Request, Result
from chalicelib.ports import Aws

from bench.load.figures import Bound, Report, say
from bench.recorded import Meter, World, record_environment, world

SIZES = (25, 50, 100, 200)
SAMPLE = 12
STEPS = ("acquire_lock", "check_drift", "validate_endpoints", "validate_errors", "load_test", "record_outcome")
# Of everything counted, this much more for each environment at the largest size than at the smallest is still linear.
COUNTED, TIMED = 1.05, 1.5
_STATE_LIMIT = 256 * 1024  # bytes; Step Functions
_START = datetime(2026, 1, 2, 3, 17, tzinfo=UTC)


@dataclass(frozen=True)
class Night:
    """What one night with so many environments cost. own_s: seconds of our own code by part, without the emulator's;
    state_bytes: the largest payload between two states; good: how many environments were found so."""

    size: int
    sample: int
    calls: Mapping[str, int]
    by_operation: Mapping[str, int]
    own_s: Mapping[str, float]
    emulated_s: float
    state_bytes: int
    good: int

    def calls_each(self, part: str) -> float:
        """Calls an environment."""
        return self.calls[part] / self._of(part)

    def own_ms_each(self, part: str) -> float:
        """Milliseconds of our own code an environment."""
        return self.own_s[part] / self._of(part) * 1_000

    def _of(self, part: str) -> int:
        return self.sample if part == "revalidate" else self.size


def _tiny(name: str) -> ModuleType:
    """A check that asks one question."""
    made = ModuleType(name)

    def run(request: Request, aws: Aws) -> Result:
        reply = aws.endpoint.call("GET", f"https://{request.environment.name}/health", signed=True, timeout_s=1)
        return Result.done(f"health answered {reply.status}", checks=[{"name": "health", "verdict": "PASS"}])

    made.run = run  # type: ignore[attr-defined]
    return made


def _load(name: str) -> ModuleType:
    return phases.load(name) if name in ("acquire_lock", "check_drift", "record_outcome") else _tiny(name)


def night(size: int, sample: int) -> Night:
    """One night over `size` environments: the start, every step of `sample` revalidations, and the sweeper after it."""
    with world() as (here, meter):
        for number in range(size):
            record_environment(here, f"env-{number:04}")
        aws = here.as_aws()
        own: dict[str, float] = {}
        clock = _ticking()
        meter.part, meter.emulated_s = "start", 0.0
        with _timed(own, meter):
            started = nightly.start_all({"scheduled_at": _START.isoformat()}, aws, clock)["started"]
        meter.part, largest = "revalidate", 0
        with _timed(own, meter):
            for environment, deployment_id in list(started.items())[:: max(1, size // sample)][:sample]:
                largest = max(largest, _revalidate(environment, deployment_id, here, clock))
        meter.part = "sweep"
        with _timed(own, meter):
            sweep.run({}, aws, clock)
        good = sum((one.last_revalidation or {}).get("verdict") == "GOOD" for one in here.records.environments())
        counted = {part: sum(meter.calls.get(part, Counter()).values()) for part in own}
        total: Counter[str] = sum((meter.calls.get(part, Counter()) for part in own), Counter())
        return Night(size, min(size, sample), counted, total, own, meter.emulated_s, largest, good)


def _ticking() -> Callable[[], datetime]:
    """A clock that goes on by a millisecond a look, so that no two events fall on one key."""
    looks = iter(range(10**9))
    return lambda: _START + timedelta(milliseconds=next(looks))


@contextmanager
def _timed(own: dict[str, float], meter: Meter) -> Iterator[None]:
    part, emulated, began = meter.part, meter.emulated_s, time.perf_counter()
    yield
    own[part] = time.perf_counter() - began - (meter.emulated_s - emulated)


def _revalidate(environment: str, deployment_id: str, here: World, clock: Callable[[], datetime]) -> int:
    """The steps in the order of the state machine; answers the size of its largest payload."""
    state: dict[str, Any] = {
        "deployment_id": deployment_id,
        "environment": environment,
        "action": "revalidate",
        "execution_arn": f"{here.executions._machine.replace(':stateMachine:', ':execution:')}:{deployment_id}",
    }
    largest = 0
    for step in STEPS:
        answer = runner.run(step, state, here.as_aws(), clock, _load)
        largest = max(largest, len(json.dumps({**state, "result": answer})))
    return largest


def measure(sizes: Sequence[int] = SIZES, sample: int = SAMPLE) -> Report:
    nights = []
    for size in sizes:
        nights.append(night(size, sample))
        say(f"  {size} environments: done")
    first, last = nights[0], nights[-1]
    title = f"Revalidating {last.size} recorded environments, the steps for {last.sample} of them"
    return Report(title, _lines(nights), _bounds(nights, first, last))


def _lines(nights: Sequence[Night]) -> list[str]:
    lines = [f"{'environments':>12} {'calls each':>10} {'own ms each':>11} {'state bytes':>11} {'moto s':>7}"]
    for one in nights:
        calls = sum(one.calls_each(part) for part in one.calls)
        own_ms = sum(one.own_ms_each(part) for part in one.calls)
        lines.append(f"{one.size:>12} {calls:>10.2f} {own_ms:>11.2f} {one.state_bytes:>11} {one.emulated_s:>7.1f}")
    last = nights[-1]
    lines += [
        f"{part}: {last.calls_each(part):.2f} calls and {last.own_ms_each(part):.2f} ms an environment"
        for part in last.calls
    ]
    return [*lines, "calls: " + ", ".join(f"{name} {count}" for name, count in sorted(last.by_operation.items()))]


def _bounds(nights: Sequence[Night], first: Night, last: Night) -> list[Bound]:
    against = f"{last.size} against {first.size}"
    own_ms = [sum(one.own_ms_each(part) for part in one.calls) for one in (first, last)]
    return [
        Bound("share of environments found good", min(one.good / one.sample for one in nights), low=1),
        *(
            Bound(
                f"calls an environment, {part}, {against}", last.calls_each(part) / first.calls_each(part), high=COUNTED
            )
            for part in last.calls
        ),
        Bound(f"time an environment, {against}", own_ms[1] / own_ms[0], high=TIMED),
        Bound(f"largest state, {against}", last.state_bytes / first.state_bytes, high=COUNTED),
        Bound("largest state as a share of Step Functions' limit", last.state_bytes / _STATE_LIMIT, high=0.05),
        Bound("environments started within one Lambda's time, at 20 ms a call", _most_at(last, 0.020), low=1_000),
    ]


def _most_at(one: Night, seconds_a_call: float) -> float:
    """How many environments the nightly start reaches in its 13 minutes."""
    return 13 * 60 / (one.calls_each("start") * seconds_a_call + one.own_ms_each("start") / 1_000)


def main(arguments: list[str]) -> int:
    """Measure and tell; 0 when every bound holds."""
    parser = argparse.ArgumentParser(prog="python -m bench.revalidation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of environments, rising")
    parser.add_argument("--every", action="store_true", help="run the steps for every environment")
    asked = parser.parse_args(arguments)
    report = measure(tuple(asked.sizes), max(asked.sizes) if asked.every else SAMPLE)
    report.title += f", Python {platform.python_version()}, load {os.getloadavg()[0]:.2f}"
    report.tell()
    return 0 if all(bound.holds for bound in report.bounds) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
