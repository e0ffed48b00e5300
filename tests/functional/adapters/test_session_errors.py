"""Which error of ours an error of botocore's becomes: transient ones are tried again, all others name a remedy."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)
from chalicelib.adapters import session
from chalicelib.adapters.session import aws_errors
from chalicelib.domain.errors import AccessDenied, AwsCallFailed, NotFound, RolloutError, Throttled


def raised(error: Exception) -> RolloutError:
    with pytest.raises(RolloutError) as caught, aws_errors("lambda:get_alias"):
        raise error
    return caught.value


def answered(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetAlias")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_that_says_try_again_is_transient_whatever_the_code(status: int) -> None:
    assert isinstance(raised(answered("SomethingNew", status)), Throttled)


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_are_transient_and_no_missing_permission(code: str) -> None:
    assert isinstance(raised(answered(code, 403)), Throttled)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosedError(endpoint_url="https://x"),
        EndpointConnectionError(endpoint_url="https://x"),
        ReadTimeoutError(endpoint_url="https://x"),
    ],
)
def test_a_broken_connection_is_transient(error: BotoCoreError) -> None:
    assert isinstance(raised(error), Throttled)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answered("ValidationError", 400), AwsCallFailed),
        (answered("AccessDeniedException", 403), AccessDenied),
        (ParamValidationError(report="r"), AwsCallFailed),
    ],
)
def test_any_other_error_names_a_remedy(error: Exception, kind: type[RolloutError]) -> None:
    ended = raised(error)
    assert isinstance(ended, kind)
    assert ended.remedy


def test_a_resource_that_is_gone_is_named_with_the_way_back() -> None:
    """Found by the matrix of faults: such an end was on record without a remedy."""
    answer = {"Error": {"Code": "ResourceNotFoundException", "Message": "no such function"}}
    error = session.translated(ClientError(answer, "GetAlias"), "lambda:get_alias")
    assert isinstance(error, NotFound)
    assert "Deploy again" in str(error.remedy)
