"""`python -m tests.faults`: every fault at every call of every phase; writes the matrix into docs/reliability.md.

Exit code 1 when an invariant did not hold, or when fewer than 300 faults fired.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.faults.injection import FAULTS
from tests.faults.run import Outcome, outcomes
from tests.faults.scenes import SCENES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
_LEAST = 300


def matrix(every: Sequence[Outcome]) -> str:
    """Faults that fired, by phase and fault; of those after which an invariant did not hold, their number in bold."""
    fired = Counter((each.scene, each.fault) for each in every if each.fired)
    broken = Counter((each.scene, each.fault) for each in every if each.failures)
    lines = [f"| phase | {' | '.join(FAULTS)} |", f"|---|{'---|' * len(FAULTS)}"]
    for scene in SCENES:
        cells = [
            f"{fired[scene, fault]}" + (f" **{broken[scene, fault]}**" * bool(broken[scene, fault])) for fault in FAULTS
        ]
        lines.append(f"| {scene} | {' | '.join(cells)} |")
    total, failed = sum(fired.values()), sum(broken.values())
    return "\n".join([*lines, "", f"{total} faults fired; after {failed} of them an invariant did not hold."])


def main() -> int:
    """Run all, write the page, say what came out."""
    began = time.monotonic()
    every = list(outcomes())
    text = PAGE.read_text()
    head, rest = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n{matrix(every)}\n{END}{rest}")
    for each in [outcome for outcome in every if outcome.failures][:20]:
        print(f"FAILED {each.scene}, {each.fault} at {each.call}: {'; '.join(each.failures)[:500]}")
    fired = sum(bool(each.fired) for each in every)
    failed = sum(bool(each.failures) for each in every)
    print(f"faults: {fired} fired in {time.monotonic() - began:.0f} s, {failed} broke an invariant")
    return 1 if failed or fired < _LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
