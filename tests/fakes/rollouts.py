"""`ports.rollouts` over the other fakes: deployments begin by the API's own code, at a time that stands still."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.model import Deployment
from chalicelib.lifecycle import start
from chalicelib.ports import Aws

from .requests import NOW


class FakeRollouts:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.bodies: list[Mapping[str, object]] = []

    def begin(self, body: Mapping[str, object], *, caller: str, key: str) -> Deployment:
        self.bodies.append(body)
        return start.begin(body, self._aws, lambda: NOW, caller=caller, key=key)
