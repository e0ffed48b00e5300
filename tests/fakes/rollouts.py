"""`ports.rollouts` over the other fakes: deployments begin by the API's own code, at a time that stands still."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.model import Deployment
from chalicelib.lifecycle import start
from chalicelib.ports import Aws

from .requests import NOW


class FakeRollouts:
    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.asked: list[Mapping[str, Any]] = []

    def begin(self, given: Mapping[str, Any], *, caller: str, key: str) -> Deployment:
        self.asked.append(given)
        return start.begin(dict(given), self._aws, lambda: NOW, caller=caller, key=key)
