"""The steps of an upgrade of a control plane in memory, called as the state machine calls them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalicelib.domain.codec import encode
from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action
from chalicelib.domain.options import Options
from chalicelib.engine import registry
from chalicelib.engine.phase import Result, Results, Status

from tests.fakes.own_control_plane import OwnControlPlane
from tests.fakes.requests import NOW, next_call, request

STEPS = ("plan_upgrade", "stage_upgrade", "test_upgrade", "promote_upgrade", "verify_upgrade")
REVERT = "revert_upgrade"


class Killed(Exception):
    """The execution was stopped after this many calls."""


class Upgrade:
    """The steps, called as the state machine calls them. dies_at: the call after which nothing comes any more; loses:
    the answer of that call was not recorded."""

    def __init__(self, plane: OwnControlPlane, key: str, dies_at: int = 0, *, loses: bool = False, force: bool = False):
        self.plane, self.dies_at, self.loses, self.calls = plane, dies_at, loses, 0
        options = Options(bundle=key, force=force)
        self.request = request(deployment_id="d-1", action=Action.UPGRADE, options=options)
        self.ended: dict[str, Result[Any]] = {}

    def run(self, name: str) -> Result[Any]:
        """One step to its end."""
        call = replace(self.request, cursor={}, now=NOW, started_at=NOW)
        while True:
            result = registry.load(name).run(call, self.plane.as_aws())
            self.calls += 1
            if self.calls == self.dies_at and self.loses:
                raise Killed
            if result.status is not Status.IN_PROGRESS:
                self._record(name, result)
            if self.calls == self.dies_at:
                raise Killed
            if result.status is not Status.IN_PROGRESS:
                return result
            call = next_call(call, result, after_s=1)
            assert self.calls < 200, f"{name} never ends: {result.summary}"

    def _record(self, name: str, result: Result[Any]) -> None:
        self.ended[name] = result
        recorded = {**self.request.results.recorded, name: encode(result.evidence) if result.evidence else {}}
        self.request = replace(self.request, results=Results(recorded))

    def forward(self) -> str:
        """ "" when all steps ended well, else the code of the error."""
        try:
            for name in STEPS:
                if self.run(name).next == "record_outcome":
                    return ""
        except PhaseFailed as failed:
            return failed.code
        return ""

    def back(self) -> Result[Any]:
        self.dies_at = 0
        return self.run(REVERT)
