"""The one place where ports meet adapters. Nothing here runs at import; each client is made on first use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

from .api import starting
from .aws.alarms import CloudWatchAlarms
from .aws.artifacts import S3Artifacts
from .aws.endpoint import HttpEndpoint
from .aws.events import EventBridgeEvents
from .aws.executions import StepFunctionsExecutions
from .aws.functions import LambdaFunctions
from .aws.gateway import RestGateway
from .aws.identity import IamIdentity
from .aws.live_figures import DynamoLiveFigures
from .aws.logs import CloudWatchLogs
from .aws.metrics import CloudWatchMetrics
from .aws.nights import DynamoNights
from .aws.records import DynamoRecords
from .aws.sdk import OpenAiSdk
from .aws.secrets import SecretsManagerSecrets
from .aws.stacks import CloudFormationStacks
from .aws.tagging import TaggedResources
from .aws.topics import SnsTopics
from .core.model import Deployment
from .ports import Aws
from .ports.settings import Settings
from .settings import read_settings


class _Rollouts:
    """`ports.rollouts`, by the code that answers POST /deployments (decision 301)."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def begin(self, given: Mapping[str, Any], *, caller: str, key: str) -> Deployment:
        return starting.begin(dict(given), self._aws, utc_now, caller=caller, key=key)


class _Aws:
    @cached_property
    def settings(self) -> Settings:
        return read_settings()

    @cached_property
    def records(self) -> DynamoRecords:
        return DynamoRecords(self.settings.table)

    @cached_property
    def executions(self) -> StepFunctionsExecutions:
        return StepFunctionsExecutions(self.settings.state_machine_arn)

    @cached_property
    def events(self) -> EventBridgeEvents:
        return EventBridgeEvents()

    @cached_property
    def functions(self) -> LambdaFunctions:
        return LambdaFunctions()

    @cached_property
    def artifacts(self) -> S3Artifacts:
        return S3Artifacts(self.settings.bucket)

    @cached_property
    def endpoint(self) -> HttpEndpoint:
        return HttpEndpoint(self.settings.region)

    @cached_property
    def rollouts(self) -> _Rollouts:
        return _Rollouts(self)

    @cached_property
    def sdk(self) -> OpenAiSdk:
        return OpenAiSdk(self.endpoint)

    @cached_property
    def alarms(self) -> CloudWatchAlarms:
        return CloudWatchAlarms()

    @cached_property
    def gateway(self) -> RestGateway:
        return RestGateway()

    @cached_property
    def identity(self) -> IamIdentity:
        return IamIdentity()

    @cached_property
    def live_figures(self) -> DynamoLiveFigures:
        return DynamoLiveFigures(self.settings.table)

    @cached_property
    def logs(self) -> CloudWatchLogs:
        return CloudWatchLogs()

    @cached_property
    def metrics(self) -> CloudWatchMetrics:
        return CloudWatchMetrics()

    @cached_property
    def nights(self) -> DynamoNights:
        return DynamoNights(self.settings.table)

    @cached_property
    def secrets(self) -> SecretsManagerSecrets:
        return SecretsManagerSecrets()

    @cached_property
    def stacks(self) -> CloudFormationStacks:
        return CloudFormationStacks()

    @cached_property
    def tagging(self) -> TaggedResources:
        return TaggedResources()

    @cached_property
    def topics(self) -> SnsTopics:
        return SnsTopics(self.settings.partition, self.settings.region, self.settings.account)


@cache
def aws() -> Aws:
    """This process's ports."""
    return _Aws()


def utc_now() -> datetime:
    """The clock of this process."""
    return datetime.now(UTC)
