"""The judge of recorded calls: after the end-to-end tests, every call of the control plane's Lambdas is put to an
independent IAM evaluator (`judges/simulate.py`). It belongs to the session: each process of `pytest -n` has a cloud of
its own, and all of them have to be through.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from judges import calls, exceptions, node_tools, simulate
from judges.calls import Place

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "PROXYCTL_CALLS_FOLDER"
_PARTLY = "NOT RUN: statements that no call used, and Lambdas that made none: not all of tests/e2e was run, or not well"


@dataclass(frozen=True)
class Report:
    """lines: what the session's summary shows. failed: whether the session fails for it."""

    failed: bool
    lines: Sequence[str] = field(default_factory=tuple)


def begin() -> None:
    """In the session's first process: a folder that all its clouds write to."""
    folder = ROOT / ".local" / f"calls-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[FOLDER] = str(folder)


def file_of_this_process() -> str:
    """Where the cloud of this process writes its calls."""
    return str(Path(os.environ[FOLDER]) / f"{os.getpid()}.jsonl")


def is_complete(config: pytest.Config) -> bool:
    """Whether the session runs all end-to-end tests: only then must every Lambda and every statement be seen."""
    filtered = (
        config.getoption("keyword") or config.getoption("markexpr") != "not long" or config.getoption("lf", False)
    )
    chosen = {Path(argument).name for argument in config.args}
    return not filtered and chosen <= {"tests", "e2e"} and config.getoption("maxfail") == 0


def end(complete: bool) -> Report:
    """Judge what was recorded; the folder goes, unless the judge found something."""
    folder = Path(os.environ[FOLDER])
    recorded = calls.read(folder)
    if not recorded:
        shutil.rmtree(folder, ignore_errors=True)
        return Report(False)
    try:
        report = _judged(recorded, complete)
    except node_tools.NodeIsMissing as missing:
        return Report(False, [str(missing)])
    if not report.failed:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def _judged(recorded: Sequence[calls.Call], complete: bool) -> Report:
    place = Place()
    needs = calls.needs(recorded, place)
    judged = simulate.judge([*needs, *simulate.in_their_name(place)], place)
    disagreed = exceptions.judge(simulate.disagreements(judged), exceptions.load("calls")).open
    beyond = sorted({f"{call.stem}: {call.operation}: {text}" for call in recorded for text in call.beyond})
    lines = [f"{len(recorded)} calls need {len(needs)} permissions; {len(disagreed)} disagreements with iam-simulate"]
    lines += [f"  {text}" for text in disagreed]
    lines += [f"  beyond AWS's limits: {text}" for text in beyond]
    coverage = _coverage(judged, needs) if complete else Report(False, [_PARTLY])
    return Report(bool(disagreed or beyond) or coverage.failed, [*lines, *coverage.lines])


def _coverage(judged: Sequence[simulate.Judged], needs: Sequence[calls.Need]) -> Report:
    """Every statement must be used or explained, and every Lambda heard."""
    unused = exceptions.judge(simulate.unused(judged), exceptions.load("statements")).open
    silent = simulate.silent(needs)
    lines = [f"{len(unused)} statements that no call used and nothing explains; {len(silent)} silent Lambdas"]
    lines += [f"  no call used {text}" for text in unused]
    lines += [f"  no call of {stem} was recorded" for stem in silent]
    return Report(bool(unused or silent), lines)
