"""The one place where ports meet adapters. Nothing here runs at import; each client is made on first use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib import import_module

from chalicelib.adapters.alarms import CloudWatchAlarms
from chalicelib.adapters.artifacts import S3Artifacts
from chalicelib.adapters.endpoint import HttpEndpoint
from chalicelib.adapters.events import EventBridgeEvents
from chalicelib.adapters.executions import StepFunctionsExecutions
from chalicelib.adapters.functions import LambdaFunctions
from chalicelib.adapters.gateway import RestGateway
from chalicelib.adapters.identity import IamIdentity
from chalicelib.adapters.live_figures import DynamoLiveFigures
from chalicelib.adapters.logs import CloudWatchLogs
from chalicelib.adapters.metrics import CloudWatchMetrics
from chalicelib.adapters.nights import DynamoNights
from chalicelib.adapters.openai_sdk import OpenAiSdk
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.retries import SqsRetries
from chalicelib.adapters.secrets import SecretsManagerSecrets
from chalicelib.adapters.simulations import DynamoSimulations
from chalicelib.adapters.stacks import CloudFormationStacks
from chalicelib.adapters.table_format import DynamoTableFormat
from chalicelib.adapters.tagging import TaggedResources
from chalicelib.adapters.topics import SnsTopics
from chalicelib.domain.model import Deployment, FinishedRun
from chalicelib.domain.settings import Settings
from chalicelib.ports import Aws
from chalicelib.settings import read_settings


class _Rollouts:
    """`ports.rollouts`, with the code behind POST /deployments, loaded where it is used (decision 302)."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def begin(self, body: Mapping[str, object], *, caller: str, key: str) -> Deployment:
        start = import_module("chalicelib.lifecycle.start")
        begun: Deployment = start.begin(body, self._aws, utc_now, caller=caller, key=key)
        return begun


class _Documents:
    """`ports.documents`, with the code of write_handoff, loaded where it is used: no other Lambda needs it (decision
    202)."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def write(self, run: FinishedRun) -> Mapping[str, str]:
        publish = import_module("chalicelib.phases.write_handoff.publish")
        written: Mapping[str, str] = publish.publish_finished(run, self._aws)
        return written


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
    def documents(self) -> _Documents:
        return _Documents(self)

    @cached_property
    def endpoint(self) -> HttpEndpoint:
        return HttpEndpoint(self.settings.region)

    @cached_property
    def retries(self) -> SqsRetries:
        return SqsRetries(self.settings.webhook_retries_url)

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
        return DynamoLiveFigures(self.settings.table, utc_now)

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
    def simulations(self) -> DynamoSimulations:
        return DynamoSimulations(self.settings.table)

    @cached_property
    def stacks(self) -> CloudFormationStacks:
        return CloudFormationStacks()

    @cached_property
    def table_format(self) -> DynamoTableFormat:
        return DynamoTableFormat(self.settings.table)

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
