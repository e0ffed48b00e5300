"""Fleets in DynamoDB (moto): who may run, what a kill leaves, counts that count once, and items of a bounded size."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from chalicelib.adapters.fleets import DynamoFleets
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.fleets.model import (
    FleetDeployment,
    FleetMember,
    FleetState,
    FleetWave,
    MemberStatus,
    Undoing,
)
from chalicelib.domain.model import Action, DeploymentStatus
from chalicelib.domain.records import Claim

from tests.fakes.table import make_table

TABLE, COUNT = "proxyctl", 130
AT = "2026-01-01T00:00:00.000+00:00"
ENDED = {"status": "SUCCEEDED", "summary": "done", "ended_at": AT, "error": None, "approval": None}


@pytest.fixture
def fleets() -> DynamoFleets:
    make_table(name=TABLE)
    return DynamoFleets(TABLE)


def state(id_: str = "f-1", fleet: str = "shops", count: int = 3, **other: Any) -> FleetState:
    """Two waves: one member, then the rest."""
    deployment = FleetDeployment(
        id_, fleet, Action.DEPLOY, DeploymentStatus.PENDING, AT, waves=2, members=count, caller="me", **other
    )
    members = [FleetMember(f"e{number:04}", 1 if number == 0 else 2) for number in range(count)]
    return FleetState(deployment, (FleetWave(1, 1), FleetWave(2, count - 1)), tuple(members))


def test_what_is_recorded_is_read_again(fleets: DynamoFleets) -> None:
    recorded = state(body={"options": {"load": {"rps": 2.5}, "slo": {"p99_ms": None}}, "config": {"timeout_s": None}})
    fleets.start(recorded, Claim("k", "digest"))
    assert fleets.state("f-1") == recorded
    assert fleets.deployment("f-1") == recorded.deployment
    assert fleets.member("f-1", 2, "e0001") == recorded.members[1]
    assert list(fleets.running()) == ["f-1"]


def test_a_fleet_has_one_deployment_at_a_time_and_is_free_after_its_end(fleets: DynamoFleets) -> None:
    fleets.start(state(), None)
    with pytest.raises(Conflict) as busy:
        fleets.start(state("f-2"), None)
    assert (busy.value.code, busy.value.holder) == ("FleetBusy", "f-1")
    fleets.start(state("f-3", "others"), None)
    fleets.conclude(fleets.deployment("f-1"), ENDED)
    fleets.start(state("f-4"), None)
    assert sorted(fleets.running()) == ["f-3", "f-4"]
    assert [fleet.name for fleet in fleets.fleets(10, None)[0]] == ["shops", "others"]


def test_a_key_stands_for_one(fleets: DynamoFleets) -> None:
    fleets.start(state(), Claim("k", "digest"))
    with pytest.raises(Conflict) as used:
        fleets.start(state(), Claim("k", "digest"))
    assert (used.value.claimed_by, used.value.body_sha256) == ("f-1", "digest")


def test_a_start_that_died_after_its_members_can_be_repeated(
    fleets: DynamoFleets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(DynamoFleets, "_first_writes", die)
        with pytest.raises(KeyboardInterrupt):
            fleets.start(state(), Claim("k", "digest"))
    with pytest.raises(NotFound):
        fleets.state("f-1")
    fleets.start(state(), Claim("k", "digest"))
    assert fleets.state("f-1") == state()


def test_a_member_begins_once_and_not_after_a_stop(fleets: DynamoFleets) -> None:
    fleets.start(state(), None)
    running = replace(state().members[0], status=MemberStatus.RUNNING)
    assert fleets.begin_member("f-1", running)
    assert not fleets.begin_member("f-1", running)
    fleets.stop("f-1", {"code": "Aborted", "message": "by me"})
    assert not fleets.begin_member("f-1", replace(state().members[1], status=MemberStatus.RUNNING))
    assert fleets.member("f-1", 2, "e0001").status is MemberStatus.PENDING


def test_a_failure_counts_once(fleets: DynamoFleets) -> None:
    fleets.start(state(), None)
    running = replace(state().members[0], status=MemberStatus.RUNNING)
    fleets.begin_member("f-1", running)
    for _ in range(2):
        fleets.end_member("f-1", replace(running, status=MemberStatus.FAILED, summary="it broke"))
    assert fleets.wave("f-1", 1).failed == 1
    assert fleets.member("f-1", 1, "e0000").summary == "it broke"


def test_the_first_reason_to_stop_stays(fleets: DynamoFleets) -> None:
    fleets.start(state(), None)
    fleets.stop("f-1", {"code": "Aborted"})
    fleets.stop("f-1", {"code": "ExecutionStopped"})
    stop = fleets.deployment("f-1").stop
    assert stop is not None
    assert stop.code == "Aborted"


def test_what_has_ended_stays_as_it_is(fleets: DynamoFleets) -> None:
    fleets.start(state(), None)
    fleets.conclude(fleets.deployment("f-1"), ENDED)
    fleets.conclude(fleets.deployment("f-1"), ENDED | {"status": "FAILED"})
    assert fleets.deployment("f-1").status is DeploymentStatus.SUCCEEDED
    with pytest.raises(Conflict) as updated:
        fleets.update("f-1", {"wave": 2})
    with pytest.raises(Conflict) as stopped:
        fleets.stop("f-1", {"code": "Aborted"})
    assert (updated.value.code, stopped.value.code) == ("AlreadyEnded", "AlreadyEnded")
    (row,), cursor = fleets.rows("shops", 10, None)
    assert (row.status, row.summary, cursor) == ("SUCCEEDED", "done", None)


def test_other_changes_of_members_and_waves_are_kept(fleets: DynamoFleets) -> None:
    fleets.start(state(), None)
    back = replace(state().members[0], undone=Undoing.DONE, before=("4", "v1"))
    fleets.update_member("f-1", back)
    fleets.update_wave("f-1", 1, {"approved_by": "boss"})
    assert fleets.member("f-1", 1, "e0000") == back
    assert fleets.wave("f-1", 1).approved_by == "boss"


def test_members_are_items_of_their_own_so_that_none_grows_with_their_number(fleets: DynamoFleets) -> None:
    """DynamoDB takes 400 KB an item. More than a hundred members take more than one transaction."""
    fleets.start(state(count=COUNT), None)
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
    sizes = [len(json.dumps(item)) for page in pages for item in page["Items"]]
    assert len(sizes) == COUNT + 2 + 4  # waves; record, row, fleet, mark of what runs
    assert max(sizes) < 4_000
    assert len(fleets.state("f-1").members) == COUNT


def test_every_item_expires(fleets: DynamoFleets) -> None:
    """But the fleet itself, of which there is one a name."""
    fleets.start(state(), Claim("k", "digest"))
    entries = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]
    assert {entry["sk"]["S"] for entry in entries if "expires" not in entry} == {"FLEET#shops"}
