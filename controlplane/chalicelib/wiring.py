"""The one place where ports meet adapters. Nothing here runs at import; each client is made on first use."""

from __future__ import annotations

from functools import cache, cached_property

from .aws.artifacts import S3Artifacts
from .aws.endpoint import HttpEndpoint
from .aws.executions import StepFunctionsExecutions
from .aws.functions import LambdaFunctions
from .aws.records import DynamoRecords
from .ports import Aws
from .ports.settings import Settings
from .settings import read_settings


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
    def functions(self) -> LambdaFunctions:
        return LambdaFunctions()

    @cached_property
    def artifacts(self) -> S3Artifacts:
        return S3Artifacts(self.settings.bucket)

    @cached_property
    def endpoint(self) -> HttpEndpoint:
        return HttpEndpoint(self.settings.region)


@cache
def aws() -> Aws:
    """This process's ports."""
    return _Aws()
