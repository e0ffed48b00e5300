"""The state machines run by a second interpreter with scripted tasks: which tasks were called, and how it ended.

aws-local-stepfunctions (npm) runs them. It reads no items from S3: a Map with an ItemReader gets them from the state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from judges import node_tools

Definition = Mapping[str, Any]
Answer = Mapping[str, Any]
IN_PROGRESS: Answer = {
    "result": {"status": "IN_PROGRESS", "poll_after_s": 30, "summary": "", "next": "", "map": "NONE"}
}
DONE: Answer = {"result": {"status": "SUCCEEDED", "poll_after_s": 0, "summary": "", "next": "", "map": "NONE"}}
FAILED: Answer = {"error": "PhaseFailed", "cause": "a check failed"}
START: Mapping[str, Any] = {
    "deployment_id": "d-1",
    "environment": "dev",
    "action": "deploy",
    "approval": "none",
    "plan": "no",
}


@dataclass(frozen=True)
class Path:
    """start: what differs from START. tasks: the answers of a task, the last one repeats; others succeed at once.

    calls: the tasks that are called, a task that is called again at once counts as one. succeeds: how it must end.
    """

    calls: Sequence[str]
    succeeds: bool = True
    start: Mapping[str, Any] = field(default_factory=dict)
    tasks: Mapping[str, Sequence[Answer]] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What the interpreter saw. calls: task and its input, in order. output: of an execution that succeeded."""

    status: str
    states: Sequence[str]
    calls: Sequence[tuple[str, Mapping[str, Any]]]
    output: Any
    cause: str

    @property
    def tasks(self) -> list[str]:
        """The tasks that were called, each repetition at once as one."""
        names = [name for name, _ in self.calls]
        return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]


def run(definition: Definition, paths: Mapping[str, Path]) -> dict[str, Run]:
    """Run every path. Raises node_tools.NodeIsMissing."""
    cases = {name: {"input": {**START, **path.start}, "tasks": path.tasks} for name, path in paths.items()}
    ended = node_tools.run("run", {"definition": _with_items_in_the_state(definition), "cases": cases})
    return {
        name: Run(each["status"], each["states"], each["calls"], each.get("output"), each.get("cause", ""))
        for name, each in ended.items()
    }


def findings(definition: Definition, paths: Mapping[str, Path]) -> list[str]:
    """One line for each path that calls other tasks or ends otherwise than it should."""
    lines = []
    for name, ended in run(definition, paths).items():
        path = paths[name]
        if list(path.calls) != ended.tasks:
            lines.append(f"{name}: called {' '.join(ended.tasks)}; expected {' '.join(path.calls)} ({ended.cause})")
        elif path.succeeds != (ended.status == "SUCCEEDED"):
            lines.append(f"{name}: ended {ended.status} ({ended.cause})")
        elif not path.succeeds and ended.states[-1] != "Failed":
            lines.append(f"{name}: broke in {ended.states[-1]} instead of ending in Failed ({ended.cause})")
    return lines


def _with_items_in_the_state(definition: Definition) -> Definition:
    changed: dict[str, Any] = json.loads(json.dumps(definition))
    for state in changed["States"].values():
        if state.pop("ItemReader", None):
            state["ItemsPath"] = "$.items"
    return changed
