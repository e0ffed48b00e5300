"""`ports.documents` over the other fakes: the documents that write_handoff draws, in the bucket in memory."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.model import FinishedRun
from chalicelib.phases.write_handoff.publish import publish_finished
from chalicelib.ports import Aws


class FakeDocuments:
    """runs: what was written about. fails: the error of every attempt, None for none."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.runs: list[FinishedRun] = []
        self.fails: Exception | None = None

    def write(self, run: FinishedRun) -> Mapping[str, str]:
        if self.fails:
            raise self.fails
        self.runs.append(run)
        return publish_finished(run, self._aws)
