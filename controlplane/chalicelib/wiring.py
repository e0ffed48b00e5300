"""The one place where ports meet adapters. Nothing here runs at import; each client is made on first use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib import import_module

from chalicelib.adapters.alarms import CloudWatchAlarms
from chalicelib.adapters.artifacts import S3Artifacts
from chalicelib.adapters.assumed import session_in
from chalicelib.adapters.certificates import AcmCertificates
from chalicelib.adapters.endpoint import HttpEndpoint
from chalicelib.adapters.events import EventBridgeEvents
from chalicelib.adapters.executions import StepFunctionsExecutions
from chalicelib.adapters.firewall import WafFirewall
from chalicelib.adapters.fleets import DynamoFleets
from chalicelib.adapters.functions import LambdaFunctions
from chalicelib.adapters.gateway import RestGateway
from chalicelib.adapters.identity import IamIdentity
from chalicelib.adapters.live_figures import DynamoLiveFigures
from chalicelib.adapters.logs import CloudWatchLogs
from chalicelib.adapters.meter import CallMeter
from chalicelib.adapters.metrics import CloudWatchMetrics
from chalicelib.adapters.nights import DynamoNights
from chalicelib.adapters.openai_sdk import OpenAiSdk
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.retries import SqsRetries
from chalicelib.adapters.secrets import SecretsManagerSecrets
from chalicelib.adapters.session import HOME, Session
from chalicelib.adapters.simulations import DynamoSimulations
from chalicelib.adapters.stacks import CloudFormationStacks
from chalicelib.adapters.table_format import DynamoTableFormat
from chalicelib.adapters.tagging import TaggedResources
from chalicelib.adapters.topics import SnsTopics
from chalicelib.adapters.zones import Route53Zones
from chalicelib.domain.aws.targets import Target
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
    """The control plane's own account and region: records, and what belongs to environments that live here."""

    _session: Session = HOME

    def at(self, target: Target | None, function: str) -> Aws:
        return _in_target(self, target, function) if target else self

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
    def fleet_executions(self) -> StepFunctionsExecutions:
        return StepFunctionsExecutions(self.settings.fleet_machine_arn)

    @cached_property
    def fleets(self) -> DynamoFleets:
        return DynamoFleets(self.settings.table)

    @cached_property
    def events(self) -> EventBridgeEvents:
        return EventBridgeEvents()

    @cached_property
    def functions(self) -> LambdaFunctions:
        return LambdaFunctions(self._session)

    @cached_property
    def artifacts(self) -> S3Artifacts:
        return S3Artifacts(self.settings.bucket)

    @cached_property
    def packages(self) -> S3Artifacts:
        return self.artifacts

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
        return CloudWatchAlarms(self._session)

    @cached_property
    def certificates(self) -> AcmCertificates:
        return AcmCertificates(self._session)

    @cached_property
    def firewall(self) -> WafFirewall:
        return WafFirewall(self._session)

    @cached_property
    def zones(self) -> Route53Zones:
        return Route53Zones(self._session)

    @cached_property
    def gateway(self) -> RestGateway:
        return RestGateway(self._session)

    @cached_property
    def identity(self) -> IamIdentity:
        return IamIdentity(self._session)

    @cached_property
    def live_figures(self) -> DynamoLiveFigures:
        return DynamoLiveFigures(self.settings.table, utc_now)

    @cached_property
    def logs(self) -> CloudWatchLogs:
        return CloudWatchLogs(self._session)

    @cached_property
    def meter(self) -> CallMeter:
        return CallMeter(self.settings.memory_mb)

    @cached_property
    def metrics(self) -> CloudWatchMetrics:
        return CloudWatchMetrics(self._session)

    @cached_property
    def nights(self) -> DynamoNights:
        return DynamoNights(self.settings.table)

    @cached_property
    def secrets(self) -> SecretsManagerSecrets:
        return SecretsManagerSecrets(self._session)

    @cached_property
    def simulations(self) -> DynamoSimulations:
        return DynamoSimulations(self.settings.table)

    @cached_property
    def stacks(self) -> CloudFormationStacks:
        return CloudFormationStacks(self._session)

    @cached_property
    def table_format(self) -> DynamoTableFormat:
        return DynamoTableFormat(self.settings.table)

    @cached_property
    def tagging(self) -> TaggedResources:
        return TaggedResources(self._session)

    @cached_property
    def topics(self) -> SnsTopics:
        return SnsTopics(self.settings.partition, self.settings.region, self.settings.account, self._session)


class _AwsInTarget(_Aws):
    """What an environment consists of is in its target; what the control plane keeps stays in its own table, queue and
    bucket."""

    def __init__(self, home: _Aws, target: Target, function: str) -> None:
        self._home, self._target, self._assumed = home, target, session_in(target, function)
        self._session = self._assumed

    def at(self, target: Target | None, function: str) -> Aws:
        return self._home.at(target, function)

    @cached_property
    def settings(self) -> Settings:
        return self._home.settings.at(self._target)

    @cached_property
    def meter(self) -> CallMeter:
        return self._home.meter

    @cached_property
    def artifacts(self) -> S3Artifacts:
        return self._home.artifacts

    @cached_property
    def packages(self) -> S3Artifacts:
        return S3Artifacts(self.settings.bucket, self._session)

    @cached_property
    def rollouts(self) -> _Rollouts:
        return self._home.rollouts

    @cached_property
    def endpoint(self) -> HttpEndpoint:
        return HttpEndpoint(self.settings.region, self._assumed.credentials)


@cache
def _in_target(home: _Aws, target: Target, function: str) -> Aws:
    return _AwsInTarget(home, target, function)


@cache
def aws() -> Aws:
    """This process's ports."""
    return _Aws()


def utc_now() -> datetime:
    """The clock of this process."""
    return datetime.now(UTC)
