"""`python -m tests.faults`: every fault at every call of every phase, lifecycle function and changing route.

Writes the matrix into docs/reliability.md. Exit code 1 when an invariant did not hold, or when fewer than 300 faults
fired. Arguments: names of scenes or errands; then the page is left alone.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.faults import errands, run
from tests.faults.injection import FAULTS
from tests.faults.run import Outcome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
_LEAST = 300
_PROCESSES = 2
# Preflight reads the policy of each role, and the checks look forty times in the same way: each n-th call of these.
SELDOM = {"preflight": 4, "validate_endpoints": 2, "validate_errors": 5, "Sweep, drill interrupted": 2}
ROWS = (*run.SCENES, *errands.ERRANDS)


def outcomes_of(name: str) -> list[Outcome]:
    """All faults of one row of the matrix."""
    return list(run.outcomes((name,), seldom=SELDOM) if name in run.SCENES else errand_outcomes(name))


def errand_outcomes(name: str, every: int = 0) -> Iterator[Outcome]:
    """All faults of an errand; every: only each n-th call, another first one for each fault."""
    calls, step = errands.without_fault(name)[0], every or SELDOM.get(name, 1)
    for number, fault in enumerate(errands.ERRAND_FAULTS):
        for at in range(number % step, len(calls), step):
            injector, failures = errands.broken(name, fault, at)
            yield Outcome(name, fault, calls[at], injector.fired, tuple(failures))


def matrix(every: Sequence[Outcome]) -> str:
    """Faults that fired, by row and fault; of those after which an invariant did not hold, their number in bold."""
    fired = Counter((each.scene, each.fault) for each in every if each.fired)
    broken = Counter((each.scene, each.fault) for each in every if each.failures)
    lines = [f"| | {' | '.join(FAULTS)} |", f"|---|{'---|' * len(FAULTS)}"]
    for row in ROWS:
        cells = [f"{fired[row, fault] or '–'}" + (f" **{bad}**" if (bad := broken[row, fault]) else "")
                 for fault in FAULTS]  # fmt: skip
        lines.append(f"| {row} | {' | '.join(cells)} |")
    total, failed = sum(fired.values()), sum(broken.values())
    return "\n".join([*lines, "", f"{total:,} faults fired; after {failed} of them an invariant did not hold."])


def main(names: Sequence[str]) -> int:
    """Run all, write the page, say what came out."""
    began = time.monotonic()
    with ProcessPoolExecutor(_PROCESSES) as pool:
        every = list(itertools.chain.from_iterable(pool.map(outcomes_of, names or ROWS)))
    if not names:
        text = PAGE.read_text()
        head, rest = text.partition(BEGIN)[0], text.partition(END)[2]
        PAGE.write_text(f"{head}{BEGIN}\n{matrix(every)}\n{END}{rest}")
    for each in [outcome for outcome in every if outcome.failures][:20]:
        print(f"FAILED {each.scene}, {each.fault} at {each.call}: {'; '.join(each.failures)[:500]}")
    fired = sum(bool(each.fired) for each in every)
    failed = sum(bool(each.failures) for each in every)
    print(f"faults: {fired:,} fired in {time.monotonic() - began:.0f} s, {failed} broke an invariant")
    return 1 if failed or fired < _LEAST else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
