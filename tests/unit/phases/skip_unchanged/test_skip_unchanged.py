"""Phases without changes are recorded as skipped together, and the state machine learns with which one to go on."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest
from chalicelib.domain.errors import LockLost
from chalicelib.domain.evidence.plan import SkipEvidence
from chalicelib.domain.model import Lock, PhaseStatus
from chalicelib.domain.options import Options
from chalicelib.domain.times import stamp
from chalicelib.engine import registry
from chalicelib.engine.phase import Result, Status
from chalicelib.phases.skip_unchanged import run as skip_unchanged

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, NOW, environment, request

SKIPPED = {
    "prepare_secret": Result(Status.SKIPPED, "Nothing changed since deployment d-old", {"version_id": "v1"}),
    "package_artifact": Result(Status.SKIPPED, "Nothing changed since deployment d-old", {"digest": "abc"}),
}


def world() -> FakeAws:
    aws = FakeAws()
    hold(aws, HELD)
    return aws


def hold(aws: FakeAws, lock: Lock) -> None:
    aws.records.attributes["dev"] = {"lock": dataclasses.asdict(lock)}


def test_skipped_phases_are_on_record_with_their_evidence_their_number_and_an_event() -> None:
    aws = world()
    result = skip_unchanged.run(request(unchanged=SKIPPED), aws.as_aws())
    records = {record.name: record for record in aws.records.phases("d-new")}
    assert {record.status for record in records.values()} == {PhaseStatus.SKIPPED}
    assert records["package_artifact"].evidence == {"digest": "abc"}
    assert (records["package_artifact"].number, records["package_artifact"].ended_at) == (3, stamp(NOW))
    assert [event["kind"] for event in aws.records.events("d-new")] == [f"{name}.skipped" for name in SKIPPED]
    assert result.evidence == SkipEvidence(("prepare_secret", "package_artifact"), "deploy_stack")
    assert (result.status, result.next) == (Status.SUCCEEDED, "deploy_stack")


def test_without_anything_to_skip_nothing_is_written_and_the_first_phase_is_next() -> None:
    aws = FakeAws()
    result = skip_unchanged.run(request(), aws.as_aws())
    assert result.next == "prepare_secret"
    assert result.summary == "No phase can be skipped; prepare_secret is next"
    assert list(aws.records.phases("d-new")) == []


@pytest.mark.parametrize(("approval", "following"), [("none", "shift_traffic"), ("required", "await_approval")])
def test_an_approval_that_is_asked_for_is_waited_for_although_nothing_changed(approval: str, following: str) -> None:
    until = registry.DEPLOY[: registry.DEPLOY.index("await_approval")]
    unchanged = dict.fromkeys(until, SKIPPED["prepare_secret"])
    asking = request(unchanged=unchanged, options=Options(approval=approval))  # type: ignore[arg-type]
    assert skip_unchanged.run(asking, world().as_aws()).next == following


def test_a_step_beside_the_phases_has_the_number_0() -> None:
    aws = world()
    before = registry.deploy_order(approval=False)
    unchanged = dict.fromkeys(before[: before.index("apply_settings")], SKIPPED["prepare_secret"])
    skip_unchanged.run(request(unchanged=unchanged), aws.as_aws())
    assert {record.name: record.number for record in aws.records.phases("d-new")}["shift_traffic"] == 0


def test_nothing_is_written_for_a_deployment_that_has_lost_its_lock() -> None:
    aws = FakeAws()
    hold(aws, Lock("d-other", "arn:other", 0))
    with pytest.raises(LockLost):
        skip_unchanged.run(request(unchanged=SKIPPED), aws.as_aws())
    assert list(aws.records.phases("d-new")) == []
    unlocked = replace(environment(), lock=None)
    with pytest.raises(LockLost):
        skip_unchanged.run(request(environment=unlocked, unchanged=SKIPPED), world().as_aws())
