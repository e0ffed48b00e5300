"""API Gateway's events and answers, and what the door makes of them."""

import base64
import json
from typing import Any

import pytest

from proxy.doors import gateway
from proxy.errors import ProxyError
from proxy.exchange import Exchange
from proxy.message import Request, Response


def event(**changes: Any) -> dict[str, Any]:
    return {"httpMethod": "POST", "path": "/v1/x", "headers": None, "requestContext": {}, "body": None, **changes}


def request_of(result: dict[str, Any]) -> Request:
    return gateway.request_of(result, hold=True, deadline=9.0, invocation_id="i1")


def response(body: bytes, headers: list[tuple[str, str]] | None = None) -> Response:
    return Response(200, headers or [], (body,), Exchange("r", 0.0))


def test_a_text_body_and_an_encoded_one_become_the_same_bytes() -> None:
    assert request_of(event(body="é")).body == "é".encode()
    assert request_of(event(body=base64.b64encode("é".encode()).decode(), isBase64Encoded=True)).body == "é".encode()


def test_many_valued_headers_and_queries_win_over_single_ones() -> None:
    result = request_of(
        event(
            headers={"X-A": "2"},
            multiValueHeaders={"X-A": ["1", "2"]},
            queryStringParameters={"q": "b c"},
            multiValueQueryStringParameters={"q": ["a&b", "b c"]},
        )
    )
    assert result.headers == (("x-a", "1"), ("x-a", "2"))
    assert result.query == "q=a%26b&q=b%20c"


def test_single_valued_ones_do_alone() -> None:
    result = request_of(event(headers={"X-A": "2"}, queryStringParameters={"q": "1"}))
    assert (result.headers, result.query) == ((("x-a", "2"),), "q=1")


def test_the_candidate_path_is_stripped_on_its_own_resource_only() -> None:
    context = {"resourcePath": "/_candidate/{proxy+}", "identity": {"userArn": "arn:aws:iam::1:role/r"}}
    result = request_of(event(path="/_candidate/health", requestContext=context))
    assert (result.path, result.candidate) == ("/health", True)
    assert not request_of(event(path="/_candidate/health", requestContext={**context, "identity": {}})).candidate
    spoofed = request_of(event(path="/_candidate/health", requestContext={"resourcePath": "/{proxy+}"}))
    assert (spoofed.path, spoofed.candidate) == ("/_candidate/health", False)


def test_the_live_path_below_the_candidates_is_stripped_too_and_reads_no_pending_secret() -> None:
    context = {"resourcePath": "/_candidate/_live/{proxy+}", "identity": {"userArn": "arn:aws:iam::1:role/r"}}
    result = request_of(event(path="/_candidate/_live/v1/models", requestContext=context))
    assert (result.path, result.candidate, result.live, result.reads_pending) == ("/v1/models", True, True, False)
    unsigned = request_of(event(path="/_candidate/_live/health", requestContext={**context, "identity": {}}))
    assert (unsigned.path, unsigned.candidate, unsigned.reads_pending) == ("/health", False, False)
    candidate = request_of(
        event(path="/_candidate/_live/x", requestContext={**context, "resourcePath": "/_candidate/{proxy+}"})
    )
    assert (candidate.path, candidate.live, candidate.reads_pending) == ("/_live/x", False, True)


def test_ids_of_gateway_and_invocation_are_kept() -> None:
    result = request_of(event(requestContext={"requestId": "g1"}))
    assert (result.gateway_id, result.invocation_id, result.deadline, result.hold) == ("g1", "i1", 9.0, True)


@pytest.mark.parametrize("wrong", [None, [], {}, {"httpMethod": None}, {"version": "2.0", "rawPath": "/"}])
def test_an_event_of_another_kind_is_refused(wrong: object) -> None:
    with pytest.raises(gateway.EventError):
        gateway.request_of(wrong, hold=False, deadline=0.0, invocation_id="")


def test_text_goes_out_as_text_and_binary_as_base64() -> None:
    text = json.loads(gateway.buffered_answer(response("é".encode())))
    assert (text["body"], text["isBase64Encoded"]) == ("é", False)
    binary = json.loads(gateway.buffered_answer(response(b"\xff")))
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (b"\xff", True)


@pytest.mark.parametrize("body", [b"x" * 6_300_000, b"\xff" * 4_720_000, b'"' * 3_200_000])
def test_an_answer_that_does_not_fit_is_an_error_and_not_lambdas(body: bytes) -> None:
    with pytest.raises(ProxyError) as refused:
        gateway.buffered_answer(response(body))
    assert (refused.value.status, refused.value.code) == (502, "response_too_large")


def test_an_event_with_the_largest_body_still_fits_into_lambdas_limit() -> None:
    encoded = base64.b64encode(b"\0" * gateway.BODY_LIMIT)
    assert len(encoded) + 100_000 < 6 * 1024 * 1024


def test_the_prelude_is_json_and_eight_nul_bytes() -> None:
    result = gateway.prelude(
        response(b"", [("content-type", "a/b"), ("x", "1"), ("x", "2"), ("set-cookie", "c=1"), ("content-length", "0")])
    )
    assert result.endswith(b"}" + b"\0" * 8)
    assert result.count(b"\0") == 8
    assert json.loads(result[:-8]) == {
        "statusCode": 200,
        "headers": {"content-type": "a/b"},
        "multiValueHeaders": {"x": ["1", "2"]},
        "cookies": ["c=1"],
    }
