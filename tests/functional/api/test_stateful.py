"""Sequences of requests: schemathesis goes from answer to answer by the document's links, as a client does."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.api.openapi import document
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.functional.api import rig as rigs


def run(sequences: int, steps: int) -> list[int]:
    """Run so many sequences; the statuses of all answers. Raises on one that the document does not describe."""
    statuses: list[int] = []
    with rigs.rig() as rig:

        class Counted(rig.workflow()):  # type: ignore[misc]  # a class that is made at run time
            def after_call(self, response: Any, case: Any) -> None:
                statuses.append(response.status_code)

        run_state_machine_as_test(
            Counted,
            settings=settings(
                max_examples=sequences,
                stateful_step_count=steps,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    return statuses


def test_whatever_the_order_every_answer_is_described_and_none_is_a_500() -> None:
    statuses = run(4, 6)
    assert len(statuses) >= 12
    assert {status // 100 for status in statuses} <= {2, 4}
    assert {200, 404} <= set(statuses)


@pytest.mark.long
def test_many_sequences() -> None:
    assert all(status < 500 for status in run(400, 15))


def test_every_link_leads_to_an_operation_with_that_parameter() -> None:
    operations = {
        operation["operationId"]: {parameter["name"] for parameter in operation["parameters"]}
        for methods in document()["paths"].values()
        for operation in methods.values()
    }
    links = [
        link
        for methods in document()["paths"].values()
        for operation in methods.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 20
    for link in links:
        assert set(link["parameters"]) <= operations[link["operationId"]], link
