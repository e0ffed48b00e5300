"""Sessions in the account and region of a target: botocore assumes the role, and again before its credentials end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any

import boto3
import botocore.session
from botocore.credentials import DeferredRefreshableCredentials

from chalicelib.domain.aws.targets import Target
from chalicelib.domain.errors import AccessDenied, AwsCallFailed

from . import meter
from .session import CONFIG, HOME, Session

# A role that assumes a role gets an hour at most. botocore renews what ends within a quarter of one.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
_DURATION_S = 3_600
# What AWS answers with valid credentials in a region that the account has not enabled.
_DISABLED = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "InvalidAccessKeyId"})

_REFUSED = "TargetRefused"


class AssumedSession(Session):
    """Calls in a target, as the role there of one of the control plane's functions.

    function: the stem of the function's name, `release_code`. Errors of AWS name account, region and role.
    """

    def __init__(self, target: Target, function: str) -> None:
        self._target, self._function = target, function
        self._role = target.role_of(function)
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service in the target's region, made on first use."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=CONFIG)
            meter.count(self._clients[service].meta.events)
        return self._clients[service]

    @property
    def credentials(self) -> DeferredRefreshableCredentials:
        """The role's, assumed on first use."""
        return self._credentials

    @cached_property
    def _credentials(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(refresh_using=self._assume, method="assume-role")

    @cached_property
    def _session(self) -> boto3.Session:
        inner = botocore.session.get_session()
        inner._credentials = self._credentials  # botocore has no other way to take credentials that it renews
        return boto3.Session(botocore_session=inner, region_name=self._target.region)

    def _assume(self) -> dict[str, str]:
        try:
            answer = HOME.call(
                "sts",
                "assume_role",
                RoleArn=self._role,
                RoleSessionName=f"proxyctl-{self._function.replace('_', '-')}",
                ExternalId=self._target.external_id,
                DurationSeconds=_DURATION_S,
            )["Credentials"]
        except (AccessDenied, AwsCallFailed) as error:
            raise self._refused(error) from error
        return {
            "access_key": answer["AccessKeyId"],
            "secret_key": answer["SecretAccessKey"],
            "token": answer["SessionToken"],
            "expiry_time": answer["Expiration"].isoformat(),
        }

    def _refused(self, error: AccessDenied | AwsCallFailed) -> AccessDenied:
        return AccessDenied(
            f"the role {self._role} ({self._target}) cannot be assumed: {error.message}",
            code=_REFUSED,
            field="config.target",
            remedy=f"Run `python bootstrap.py target` with credentials of account {self._target.account} and "
            f"AWS_REGION={self._target.region}: it makes the role, and prints role_arn and external_id.",
            evidence=error.evidence,
        )

    @contextmanager
    def errors(self, operation: str) -> Iterator[None]:
        """As at home; what AWS denies names where and as whom."""
        try:
            with super().errors(operation):
                yield
        except AccessDenied as error:
            if error.code == _REFUSED:
                raise
            raise self._denied(error) from error
        except AwsCallFailed as error:
            if error.aws_code not in _DISABLED:
                raise
            raise self._disabled(error) from error

    def _denied(self, error: AccessDenied) -> AccessDenied:
        if error.evidence.get("aws_code") in _DISABLED:
            return self._disabled(error)
        return AccessDenied(
            f"in {self._target}: {error.message}",
            code=error.code,
            field=error.field,
            remedy=f"Run `python bootstrap.py target` again in {self._target}: it writes the policy of {self._role}. "
            "If that changes nothing, look for a service control policy or a boundary that denies it.",
            evidence=error.evidence,
        )

    def _disabled(self, error: AccessDenied | AwsCallFailed) -> AccessDenied:
        return AccessDenied(
            f"{self._target} does not take the credentials of {self._role}: {error.message}",
            code="TargetRegionDisabled",
            field="config.target.region",
            remedy=f"Enable the region {self._target.region} in account {self._target.account} (aws account "
            "enable-region), then run `python bootstrap.py target` there.",
            evidence=error.evidence,
        )


@cache
def session_in(target: Target, function: str) -> AssumedSession:
    """The process's session in a target as this function's role."""
    return AssumedSession(target, function)
