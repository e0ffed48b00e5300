"""`python -m tests.faults`: every fault at every call of every phase, lifecycle function and changing route.

Writes the matrix into docs/reliability.md. Exit code 1 when an invariant did not hold, or when fewer than 300 faults
fired. Arguments: names of scenes or errands, for these rows only; then the page is left alone.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.faults import run
from tests.faults.deliver import errand_outcomes
from tests.faults.errands import ERRANDS
from tests.faults.injection import FAULTS
from tests.faults.run import Outcome
from tests.faults.scenes import SCENES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
_LEAST = 300
_PROCESSES = 2
# Preflight reads the policy of each role, and the checks look forty times in the same way: each n-th call of these.
SELDOM = {"preflight": 4, "validate_endpoints": 2, "validate_errors": 5, "Sweep, drill interrupted": 2}
ROWS = (*SCENES, *ERRANDS)


def outcomes_of(name: str, every: int) -> list[Outcome]:
    """All faults of one row of the matrix; every: only each n-th call, another first one for each fault."""
    step = every * SELDOM.get(name, 1)
    return list(run.outcomes((name,), step) if name in SCENES else errand_outcomes(name, step))


def matrix(every: Sequence[Outcome], step: int) -> str:
    """Faults that fired, by row and fault; of those after which an invariant did not hold, their number in bold."""
    fired = Counter((each.scene, each.fault) for each in every if each.fired)
    broken = Counter((each.scene, each.fault) for each in every if each.failures)
    lines = [f"| | {' | '.join(FAULTS)} |", f"|---|{'---|' * len(FAULTS)}"]
    for row in ROWS:
        cells = [f"{fired[row, fault] or '–'}" + (f" **{bad}**" if (bad := broken[row, fault]) else "")
                 for fault in FAULTS]  # fmt: skip
        lines.append(f"| {row} | {' | '.join(cells)} |")
    total, failed = sum(fired.values()), sum(broken.values())
    calls = "each call" if step == 1 else f"one of {step} calls"
    text = f"{total:,} faults fired, at {calls}; after {failed} of them an invariant did not hold."
    return "\n".join([*lines, "", text])


def main() -> int:
    """Run all, write the page, say what came out."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", help="only these rows; the page is then left alone")
    parser.add_argument("--every", type=int, default=1, help="only each n-th call")
    options = parser.parse_args()
    logging.disable()  # a traceback for each fault that a step survives
    rows, began = options.rows or ROWS, time.monotonic()
    with ProcessPoolExecutor(_PROCESSES) as pool:
        every = list(itertools.chain.from_iterable(pool.map(outcomes_of, rows, [options.every] * len(rows))))
    if not options.rows:
        text = PAGE.read_text()
        head, rest = text.partition(BEGIN)[0], text.partition(END)[2]
        PAGE.write_text(f"{head}{BEGIN}\n{matrix(every, options.every)}\n{END}{rest}")
    for each in [outcome for outcome in every if outcome.failures][:20]:
        print(f"FAILED {each.scene}, {each.fault} at {each.call}: {'; '.join(each.failures)[:500]}")
    fired = sum(bool(each.fired) for each in every)
    failed = sum(bool(each.failures) for each in every)
    print(f"faults: {fired:,} fired in {time.monotonic() - began:.0f} s, {failed} broke an invariant")
    return 1 if failed or fired < _LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
