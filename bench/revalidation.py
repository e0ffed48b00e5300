"""`python -m bench.revalidation`: does a night stay linear in the number of environments?

Recorded environments lie in DynamoDB (moto, in this process, on the table that resources.yaml declares). The tasks of
the nightly state machine, and every step of every revalidation that it starts, work on them with the real adapters of
what a night writes to; the checks are tiny. Counted for each environment: the calls of AWS APIs, the bytes that its
executions carry, and the processor time of our own code (moto's is printed beside it). A figure that grows with the
number of environments is a miss.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chalicelib.engine import registry, runner
from chalicelib.engine.phase import Definition, Phase, Request, Result
from chalicelib.lifecycle import night as nightly
from chalicelib.lifecycle.sweep import sweep
from chalicelib.ports import Aws

from bench import running
from bench.figures import Bound, Report, say
from bench.recorded import Meter, World, record_environment, world

SIZES = (25, 50, 100, 200)
STEPS = ("acquire_lock", "check_drift", "validate_endpoints", "validate_errors", "load_test", "record_outcome")
# What an environment may cost at the largest size, against the smallest, and still be called linear. Calls and bytes
# are exact; time is not, on a machine that others use too.
EXACT, TIMED = 1.05, 1.5
_STATE_LIMIT = 256 * 1024  # bytes; Step Functions
_START = datetime(2026, 1, 2, 3, 17, tzinfo=UTC)


@dataclass
class Night:
    """What one night over so many environments cost. calls, own_s: by part, own_s in seconds of processor time without
    the emulator's; rollouts, items: the largest payload in bytes of each revalidation's and each Map item's execution;
    state: that of the night's own."""

    size: int
    calls: dict[str, Counter[str]] = field(default_factory=dict)
    own_s: dict[str, float] = field(default_factory=dict)
    emulated_s: float = 0.0
    rollouts: list[int] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    state: int = 0
    good: int = 0

    def calls_each(self) -> float:
        """Calls an environment."""
        return sum(sum(counted.values()) for counted in self.calls.values()) / self.size

    def own_ms_each(self) -> float:
        """Milliseconds of our own code an environment."""
        return sum(self.own_s.values()) / self.size * 1_000


@dataclass(frozen=True)
class TinyEvidence:
    """The evidence of `_call_health`, in the shape of a real check's."""

    checks: tuple[Mapping[str, str], ...] = ({"name": "health", "verdict": "PASS"},)


def _call_health(request: Request, aws: Aws) -> Result[TinyEvidence]:
    """A check that makes one call."""
    reply = aws.endpoint.call("GET", f"https://{request.environment.name}/health", signed=True, timeout_s=1)
    return Result.done(f"health answered {reply.status}", TinyEvidence())


def _load(name: str) -> Phase:
    real = ("acquire_lock", "check_drift", "record_outcome")
    return registry.load(name) if name in real else Definition(_call_health, TinyEvidence)


def night(size: int) -> Night:
    """List, check each environment through all its steps, sum up, and sweep after it."""
    result = Night(size)
    with world() as (here, meter):
        for number in range(size):
            record_environment(here, f"env-{number:04}")
        meter.emulated_s, clock = 0.0, _ticking()
        with _part("list", result, meter):
            listed = nightly.list_environments({"scheduled_at": _START.isoformat()}, here.as_aws(), clock)
        for name in json.loads(here.artifacts.get(str(listed["key"]))):
            _check({"night": listed["night"], "environment": name}, here, meter, clock, result)
        with _part("sum up", result, meter):
            summary = nightly.summarize_night(listed, here.as_aws(), clock)
        with _part("sweep", result, meter):
            sweep({}, here.as_aws(), clock)
        result.state, result.good = max(_bytes(listed), _bytes(summary)), int(str(summary["good"]))
        result.emulated_s, result.calls = meter.emulated_s, {part: meter.calls[part] for part in result.own_s}
    return result


def _check(item: Mapping[str, object], here: World, meter: Meter, clock: Callable[[], datetime], result: Night) -> None:
    """One item of the Map: started, polled once before its end and once after."""
    aws = here.as_aws()
    with _part("start and ask", result, meter):
        first = nightly.revalidate_environment(item, aws, clock)
        again = nightly.revalidate_environment({**item, "result": first}, aws, clock)
    with _part("revalidate", result, meter):
        result.rollouts.append(_revalidate(str(item["environment"]), str(first["deployment_id"]), here, clock))
    with _part("start and ask", result, meter):
        last = nightly.revalidate_environment({**item, "result": again}, aws, clock)
    result.items.append(max(_bytes({**item, "result": answer}) for answer in (first, again, last)))


