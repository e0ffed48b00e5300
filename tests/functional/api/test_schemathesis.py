"""Requests that schemathesis derives from the document, well-formed and not, signed, to the API over HTTP.

Every answer is one that the document describes: its status, its type, its schema, its headers. What breaks the schema
is refused, what fits it is not, and nothing answers 500.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import requests
from chalicelib.api.openapi import document
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode

from tests.functional.api import rig as rigs
from tests.functional.api.rig import LABELS, Rig
from tests.functional.api.world import SECRET

SAMPLE = 60  # boundary cases an operation in `make test`; `-m long` sends all of them
TAKES_NOTHING = ("GET /health", "GET /openapi.json")
each_operation = pytest.mark.parametrize("label", LABELS)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with rigs.rig() as rig:
        yield rig


@each_operation
def test_values_at_and_beyond_every_boundary_are_answered_as_described(rig: Rig, label: str) -> None:
    cases = rig.boundary_cases(label)
    assert cases
    for case in cases[:: -(-len(cases) // SAMPLE)]:
        rig.check(case)


@pytest.mark.long
@each_operation
def test_all_of_them_are_answered_as_described(rig: Rig, label: str) -> None:
    for case in rig.boundary_cases(label):
        rig.check(case)


@each_operation
def test_well_formed_requests_about_what_exists_are_answered_as_described(rig: Rig, label: str) -> None:
    _check_random(rig, label, GenerationMode.POSITIVE, 10, rig.existing(label))


@pytest.mark.parametrize("label", [label for label in LABELS if label not in TAKES_NOTHING])
def test_malformed_requests_are_refused_as_described(rig: Rig, label: str) -> None:
    _check_random(rig, label, GenerationMode.NEGATIVE, 15, None)


def _check_random(rig: Rig, label: str, mode: GenerationMode, count: int, names: dict[str, str] | None) -> None:
    strategy = rig.operations[label].as_strategy(generation_mode=mode, path_parameters=names)

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def check(case: Case[Any]) -> None:
        rig.check(case)

    check()


SECRET_PATH = "/environments/{name}/secret"
# What succeeds in the populated world: body, and path parameters where others than the usual ones are needed.
SUCCEEDS: dict[str, tuple[Any, dict[str, str]]] = {
    **{label: (None, {}) for label in LABELS if label.startswith("GET ")},
    "POST /deployments": ({"environment": "fresh", "config": {"memory_mb": None}}, {}),
    "POST /deployments/{id}/abort": (None, {"id": "running"}),
    "POST /deployments/{id}/resume": (None, {}),
    f"PUT {SECRET_PATH}": (SECRET, {}),
    f"PATCH {SECRET_PATH}": ({"models": {"new": {"target": "gpt-4o"}}}, {}),
}


@pytest.mark.parametrize("label", SUCCEEDS)
def test_what_succeeds_is_answered_as_described(label: str) -> None:
    """Random bodies seldom succeed: a secret's key must look like one, and environments become busy."""
    body, others = SUCCEEDS[label]
    with rigs.rig() as rig:
        names = rig.existing(label) | {name: rig.names[other] for name, other in others.items()}
        given_body = {} if body is None else {"body": body, "media_type": "application/json"}
        status = rig.check(rig.operations[label].Case(path_parameters=names, **given_body))
    assert status < 300, status


@each_operation
def test_a_request_without_a_signature_is_refused_as_described(rig: Rig, label: str) -> None:
    method, path = label.split()
    reply = requests.request(method, rig.url + path.format(**rig.names), timeout=30)
    assert reply.status_code == 403
    whole = document()
    schema = whole["paths"][path][method.lower()]["responses"]["403"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/GatewayRefusal"}
    jsonschema.validate(reply.json(), whole["components"]["schemas"]["GatewayRefusal"])


def test_an_unknown_query_parameter_is_refused_on_every_route(rig: Rig) -> None:
    secret = "/environments/{name}/secret"
    bodies: dict[str, object] = {
        "POST /deployments": {"environment": "dev"},
        f"PUT {secret}": SECRET,
        f"PATCH {secret}": {"models": {}},
    }
    for label in LABELS:
        method, path = label.split()
        reply = rig.send(method, f"{path.format(**rig.names)}?nonsense=1", bodies.get(label, {}))
        assert (reply.status_code, reply.json()["error"]["field"]) == (400, "nonsense"), label
