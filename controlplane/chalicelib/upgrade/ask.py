"""Asks functions for their self-test, several at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from chalicelib.ports import Aws

from . import self_test

AT_ONCE = 4
API = "APIHandler"  # answers HTTP events: GET /health is its self-test
_HEALTH: Mapping[str, object] = {
    "resource": "/health",
    "path": "/health",
    "httpMethod": "GET",
    "headers": {},
    "multiValueHeaders": {},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "requestContext": {"resourcePath": "/health", "httpMethod": "GET", "identity": {}},
    "body": None,
    "isBase64Encoded": False,
}


def ask(functions: Mapping[str, str], qualifier: str, release: str, aws: Aws) -> Sequence[str]:
    """What is wrong, one line a function that did not answer as this release; empty when all did.

    functions: physical name by logical id.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda item: _problem(item[0], item[1], qualifier, release, aws), functions.items())
    return [problem for problem in answers if problem]


def _problem(logical_id: str, function: str, qualifier: str, release: str, aws: Aws) -> str:
    event = _HEALTH if logical_id == API else {self_test.KEY: self_test.stem_of(logical_id)}
    result = aws.functions.invoke(function, qualifier, event)
    text = result.payload.decode(errors="replace")
    if result.failed:
        return f"{logical_id}: {_message(text)}"
    answer = json.loads(text)
    if logical_id == API:
        if answer.get("statusCode") != 200:
            return f"{logical_id}: GET /health answered {answer.get('statusCode')}: {str(answer.get('body'))[:200]}"
        answer = json.loads(answer["body"])
    return "" if answer.get("release") == release else f"{logical_id}: answers as release {answer.get('release')!r}"


def _message(text: str) -> str:
    try:
        answer = json.loads(text)
        return f"{answer.get('errorType')}: {answer.get('errorMessage')}"[:300]
    except (ValueError, AttributeError):
        return text[:300]
