"""State transitions derived from records, beside the states that a second interpreter enters for the same calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from chalicelib.costs.transitions import transitions
from chalicelib.domain.model import PhaseRecord, PhaseStatus
from chalicelib.engine import registry

from judges import node_tools, paths, workflows
from judges.paths import DONE, FAILED, IN_PROGRESS, Path

WORKERS = 3
_FAN_OUT = {"result": {"status": "IN_PROGRESS", "poll_after_s": 1, "summary": "", "next": "", "map": "INLINE"}}
_FAN_OUT["result"]["workers"] = list(range(WORKERS))
PATHS = {
    "deploy": Path(()),
    "deploy that waits": Path((), tasks={"DeployStack": [IN_PROGRESS] * 5 + [DONE], "Bake": [IN_PROGRESS, DONE]}),
    "deploy with a plan and an approval": Path((), start={"plan": "yes", "approval": "required"}),
    "plan": Path((), start={"plan": "yes", "action": "plan"}),
    "rotate": Path((), start={"action": "rotate"}, tasks={"ShiftTraffic": [IN_PROGRESS, DONE]}),
    "revalidate": Path((), start={"action": "revalidate"}),
    "rollback": Path((), start={"action": "rollback"}, tasks={"RestoreSettings": [IN_PROGRESS, IN_PROGRESS, DONE]}),
    "cleanup": Path((), start={"action": "cleanup"}, tasks={"CleanUp": [IN_PROGRESS, DONE]}),
    "failed clean-up": Path((), start={"action": "cleanup"}, tasks={"CleanUp": [IN_PROGRESS, FAILED]}),
    "failed in the first phase": Path((), tasks={"Preflight": [FAILED]}),
    "rolled back": Path((), tasks={"Bake": [IN_PROGRESS, FAILED], "RollBack": [IN_PROGRESS, DONE]}),
    "several workers": Path((), tasks={"LoadTest": [_FAN_OUT, _FAN_OUT, DONE]}),
}
NAMES = {registry.pascal(name): name for name in (*registry.PHASES, *registry.STEPS)}


def records_of(states: Sequence[str], path: Path) -> Iterator[PhaseRecord]:
    """The records that phases would leave after these states."""
    for state, polls in Counter(state for state in states if state in NAMES).items():
        failed = FAILED in path.tasks.get(state, ())
        yield PhaseRecord(0, NAMES[state], PhaseStatus.FAILED if failed else PhaseStatus.SUCCEEDED, polls=polls)


def test_what_is_derived_from_the_records_is_what_another_interpreter_enters() -> None:
    try:
        ended = paths.run(workflows.read()["rollout.asl.yaml"], PATHS)
    except node_tools.NodeIsMissing as missing:
        pytest.skip(f"NOT RUN: {missing}")
    derived = {
        name: transitions(list(records_of(run.states, PATHS[name])), WORKERS if name == "several workers" else 1)
        for name, run in ended.items()
    }
    assert derived == {name: len(run.states) for name, run in ended.items()}
