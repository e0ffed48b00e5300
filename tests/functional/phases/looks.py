"""The ports that phases 7 to 9 look through, real where they speak HTTP, and a request for a stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.credentials import Credentials
from chalicelib.adapters.endpoint import HttpEndpoint
from chalicelib.adapters.openai_sdk import OpenAiSdk
from chalicelib.domain.aws.functions import Alias
from chalicelib.domain.evidence.release import ReleaseEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import Action
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Request

from tests.fakes import FakeAws
from tests.fakes.requests import environment, request, results
from tests.functional.phases.stage import VERSION, Stage


@dataclass
class Looking(FakeAws):
    endpoint: Any = field(default_factory=lambda: HttpEndpoint("eu-central-1", Credentials("AKIDEXAMPLE", "secret")))

    @property
    def sdk(self) -> OpenAiSdk:
        return OpenAiSdk(self.endpoint)


def looking(faults_url: str = "", **other: str) -> Looking:
    from tests.fakes import settings

    aws = Looking(settings(upstream_faults_url=faults_url, **other))
    function = Names("dev").function
    aws.functions.latest[function] = None  # type: ignore[assignment]
    aws.functions.pointed[function] = {name: Alias(name, VERSION) for name in ("live", "candidate")}
    return aws


def request_for(stage: Stage, *, revalidate: bool = False, **other: Any) -> Request:
    """A deploy whose candidate is behind this stage, or a revalidation of what is live there."""
    before = results(StackEvidence(api_url=stage.url), ReleaseEvidence(version=VERSION))
    action = Action.REVALIDATE if revalidate else Action.DEPLOY
    fields: dict[str, Any] = {"action": action, "environment": environment(), "results": before}
    return request(**fields | other)
