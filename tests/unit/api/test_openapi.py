"""The document describes every route that app.py has, with the schemas of the types that decode and make its bodies."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from chalicelib.api import control, deployments, environments, health, nights, openapi, secrets
from chalicelib.api.answers import Route
from chalicelib.api.openapi import document
from chalicelib.api.responses import (
    DeploymentDetail,
    DeploymentPage,
    DeploymentView,
    EnvironmentDetail,
    EnvironmentList,
    Health,
    NightList,
    StoredSecret,
)
from chalicelib.domain.model import PhaseRecord, PhaseStatus
from chalicelib.engine import registry

from tests.fakes import FakeAws
from tests.fakes.calls import ask

APP = Path(__file__).resolve().parents[3] / "controlplane" / "app.py"
ROWS = re.findall(r'^    \("(/[^"]+)", "(\w+)", (\w+), "(\w+)"\),$', APP.read_text(), re.MULTILINE)
ROUTES = [(path, method) for path, method, _, _ in ROWS]


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, answer) for path, methods in document()["paths"].items() for method, answer in methods.items()
    ]


def test_every_route_is_described_and_no_other() -> None:
    assert {(path, method.upper()) for path, method, _ in operations()} == set(ROUTES)


def test_a_route_is_described_by_the_handler_that_app_py_calls() -> None:
    """The schema of an answer comes from the annotation of the handler, so both must name the same one."""
    served = {(path, method): f"{module}.{name}" for path, method, module, name in ROWS}
    described = {
        (operation.path, operation.method.upper()): f"{_module(operation.route)}.{operation.route.__name__}"
        for operation in openapi.operations()
    }
    assert described == served


def _module(route: Route) -> str:
    return route.__module__.rpartition(".")[2]


def test_the_body_of_a_start_has_the_fields_that_are_decoded_and_refuses_others() -> None:
    schemas = document()["components"]["schemas"]
    fields_ = {"environment", "action", "config", "options", "replace", "create", "from"}
    assert set(schemas["Start"]["properties"]) == fields_
    assert schemas["Start"]["additionalProperties"] is False
    assert schemas["Start"]["properties"]["config"] == {"$ref": "#/components/schemas/ConfigPatch"}
    assert schemas["ConfigPatch"]["additionalProperties"] is False
    assert set(schemas["ConfigPatch"]["properties"]) == set(schemas["Config"]["properties"])
    assert {"drill_of", "sabotage", "bundle"} == set(schemas["Options"]["properties"]) - set(
        schemas["OptionsOfRequest"]["properties"]
    )


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    names = set(re.findall(r"#/components/schemas/([\w.]+)", str(whole)))
    assert names <= set(whole["components"]["schemas"])


@pytest.mark.parametrize(("path", "method"), ROUTES)
def test_every_answer_has_a_schema(path: str, method: str) -> None:
    responses = document()["paths"][path][method.lower()]["responses"]
    for status, response in responses.items():
        (content,) = response["content"].values()
        is_typed = "$ref" in content["schema"] or content["schema"] == {"type": "string"}
        assert is_typed or (path, status) == ("/openapi.json", "200"), (status, content)


def test_every_summary_is_a_sentence_of_the_handlers_docstring() -> None:
    for path, method, operation in operations():
        assert operation["summary"], (path, method)


def test_every_operation_has_an_id_a_tag_and_the_refusals_of_api_gateway() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids) == len(ROUTES)
    tags = {tag["name"] for tag in document()["tags"]}
    for path, method, operation in operations():
        assert set(operation["tags"]) <= tags
        assert {"403", "429", "500", "502", "503", "504"} <= set(operation["responses"]), (path, method)


def test_every_field_of_a_request_says_what_it_does() -> None:
    schemas = document()["components"]["schemas"]
    for name in ("ConfigPatch", "ThrottlePatch", "OptionsOfRequest", "LoadOfRequest", "SloOfRequest", "SecretDocument"):
        for field, described in schemas[name]["properties"].items():
            assert "$ref" in str(described) or described.get("description"), (name, field)


@pytest.mark.parametrize(
    ("field", "names"), [("phases", registry.PHASES), ("steps", (*registry.STEPS, *registry.UPGRADE))]
)
def test_evidence_is_described_by_the_type_of_each_phase(field: str, names: tuple[str, ...]) -> None:
    schemas = document()["components"]["schemas"]
    choice = schemas["DeploymentDetail"]["properties"][field]["items"]
    mapping = choice["discriminator"]["mapping"]
    assert tuple(mapping) == names
    assert [part["$ref"] for part in choice["oneOf"]] == list(mapping.values())
    for name, place in mapping.items():
        phase, kind = schemas[place.rpartition("/")[2]], registry.load(name).evidence
        assert phase["properties"]["name"] == {"const": name}
        if is_dataclass(kind):
            assert phase["properties"]["evidence"] == {"$ref": f"#/components/schemas/{kind.__name__}"}
            keys = getattr(kind, "KEYS", {})
            assert set(schemas[kind.__name__]["properties"]) == {
                keys.get(field.name, field.name) for field in fields(kind)
            }


def world() -> tuple[FakeAws, str]:
    aws = FakeAws()
    started: str = ask(aws, deployments.start, {"environment": "dev"}).body["id"]
    ended = PhaseRecord(1, "preflight", PhaseStatus.SUCCEEDED, "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00")
    aws.records.put_phase(started, ended)
    release = {"version": "1", "deployment_id": started, "at": "2026-01-01T00:00:00+00:00"}
    aws.records.update_environment("dev", {"status": "LIVE", "live": release})
    entry = {"deployment_id": started, "action": "deploy", "outcome": "SUCCEEDED", "summary": "", "changed": True}
    aws.records.add_history("dev", "2026-01-02T00:00:00+00:00", entry)
    aws.nights.conclude("2026-01-01", {"asked": 1, "good": 1})
    return aws, started


@pytest.mark.parametrize(
    ("route", "kind", "path", "body"),
    [
        (deployments.start, DeploymentView, {}, {"environment": "prod"}),
        (deployments.index, DeploymentPage, {}, None),
        (deployments.show, DeploymentDetail, {"id": "?"}, None),
        (control.abort, DeploymentView, {"id": "?"}, None),
        (environments.index, EnvironmentList, {}, None),
        (environments.show, EnvironmentDetail, {"name": "dev"}, None),
        (nights.index, NightList, {}, None),
        (health.show, Health, {}, None),
        (secrets.put, StoredSecret, {"name": "fresh"}, {"schema": 1, "api_key": "sk-abcdefghijklmnopqrst"}),
    ],
)
def test_what_a_route_answers_fits_its_type(
    route: Route, kind: type[object], path: dict[str, str], body: dict[str, object] | None
) -> None:
    aws, started = world()
    names: Any = {name: value.replace("?", started) for name, value in path.items()}
    answer = ask(aws, route, body, **names)
    assert answer.status < 300, answer.body
    assert msgspec.convert(answer.body, kind)
    assert set(answer.body) <= {field.name for field in fields(kind)}  # type: ignore[arg-type]
