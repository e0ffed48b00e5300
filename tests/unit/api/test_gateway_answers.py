"""What API Gateway answers by itself on the control API has the shape of the API's own errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from chalicelib.api.responses import ErrorBody
from chalicelib.domain.codec import decode

_RESOURCES = yaml.safe_load((Path(__file__).parents[3] / "statemachine" / "resources.yaml").read_text())["Resources"]
_ANSWERS: dict[str, Any] = _RESOURCES["RestAPI"]["Properties"]["DefinitionBody"][
    "x-amazon-apigateway-gateway-responses"
]
# API Gateway developer guide, "Gateway response types": the status that each has unless it is customized.
_STATUS = {
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "ACCESS_DENIED": "403",
    "INVALID_SIGNATURE": "403",
    "EXPIRED_TOKEN": "403",
    "REQUEST_TOO_LARGE": "413",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "THROTTLED": "429",
    "INTEGRATION_FAILURE": "502",
    "INTEGRATION_TIMEOUT": "504",
}


@pytest.mark.parametrize("kind", _ANSWERS)
@pytest.mark.parametrize("message", ["Missing Authentication Token", 'a "quoted" one', ""])
def test_every_answer_is_an_error_body_with_code_and_message(kind: str, message: str) -> None:
    (text,) = _ANSWERS[kind]["responseTemplates"].values()
    variables = {"$context.error.messageString": json.dumps(message), "$context.error.responseType": kind}
    for name, value in variables.items():
        text = text.replace(name, value)
    assert "$context" not in text
    error = decode(ErrorBody, json.loads(text)).error
    assert error.code
    assert error.message is not None
    assert error.remedy or kind == "DEFAULT_4XX"


def test_every_kind_keeps_the_status_that_clients_know_and_the_rest_has_the_defaults() -> None:
    assert {kind: answer["statusCode"] for kind, answer in _ANSWERS.items() if "statusCode" in answer} == _STATUS
    assert set(_ANSWERS) - set(_STATUS) == {"DEFAULT_4XX", "DEFAULT_5XX"}


def test_who_is_throttled_reads_when_to_try_again() -> None:
    assert _ANSWERS["THROTTLED"]["responseParameters"] == {"gatewayresponse.header.retry-after": "'1'"}