def _ticking() -> Callable[[], datetime]:
    """A clock that advances by a millisecond a call, so that no two events share a key."""
    looks = iter(range(10**9))
    return lambda: _START + timedelta(milliseconds=next(looks))


@contextmanager
def _part(name: str, result: Night, meter: Meter) -> Iterator[None]:
    meter.part, emulated, began = name, meter.emulated_s, time.process_time()
    yield
    spent = time.process_time() - began - (meter.emulated_s - emulated)
    result.own_s[name] = result.own_s.get(name, 0.0) + spent


def _bytes(state: Mapping[str, object]) -> int:
    return len(json.dumps(state))


def _revalidate(environment: str, deployment_id: str, here: World, clock: Callable[[], datetime]) -> int:
    """Run the steps in the order of the state machine; returns the size of the largest payload."""
    state: dict[str, object] = {
        "deployment_id": deployment_id,
        "environment": environment,
        "action": "revalidate",
        "execution_arn": f"{here.executions._machine.replace(':stateMachine:', ':execution:')}:{deployment_id}",
    }
    return max(_bytes({**state, "result": runner.run(step, state, here.as_aws(), clock, _load)}) for step in STEPS)


def measure(sizes: Sequence[int]) -> Report:
    """One night for each size, rising."""
    nights = []
    for size in sizes:
        nights.append(night(size))
        say(f"  {size} environments: done")
    title = f"A night over {', '.join(str(item.size) for item in nights)} recorded environments, every step of each"
    return Report(title, _lines(nights), _bounds(nights))


def _cells(item: Night) -> tuple[str, ...]:
    return (
        str(item.size),
        f"{item.calls_each():.2f}",
        f"{item.own_ms_each():.2f}",
        str(max(item.rollouts)),
        str(max(item.items)),
        str(item.state),
        f"{item.emulated_s:.1f}",
    )


def _lines(nights: Sequence[Night]) -> list[str]:
    columns = ("environments", "calls each", "own ms each", "execution bytes", "item bytes", "night bytes", "moto s")
    lines = ["  ".join(columns)]
    for item in nights:
        cells = zip(_cells(item), columns, strict=True)
        lines.append("  ".join(cell.rjust(len(column)) for cell, column in cells))
    last = nights[-1]
    for part, counted in last.calls.items():
        operations = ", ".join(f"{name} {count / last.size:.2f}" for name, count in sorted(counted.items()))
        own_ms = last.own_s[part] / last.size * 1_000
        lines.append(f"{part}, each: {sum(counted.values()) / last.size:.2f} calls, {own_ms:.2f} ms; {operations}")
    return lines


def _bounds(nights: Sequence[Night]) -> list[Bound]:
    """Linear: each environment costs no more when there are more of them."""
    first, last = nights[0], nights[-1]
    against = f"{last.size} against {first.size}"
    largest = max(*last.rollouts, *last.items, last.state)
    return [
        Bound("share of environments found good", min(item.good / item.size for item in nights), low=1),
        Bound(f"calls an environment, {against}", last.calls_each() / first.calls_each(), high=EXACT, unit="x"),
        Bound(f"time an environment, {against}", last.own_ms_each() / first.own_ms_each(), high=TIMED, unit="x"),
        Bound(f"an execution's state, {against}", max(last.rollouts) / max(first.rollouts), high=EXACT, unit="x"),
        Bound(f"a Map item's state, {against}", max(last.items) / max(first.items), high=EXACT, unit="x"),
        Bound(f"the night's own state, {against}", last.state / first.state, high=EXACT, unit="x"),
        Bound("largest state as a share of Step Functions' limit", largest / _STATE_LIMIT, high=0.05),
    ]


def main(arguments: list[str]) -> int:
    """Measure and print; 0 when every bound holds."""
    parser = argparse.ArgumentParser(prog="python -m bench.revalidation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of environments, rising")
    options = parser.parse_args(arguments)
    return running.run({"revalidation": lambda: measure(tuple(options.sizes))}, ())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
