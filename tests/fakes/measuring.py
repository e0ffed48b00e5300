"""What phase 9 needs beside the common fakes: a function that can be published and called, and live figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.aws.functions import FunctionConfig, Invocation, Version

from tests.fakes import FakeAws
from tests.fakes.functions import FakeFunctions

CONFIG = FunctionConfig("abc=", 512, 29, {"LOG_LEVEL": "INFO"}, "python3.11")


def measured(config: FunctionConfig, cold: bool) -> Invocation:
    """An invocation whose duration follows the memory, with Lambda's REPORT line."""
    ms = 51_200 / config.memory_mb
    line = (
        f"REPORT RequestId: 1\tDuration: {ms} ms\tBilled Duration: {ms} ms\tMemory Size: {config.memory_mb} MB\t"
        f"Max Memory Used: 44 MB" + ("\tInit Duration: 210.5 ms" if cold else "")
    )
    return Invocation(b"{}", line, "", ms + 5)


class MeasuredFunctions(FakeFunctions):
    """Versions that can be published, called (cold the first `cold` times), and deleted."""

    def __init__(self, function: str, config: FunctionConfig = CONFIG, cold: int = 2) -> None:
        super().__init__()
        self.add(function, config, live="1", versions=1)
        self.called: list[tuple[str, Mapping[str, Any]]] = []
        self.deleted: list[str] = []
        self.answer: Callable[[FunctionConfig, bool], Invocation] = measured
        self._cold = cold
        self._last = 10

    def publish(self, function: str, *, code_sha256: str, description: str) -> Version:
        self._last += 1  # the number of a deleted version is never given again
        version = Version(str(self._last), code_sha256, description)
        self.published[function].append((version, self.latest[function]))
        return version

    def delete_version(self, function: str, version: str) -> None:
        self.deleted.append(version)
        self.published[function] = [item for item in self.published[function] if item[0].number != version]

    def invoke(self, function: str, qualifier: str, event: Mapping[str, Any]) -> Invocation:
        before = sum(called == qualifier for called, _ in self.called)
        self.called.append((qualifier, event))
        config = self.config(function, qualifier)
        return self.answer(config, before < self._cold)


@dataclass
class FakeLiveFigures:
    written: list[dict[str, Any]] = field(default_factory=list)

    def put(self, deployment_id: str, worker: int, figures: Mapping[str, Any]) -> None:
        self.written.append({**figures, "worker": worker, "deployment_id": deployment_id})

    def of(self, deployment_id: str) -> Sequence[Mapping[str, Any]]:
        latest = {item["worker"]: item for item in self.written if item["deployment_id"] == deployment_id}
        return [latest[worker] for worker in sorted(latest)]


@dataclass
class MeasuringAws(FakeAws):
    live_figures: FakeLiveFigures = field(default_factory=FakeLiveFigures)


def with_memory(memory_mb: int) -> FunctionConfig:
    return dataclasses.replace(CONFIG, memory_mb=memory_mb)
