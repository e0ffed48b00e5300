"""What IAM's simulator said of the control plane's roles, in the table: an answer a role, and an end for them all."""

from __future__ import annotations

import boto3
import pytest
from chalicelib.adapters import items
from chalicelib.adapters.simulations import DynamoSimulations
from chalicelib.domain.aws.identity import Simulation

from tests.fakes.table import make_table

FIRST = Simulation("abc", "2026-01-02T03:00:00.000+00:00", ("api states:SendTaskSuccess",))
SECOND = Simulation("def", "2026-01-02T04:00:00.000+00:00")
ROLE, OTHER = "proxyctl-ApiHandlerRole-1A2B", "proxyctl-BakeRole-3C4D"


@pytest.fixture
def simulations() -> DynamoSimulations:
    make_table()
    return DynamoSimulations("proxyctl")


def test_a_new_table_remembers_nothing(simulations: DynamoSimulations) -> None:
    assert simulations.remembered() == {}


def test_answers_of_several_deployments_stand_side_by_side(simulations: DynamoSimulations) -> None:
    simulations.remember({ROLE: FIRST})
    simulations.remember({OTHER: SECOND})
    assert simulations.remembered() == {ROLE: FIRST, OTHER: SECOND}
    simulations.remember({ROLE: SECOND})
    assert simulations.remembered() == {ROLE: SECOND, OTHER: SECOND}


def test_the_item_goes_when_its_last_answer_has_ended(simulations: DynamoSimulations) -> None:
    simulations.remember({ROLE: FIRST, OTHER: SECOND})
    (item,) = boto3.client("dynamodb").scan(TableName="proxyctl")["Items"]
    assert int(item["expires"]["N"]) == items.epoch(SECOND.until)
