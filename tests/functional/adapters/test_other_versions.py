"""Records outlive versions: what an earlier or a later control plane wrote is read, shown, and not lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from chalicelib.adapters import items
from chalicelib.adapters.live_figures import DynamoLiveFigures
from chalicelib.adapters.nights import DynamoNights
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.table import plain
from chalicelib.api import deployments, environments, nights
from chalicelib.domain.codec import encode_record
from chalicelib.domain.model import Action, DeploymentStatus, Lock, PhaseStatus
from chalicelib.domain.nights import NightVerdict
from chalicelib.domain.records import Ending
from chalicelib.engine import registry
from chalicelib.engine.phase import Results, Waits
from chalicelib.engine.recording import open_record

from tests.fakes import FakeAws, recorded
from tests.fakes.calls import ask
from tests.fakes.recorded import UNKNOWN, UNKNOWN_VALUE, Item
from tests.fakes.requests import request
from tests.fakes.table import make_table

DEPLOYED = "d-d9a445853aab1ddcfce3"
ROLLED_BACK = "d-49b08092854038d59d0f"
Variant = Callable[[list[Item]], list[Item]]


def as_recorded(written: list[Item]) -> list[Item]:
    return written


both = pytest.mark.parametrize("variant", [as_recorded, recorded.of_a_later_version])
every = pytest.mark.parametrize("variant", [as_recorded, recorded.of_a_later_version, recorded.cut])


def stored(written: list[Item]) -> FakeAws:
    """The table with these items, behind the real adapters."""
    make_table()
    for item in written:
        boto3.client("dynamodb").put_item(TableName="proxyctl", Item=item)
    aws = FakeAws()
    aws.records = DynamoRecords("proxyctl")  # type: ignore[assignment]
    aws.nights = DynamoNights("proxyctl")  # type: ignore[assignment]
    return aws


def item(pk: str, sk: str) -> dict[str, Any]:
    """As it lies in the table now, without its keys."""
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    return items.visible(plain(boto3.client("dynamodb").get_item(TableName="proxyctl", Key=key)["Item"]))


@both
def test_a_whole_table_is_listed_and_shown(variant: Variant) -> None:
    aws = stored(variant(recorded.table()))
    listed = ask(aws, deployments.index, query={"limit": "100"}).body["deployments"]
    assert len(listed) == 14
    for row in listed:
        assert ask(aws, deployments.show, id=row["id"]).status == 200
    shown = ask(aws, deployments.show, id=DEPLOYED).body
    assert [phase["status"] for phase in shown["phases"]] == ["SUCCEEDED"] * 12
    assert (shown["percent"], shown["status"], shown["config"]["ttl_hours"]) == (100, "SUCCEEDED", 48)
    assert ask(aws, deployments.show, id=ROLLED_BACK).body["error"]["code"]
    (night,) = ask(aws, nights.index).body["nights"]
    assert (night["night"], night["good"]) == ("2026-01-02", 1)
    names = [row["name"] for row in ask(aws, environments.index).body["environments"]]
    assert names == ["bare", "drill", "drill-555a72", "shop"]
    shop = ask(aws, environments.show, name="shop", now=datetime(2026, 11, 27, tzinfo=UTC)).body
    assert (shop["live"]["version"], shop["status"], len(shop["applied"])) == ("4", "LIVE", 8)
    # Four deploys: three released a version. The fourth failed in validate_endpoints and moved back the candidate only
    # ("Went back: candidate from 7 to 2"): no user had version 7, so that it is no change and no failed one.
    deploys = [entry for entry in shop["history"] if entry["action"] == "deploy"]
    assert [(entry["outcome"], entry["users_saw_it"]) for entry in deploys] == [
        ("ROLLED_BACK", False),
        *[("SUCCEEDED", False)] * 3,
    ]
    assert "candidate from 7 to 2" in deploys[0]["summary"]
    assert (len(shop["history"]), shop["dora"]["changes"], shop["dora"]["failed"]) == (8, 3, 1)


@both
def test_items_of_running_deployments_are_read(variant: Variant) -> None:
    aws = stored(variant(recorded.midway()))
    lock = aws.records.environment("shop").lock
    assert lock is not None
    assert lock.deployment_id
    assert aws.records.next_in_line("shop") == aws.records.deployment("d-f912c7bb4eb3aa4f11d8")


@every
@pytest.mark.parametrize("source", [recorded.table, recorded.midway])
def test_every_item_is_read_whatever_it_lacks_or_adds(source: Callable[[], list[Item]], variant: Variant) -> None:
    written = variant(source())
    for result in recorded.of_kind(written, "DEPLOYMENT#", "META"):
        assert items.to_deployment(result).id == result["pk"].partition("#")[2]
    for result in recorded.of_kind(written, "DEPLOYMENT#", "PHASE#"):
        phase = items.to_phase(result)
        assert phase.name == result["sk"].rpartition("#")[2]
        assert open_record(phase.name, phase, "2026-01-01T00:00:00+00:00").status is PhaseStatus.RUNNING
    for result in recorded.of_kind(written, "ENVIRONMENT#", "META"):
        assert items.to_environment("shop", result).name == "shop"


@every
def test_history_events_and_nights_are_read_whatever_they_lack_or_add(variant: Variant) -> None:
    aws = stored(variant(recorded.table()))
    assert ask(aws, environments.show, name="shop", now=datetime(2026, 11, 27, tzinfo=UTC)).status in (200, 404)
    assert ask(aws, nights.index).status == 200
    assert len(aws.records.events(DEPLOYED)) > 20
    assert aws.nights.of("2026-01-02")[0].verdict in (NightVerdict.GOOD, NightVerdict.LOST)
    assert DynamoLiveFigures("proxyctl", lambda: datetime(2026, 1, 1, tzinfo=UTC)).of(DEPLOYED)


@both
def test_the_evidence_of_every_recorded_phase_is_read_as_its_type(variant: Variant) -> None:
    written = variant(recorded.table())
    kinds = {name: registry.load(name).evidence for name in (*registry.PHASES, *registry.STEPS)}
    read = 0
    for result in recorded.of_kind(written, "DEPLOYMENT#", "PHASE#"):
        phase, kind = items.to_phase(result), kinds[result["sk"].rpartition("#")[2]]
        if dataclasses.is_dataclass(kind) and hasattr(kind, "PHASE"):
            results: Results = Results({kind.PHASE: phase.evidence})
            assert results.of(kind) is not None  # type: ignore[type-var]
            keys = getattr(kind, "KEYS", {})
            names = {keys.get(field.name, field.name) for field in dataclasses.fields(kind)}
            assert set(phase.evidence) - names <= {UNKNOWN}, phase.name
            read += 1
    assert read >= 50


@both
def test_the_cursor_of_every_recorded_phase_is_read_as_its_type(variant: Variant) -> None:
    """A rollout that began under the earlier version goes on under this one."""
    for result in recorded.of_kind(variant(recorded.midway()), "DEPLOYMENT#", "PHASE#"):
        phase = items.to_phase(result)
        kind = registry.load(phase.name).cursor
        if dataclasses.is_dataclass(kind):
            again = request(cursor=phase.cursor, waits=Waits(phase.waits_for, phase.waits))
            assert isinstance(again.cursor_as(kind), kind)
            assert not again.is_first_call


def test_an_action_and_states_of_a_later_version_are_shown_as_they_are() -> None:
    written = recorded.table()
    for result in written:
        if result["pk"]["S"] == f"DEPLOYMENT#{DEPLOYED}" and result["sk"]["S"] == "META":
            result |= {"action": {"S": "relocate"}, "status": {"S": "PAUSED"}}
        if result["pk"]["S"] == f"DEPLOYMENT#{DEPLOYED}" and result["sk"]["S"].endswith("preflight"):
            result["status"] = {"S": "WARNED"}
    aws = stored(written)
    deployment = aws.records.deployment(DEPLOYED)
    assert (deployment.action == "relocate", deployment.status.is_final) == (True, False)
    assert deployment.action not in list(Action)
    assert deployment.status not in list(DeploymentStatus)
    shown = ask(aws, deployments.show, id=DEPLOYED).body
    assert (shown["action"], shown["status"], shown["phases"][0]["status"]) == ("relocate", "PAUSED", "WARNED")


def test_a_value_that_this_version_refuses_gets_its_default_and_the_rest_of_the_record_stays() -> None:
    written = recorded.table()
    for result in written:
        if result["sk"]["S"] == "META" and "config" in result:
            result["config"]["M"]["log_level"] = {"S": "TRACE"}
            result["config"]["M"]["throttle"]["M"]["burst"] = {"S": "plenty"}
    config = stored(written).records.deployment(DEPLOYED).config
    assert (config.log_level, config.throttle.burst, config.ttl_hours) == ("INFO", 100, 48)


def test_a_phases_unknown_attributes_stay_when_its_record_is_written_again() -> None:
    aws = stored(recorded.of_a_later_version(recorded.table()))
    phase = next(phase for phase in aws.records.phases(DEPLOYED) if phase.name == "preflight")
    aws.records.put_phase(DEPLOYED, open_record("preflight", phase, "2026-01-01T00:00:00+00:00"))
    after = item(f"DEPLOYMENT#{DEPLOYED}", "PHASE#01#preflight")
    assert (after["status"], after[UNKNOWN], after["evidence"][UNKNOWN]) == ("RUNNING", UNKNOWN_VALUE, UNKNOWN_VALUE)
    assert "extra" not in after


def test_a_locks_unknown_attributes_stay_when_its_lease_is_extended() -> None:
    aws = stored(recorded.of_a_later_version(recorded.midway()))
    lock = aws.records.environment("shop").lock
    assert lock is not None
    aws.records.renew_lock("shop", dataclasses.replace(lock, lease_until=9_999_999_999.0))
    after = item("ENVIRONMENT#shop", "LOCK")
    assert (after["lease_until"], after[UNKNOWN]) == (9_999_999_999, UNKNOWN_VALUE)
    assert aws.records.environment("shop").lock == dataclasses.replace(lock, lease_until=9_999_999_999.0)


def test_an_environments_unknown_attributes_and_those_of_its_releases_stay_when_a_deployment_ends() -> None:
    written = recorded.table()
    (locked,) = (result for result in recorded.midway() if result["pk"]["S"] == "ENVIRONMENT#shop" and "lock" in result)
    for result in written:
        if result["pk"]["S"] == "ENVIRONMENT#shop" and result["sk"]["S"] == "META":
            result["lock"] = locked["lock"]
    aws = stored(recorded.of_a_later_version(written))
    environment = aws.records.environment("shop")
    lock = environment.lock
    assert isinstance(lock, Lock)
    release = environment.good[0]
    changes = {"live": encode_record(release), "releases": [encode_record(entry) for entry in environment.good]}
    deployment = dataclasses.replace(aws.records.deployment(DEPLOYED), id=lock.deployment_id)
    boto3.client("dynamodb").update_item(
        TableName="proxyctl",
        Key={"pk": {"S": f"DEPLOYMENT#{lock.deployment_id}"}, "sk": {"S": "META"}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "RUNNING"}},
    )
    at = "2026-12-01T00:00:00.000+00:00"
    aws.records.end(deployment, Ending(at, lock.execution_arn, {"status": "SUCCEEDED"}, changes, {"summary": "x"}))
    after = item("ENVIRONMENT#shop", "META")
    assert (after[UNKNOWN], after["live"][UNKNOWN], after["live"]["config"][UNKNOWN]) == (UNKNOWN_VALUE,) * 3
    assert after["applied_deploy_stack"][UNKNOWN] == UNKNOWN_VALUE
    assert all(release[UNKNOWN] == UNKNOWN_VALUE and "extra" not in release for release in after["releases"])
    assert item(f"DEPLOYMENT#{lock.deployment_id}", "META")[UNKNOWN] == UNKNOWN_VALUE


def test_a_nightly_run_starts_from_a_configuration_of_another_version_and_keeps_its_unknown_fields() -> None:
    """A removed field of Config must not stop the nightly run."""
    aws = stored(recorded.of_a_later_version(recorded.table()))
    answer = ask(aws, deployments.start, {"environment": "shop", "action": "revalidate"})
    assert answer.status == 202, answer.body
    config = item(f"DEPLOYMENT#{answer.body['id']}", "META")["config"]
    assert (config[UNKNOWN], config["memory_mb"]) == (UNKNOWN_VALUE, 256)
    assert config["throttle"][UNKNOWN] == UNKNOWN_VALUE
    deployment = aws.records.deployment(answer.body["id"])
    assert deployment.unknown_config[UNKNOWN] == UNKNOWN_VALUE
