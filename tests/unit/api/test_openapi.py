"""The document describes every route that app.py has, with the schema that decodes its bodies."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from chalicelib.api.openapi import document

APP = Path(__file__).resolve().parents[3] / "controlplane" / "app.py"


def test_every_route_is_described_and_no_other() -> None:
    routes = re.findall(r'@app\.route\("([^"]+)", methods=\["(\w+)"\]', APP.read_text())
    described = {(path, method.upper()) for path, methods in document()["paths"].items() for method in methods}
    assert described == set(routes)
    assert ast.parse(APP.read_text())


def test_the_body_of_a_start_has_the_fields_that_are_decoded_and_refuses_others() -> None:
    schemas = document()["components"]["schemas"]
    assert set(schemas["Start"]["properties"]) == {"environment", "action", "config", "options"}
    assert schemas["Start"]["additionalProperties"] is False
    assert "memory_mb" in schemas["Config"]["properties"]


def test_every_reference_leads_somewhere() -> None:
    told = document()
    names = set(re.findall(r"#/components/schemas/(\w+)", str(told)))
    assert names <= set(told["components"]["schemas"])
