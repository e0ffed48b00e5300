"""State transitions of a rollout, derived from the records of its phases and the shape of `rollout.asl.yaml`.

Each call of a phase enters its task; each answer enters its choice; each answer but the last of a phase that ended
enters a wait, or the Map of the load's workers. A test compares this with the states that another interpreter enters,
and `python -m bench rollouts` with an execution's history.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.model import PhaseRecord, PhaseStatus

# WhichWayIn, Begin; then Ended and Succeeded or Failed.
_AROUND = 4
# Tasks without a choice of their own; after the lock comes ChooseAction.
_WITHOUT_CHOICE = frozenset({"await_approval"})


def transitions(records: Sequence[PhaseRecord], workers: int = 1) -> int:
    """Of one execution, so far. workers: of the load test; each is a state of its own when there are several."""
    called = [record for record in records if record.polls]
    return _AROUND + sum(_of_phase(record, workers) for record in called) if called else 0


def _of_phase(record: PhaseRecord, workers: int) -> int:
    failed = record.status is PhaseStatus.FAILED
    answers = _answers(record, failed=failed)
    waits = max(0, answers - record.status.is_done)
    choices = 0 if record.name in _WITHOUT_CHOICE else answers
    # CleanUpFailed is a choice, too; several workers run under a Map, in place of each wait.
    more = int(failed and record.name == "clean_up") + (waits * workers if _maps(record, workers) else 0)
    return record.polls + choices + waits + more


def _answers(record: PhaseRecord, *, failed: bool) -> int:
    """Calls that returned. Those that raised are entered again or end the phase."""
    measured = record.usage.calls if record.usage else record.polls
    return max(0, min(measured, record.polls) - failed)


def _maps(record: PhaseRecord, workers: int) -> bool:
    return record.name == "load_test" and workers > 1
