"""Records outlive versions: the control plane starts from a table that an earlier, or a later, version has written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.rolling import Embedded, Rolled, chats, phase, roll
from tests.fakes import recorded
from tests.fakes.recorded import UNKNOWN, Item

TABLE = "proxyctl"
# Long past the time limit that was recorded, the sweeper would clean the environment up.
FAR_OFF = {"S": "2999-01-01T00:00:00+00:00"}


def key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


@pytest.fixture
def past(embedded: Embedded) -> Iterator[str]:
    """The recorded table of the version before, its environment under a name of its own."""
    records, name = embedded.boto("dynamodb"), "past"
    items = recorded.table(name)
    for item in items:
        limit = {"expires_at": FAR_OFF} if "expires_at" in item else {}
        records.put_item(TableName=TABLE, Item=item | limit)
    yield name
    for item in items:
        records.delete_item(TableName=TABLE, Key=key(item))


def test_a_table_of_the_version_before_is_listed_and_shown(embedded: Embedded, past: str) -> None:
    listed = embedded.client.deployments(past)
    assert {row["status"] for row in listed} == {"SUCCEEDED", "ROLLED_BACK"}
    assert len(listed) == 8
    for row in listed:
        shown = embedded.client.deployment(row["id"])
        assert (shown["id"], shown["status"], len(shown["phases"])) == (row["id"], row["status"], 12)
    stands = embedded.client.environment(past)
    assert stands["live"]
    assert (stands["status"], stands["live"]["version"], len(stands["history"])) == ("LIVE", "4", 8)
    assert past in [row["name"] for row in embedded.client.environments()]
    assert "2026-01-02" in [night["night"] for night in embedded.call("GET", "/nights")[1]["nights"]]


def test_a_deploy_goes_on_from_the_table_of_the_version_before(embedded: Embedded, past: str) -> None:
    """The account lost everything that the records speak of: the deploy makes it anew, and serves users."""
    embedded.client.put_secret(past, embedded.secret())
    deployment = roll(embedded, past)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert chats(Rolled(embedded, past, deployment))
    assert embedded.client.environment(past)["history"][0]["deployment_id"] == deployment["id"]
    assert roll(embedded, past, "cleanup", options={"remove_secret": True})["status"] == "SUCCEEDED"


@pytest.fixture
def later(rolled: Rolled) -> Iterator[Rolled]:
    """The rolled environment, as if a later version of the control plane had rolled it and was then replaced."""
    records = rolled.embedded.boto("dynamodb")
    place = {"pk": {"S": f"ENVIRONMENT#{rolled.environment}"}, "sk": {"S": "META"}}
    item = records.get_item(TableName=TABLE, Key=place, ConsistentRead=True)["Item"]
    records.put_item(TableName=TABLE, Item=recorded.of_a_later_version([item])[0])
    yield rolled
    records.update_item(TableName=TABLE, Key=place, UpdateExpression=f"REMOVE {UNKNOWN}")


def test_a_table_of_a_later_version_is_worked_with_and_keeps_what_this_version_does_not_know(later: Rolled) -> None:
    checked = roll(later.embedded, later.environment, "revalidate")
    assert checked["status"] == "SUCCEEDED", checked.get("error")
    deployment = roll(later.embedded, later.environment)
    assert deployment["status"] == "SUCCEEDED", deployment.get("error")
    assert phase(deployment, "deploy_stack")["status"] == "SKIPPED"
    assert chats(later)
    stands = stored(later)
    assert UNKNOWN in stands
    assert UNKNOWN in stands["live"]["M"]
    assert UNKNOWN in stands["live"]["M"]["config"]["M"]
    assert UNKNOWN in stands["live"]["M"]["config"]["M"]["throttle"]["M"]


def stored(rolled: Rolled) -> dict[str, Any]:
    """The environment's item, in DynamoDB's JSON."""
    place = {"pk": {"S": f"ENVIRONMENT#{rolled.environment}"}, "sk": {"S": "META"}}
    result = rolled.embedded.boto("dynamodb").get_item(TableName=TABLE, Key=place, ConsistentRead=True)
    return dict(result["Item"])
