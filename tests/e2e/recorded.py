"""The judge of recorded calls: after the end-to-end tests, every call of the control plane's Lambdas is put to an
independent IAM evaluator (`judges/simulate.py`). It belongs to the session: each process of `pytest -n` has a cloud of
its own, and all of them have to be through.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

import pytest

from judges import calls, exceptions, node_tools, simulate
from judges.calls import Place

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "PROXYCTL_CALLS_FOLDER"
KEPT = "PROXYCTL_KEEP_CALLS"  # a folder that collects the calls of several sessions, for `main`
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


class Extent(Enum):
    """Which of the end-to-end tests a session runs, and so what must be seen.

    PART: some of them, nothing. NOT_LONG: every Lambda and statement but those that `accepted/long.yaml` leaves to the
    tests marked `long`. ALL: every Lambda and every statement.
    """

    PART = auto()
    NOT_LONG = auto()
    ALL = auto()


_EXTENTS = {"not long": Extent.NOT_LONG, "": Extent.ALL}


def extent(config: pytest.Config) -> Extent:
    """What the session's options choose."""
    # pytest gives None, not 0, for a maxfail that nobody set.
    filtered = config.getoption("keyword") or config.getoption("lf", False) or config.getoption("maxfail")
    chosen = {Path(argument).name for argument in config.args}
    if filtered or not chosen <= {"tests", "e2e"}:
        return Extent.PART
    return _EXTENTS.get(str(config.getoption("markexpr")), Extent.PART)


def end(run: Extent) -> Report:
    """Judge what was recorded; the folder goes, unless the judge found something."""
    folder = Path(os.environ[FOLDER])
    recorded = calls.read(folder)
    if not recorded:
        shutil.rmtree(folder, ignore_errors=True)
        return Report(False)
    if kept := os.environ.get(KEPT):
        shutil.copytree(folder, Path(kept) / folder.name, dirs_exist_ok=True)
    try:
        report = _judged(recorded, run)
    except node_tools.NodeIsMissing as missing:
        return Report(False, [str(missing)])
    if not report.failed:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def main(folders: Sequence[str]) -> int:
    """Judge the calls of several sessions together, as those of one that ran all end-to-end tests. The long tests take
    hours: they are run file by file, each with PROXYCTL_KEEP_CALLS.

    Returns: the exit code, 1 when something is open. folders: what the sessions kept.
    """
    recorded = [call for folder in folders for kept in sorted(Path(folder).iterdir()) for call in calls.read(kept)]
    report = _judged(recorded, Extent.ALL)
    print(*report.lines, sep="\n")
    return int(report.failed)


def _judged(recorded: Sequence[calls.Call], run: Extent) -> Report:
    place = Place()
    needs = calls.needs([call for call in recorded if call.target is None], place)
    judged = simulate.judge([*needs, *simulate.in_their_name(place)], place)
    disagreed = exceptions.judge(
        simulate.disagreements([*judged, *_in_targets(recorded)]), exceptions.load("calls")
    ).open
    beyond = sorted({f"{call.stem}: {call.operation}: {text}" for call in recorded for text in call.beyond})
    lines = [f"{len(recorded)} calls need {len(needs)} permissions; {len(disagreed)} disagreements with iam-simulate"]
    lines += [f"  {text}" for text in disagreed]
    lines += [f"  beyond AWS's limits: {text}" for text in beyond]
    coverage = Report(False, [_PARTLY]) if run is Extent.PART else _coverage(judged, needs, run)
    return Report(bool(disagreed or beyond) or coverage.failed, [*lines, *coverage.lines])


def _in_targets(recorded: Sequence[calls.Call]) -> list[simulate.Judged]:
    """The calls of each target, by the policies that the functions' roles have there and with its account and region.
    They use no statement of home, so that coverage leaves them out."""
    sources = simulate.of_targets()
    places = {call.target for call in recorded if call.target}
    needs = {place: calls.needs([call for call in recorded if call.target == place], place) for place in places}
    return [each for place, listed in needs.items() for each in simulate.judge(listed, place, sources)]


def _coverage(judged: Sequence[simulate.Judged], needs: Sequence[calls.Need], run: Extent) -> Report:
    """Every statement must be used or explained, and every Lambda heard."""
    long = exceptions.load("long") if run is Extent.NOT_LONG else []
    unused = exceptions.judge(simulate.unused(judged), [*exceptions.load("statements"), *long]).open
    silent = [text.removesuffix("/") for text in exceptions.judge(_silent(needs), long).open]
    lines = [f"{len(unused)} statements that no call used and nothing explains; {len(silent)} silent Lambdas"]
    lines += [f"  no call used {text}" for text in unused]
    lines += [f"  no call of {stem} was recorded" for stem in silent]
    lines += [f"  left to {each.source} (long): {each.finding}" for each in long]
    return Report(bool(unused or silent), lines)


def _silent(needs: Sequence[calls.Need]) -> list[str]:
    """`stem/` of each Lambda of which no call was recorded, to be held against `stem/*`."""
    return [f"{stem}/" for stem in simulate.silent(needs)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
