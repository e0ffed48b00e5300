"""How every adapter talks to AWS: one client a service, made on first use, and botocore's errors in our words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from chalicelib.domain.errors import AccessDenied, AwsCallFailed, NotFound, RolloutError, Throttled

from . import meter

# Lambda tasks are short: a call that hangs must fail while there is still time to record it.
CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=5,
    read_timeout=60,
    user_agent_appid="proxyctl",
)

_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "UnauthorizedException"}
)
_SLOW_DOWN = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "LimitExceededException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalServerError",
        "InternalFailure",
        "ServiceException",
        "TransactionInProgressException",
        # A Lambda's credentials are renewed; the next call has new ones.
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "TransactionConflictException",
    }
)
_GONE = "It was there when the phase began. Deploy again: what is missing is made anew, or named with the way back."
_CORRECT = "AWS's message says what it refuses: correct that, then deploy again (resume continues there)."
_MISSING = frozenset(
    {
        "ResourceNotFoundException",
        "ResourceNotFound",
        "NotFoundException",
        "NotFound",
        "NoSuchKey",
        "NoSuchBucket",
        "NoSuchEntity",
        "404",
        "StateMachineDoesNotExist",
        "ExecutionDoesNotExist",
        "ChangeSetNotFound",
    }
)


@cache
def client(service: str) -> Any:
    """The process's client of a service; endpoint, region and credentials come from the environment."""
    service_client = boto3.client(service, config=CONFIG)
    meter.count(service_client.meta.events)
    return service_client


def translated(error: ClientError, operation: str) -> RolloutError:
    """The error of ours that says the same."""
    answer = error.response.get("Error", {})
    code, message = str(answer.get("Code", "")), str(answer.get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    evidence = {"aws_code": code, "operation": operation}
    if code in _DENIED or (status == 403 and code not in _SLOW_DOWN):
        return AccessDenied(
            f"{operation}: {message}",
            remedy="Add the action to the policy of the role that the message names (its policy.json).",
            evidence=evidence,
        )
    if code in _SLOW_DOWN or status == 429 or status >= 500:
        return Throttled(f"{operation}: {code}: {message}", evidence=evidence)
    if code in _MISSING:
        return NotFound(f"{operation}: {message}", remedy=_GONE, evidence=evidence)
    text = f"{operation}: {code}: {message}"
    return AwsCallFailed(text, remedy=_CORRECT, evidence=evidence, aws_code=code)


def unanswered(error: BotoCoreError, operation: str) -> RolloutError:
    """The error of ours for a call that got no answer, or that botocore itself refused to send."""
    evidence = {"operation": operation}
    if isinstance(error, HTTPClientError | BotoConnectionError):
        # Reset, refused or without an answer, after the SDK's retries; whether the call took effect is unknown.
        return Throttled(f"{operation}: {error}", evidence=evidence)
    return AwsCallFailed(f"{operation}: {error}", remedy=_CORRECT, evidence=evidence)


@contextmanager
def aws_errors(operation: str) -> Iterator[None]:
    """Everything inside that botocore raises leaves as an error of ours, with the operation's name in front."""
    try:
        yield
    except ClientError as error:
        raise translated(error, operation) from error
    except BotoCoreError as error:
        raise unanswered(error, operation) from error


class Session:
    """Calls as one caller, in one account and region: this class is the process's own, `assumed` has that of a target.

    Adapters of what an environment consists of take one; those of the control plane's records use `HOME`.
    """

    def client(self, service: str) -> Any:
        """The client of a service, made on first use."""
        return client(service)

    @contextmanager
    def errors(self, operation: str) -> Iterator[None]:
        """See `aws_errors`."""
        with aws_errors(operation):
            yield

    def call(self, service: str, method: str, /, **arguments: Any) -> Any:
        """One call of a client's method, for instance `call("lambda", "get_alias", FunctionName=…, Name=…)`."""
        with self.errors(f"{service}:{method}"):
            operation: Callable[..., Any] = getattr(self.client(service), method)
            return operation(**arguments)

    def find(self, service: str, method: str, /, missing: Collection[str] = (), **arguments: Any) -> Any | None:
        """The answer of `call`; None when what it is about does not exist. missing: codes that say so, beside those of
        NotFound."""
        try:
            return self.call(service, method, **arguments)
        except NotFound:
            return None
        except AwsCallFailed as error:
            if error.aws_code not in missing:
                raise
            return None

    def pages(self, service: str, method: str, key: str, /, **arguments: Any) -> list[Any]:
        """All items under `key` of a paginated call."""
        with self.errors(f"{service}:{method}"):
            entries: list[Any] = []
            for page in self.client(service).get_paginator(method).paginate(**arguments):
                entries.extend(page.get(key, []))
            return entries


HOME = Session()
call, pages = HOME.call, HOME.pages
