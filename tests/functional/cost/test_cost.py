"""What a rollout without load costs at list price: the ledger of a replay of a recorded rollout by the runner.

Counted: DynamoDB units by item sizes, calls. Taken from the record: each phase's seconds. Derived, and compared with a
second interpreter: state transitions. Estimated, since only an account shows them: calls of phases that wait for AWS,
and requests to other services.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, count
from pathlib import Path as File

import boto3
import pytest
from chalicelib.adapters import items
from chalicelib.adapters.records import DynamoRecords
from chalicelib.adapters.session import client
from chalicelib.costs.bill import Bill, Recorded, text
from chalicelib.costs.ledger import bill
from chalicelib.costs.prices import AS_OF
from chalicelib.domain.aws.usage import Usage
from chalicelib.domain.codec import encode_record
from chalicelib.domain.model import LEASE_S, Action, Deployment, DeploymentStatus, Lock, PhaseRecord
from chalicelib.domain.records import Ending
from chalicelib.engine import runner
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.engine.polling import next_poll_s
from chalicelib.ports import Aws

from tests.fakes import FakeAws, recorded
from tests.fakes.capacity import Meter, size, write_units
from tests.fakes.table import table_in_moto

RECORDED = "d-d9a445853aab1ddcfce3"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:proxyctl-rollout:d-new"
CONFIG = File(__file__).resolve().parents[3] / "controlplane" / ".chalice" / "config.json"
SECONDS_A_CALL = 0.7  # at least; a warm call of the embedded cloud takes 0.1 to 0.4
REGION = "eu-central-1"
# Of the whole rollout, by the phase that uses most of it; only an account shows them.
OTHERS = {
    "validate_errors": Usage(proxy_calls=250, proxy_s=50.0),
    "package_artifact": Usage(s3_writes=30, s3_reads=60, s3_bytes=4_000_000),
    "prepare_secret": Usage(secret_calls=60),
    "bake": Usage(metrics_read=80, cloudwatch_calls=60),
}
MOST_USD = 0.01


def _polls(seconds: float) -> int:
    """Calls while a phase waits so long for the same thing."""
    pauses = accumulate(next_poll_s(number) for number in count())
    return next(number for number, waited in enumerate(pauses, 1) if waited >= seconds)


# Calls in an account, where the embedded cloud's seconds say nothing: a stack of 26 resources takes two minutes,
# notifications and log lines take 3 s and 10 s, a function's update 2 s; two steps of a minute, a bake of five.
CALLS_ON_AWS = {
    "deploy_stack": 2 + _polls(120),
    "configure_monitoring": 3 + _polls(3) + _polls(10),
    "release_code": 1 + _polls(2),
    "shift_traffic": 3,
    "bake": 11,
    "verify_idempotency": 3 + 2 * _polls(2),
    "clean_up": 1 + _polls(2),
}


@dataclass
class ReplayMeter:
    """What each call uses until it is recorded: DynamoDB's units as they are counted, and what the replay says."""

    units: Meter
    call: Usage = field(default_factory=Usage)
    written: int = 0
    read_before: float = 0.0

    def begin(self) -> None:
        self.written, self.read_before = self.units.written, self.units.read

    def read(self) -> Usage:
        counted = Usage(
            calls=1, write_units=self.units.written - self.written, read_units=self.units.read - self.read_before
        )
        return counted.plus(self.call)


@dataclass
class Rollout:
    """The recorded environment, and a deployment that goes through the recorded phases again."""

    aws: FakeAws
    phases: list[PhaseRecord]
    meter: Meter

    def run(self, calls: Mapping[str, int]) -> None:
        deployment = self._deployment()
        now = datetime.fromisoformat(deployment.created_at)
        self.aws.records.start(deployment, Lock(deployment.id, "", now.timestamp() + LEASE_S), None, None)
        replay = ReplayMeter(self.meter)
        self.aws.meter = replay  # type: ignore[assignment]
        for phase in self.phases:
            last = calls.get(phase.name, phase.polls)
            seconds = max(_seconds(phase), last * SECONDS_A_CALL) / last
            for number in range(1, last + 1):
                now += timedelta(seconds=1)
                others = OTHERS.get(phase.name, Usage()) if number == 1 else Usage()
                replay.call = others.plus(Usage(gb_s=seconds * _memory_gb(phase.name)))
                self._call(phase, number == last, now)

    def bill(self) -> Bill:
        """What the records say that it cost."""
        recorded = self.aws.records.deployment("d-new"), self.aws.records.phases("d-new")
        return bill(*recorded, REGION, AS_OF)

    def _deployment(self) -> Deployment:
        before = self.aws.records.deployment(RECORDED)
        return dataclasses.replace(
            before,
            id="d-new",
            action=Action.DEPLOY,
            status=DeploymentStatus.PENDING,
            created_at="2026-11-26T12:00:00.000+00:00",
            execution_arn=EXECUTION,
            ended_at=None,
        )

    def _call(self, phase: PhaseRecord, is_last: bool, now: datetime) -> None:
        event = {
            "deployment_id": "d-new",
            "environment": "shop",
            "action": "deploy",
            "execution_arn": EXECUTION,
        }

        def run(request: Request, aws: Aws) -> Result[object]:
            if phase.name == "record_outcome":
                aws.records.end(aws.records.deployment("d-new"), _ending(request, aws))
            if is_last:
                return Result.done(phase.summary, phase.evidence)
            return request.wait("waits", step="AWS", cursor={"position": "x" * 80}, evidence=None)

        fingerprint: Callable[[Request, Aws], str] | None = None
        if phase.name in self.aws.records.environment("shop").applied:
            fingerprint = lambda _request, _aws: f"{now}"  # noqa: E731
        runner.run(
            phase.name,
            event,
            self.aws.as_aws(),
            lambda: now,
            load=lambda _: Definition(run, dict, dict, fingerprint),
            sleep=lambda _seconds: None,
        )


def _ending(request: Request, aws: Aws) -> Ending:
    release = encode_record(request.environment.good[0])
    releases = [encode_record(each) for each in request.environment.good]
    changes = {"live": release, "last_good": release, "previous": release, "releases": releases, "status": "LIVE"}
    entry = dict(aws.records.history("shop", 1)[0])
    at = "2026-11-26T12:30:00.000+00:00"
    return Ending(at, EXECUTION, {"status": "SUCCEEDED", "ended_at": at}, changes, entry)


def _seconds(phase: PhaseRecord) -> float:
    begin, end = (datetime.fromisoformat(str(at)) for at in (phase.started_at, phase.ended_at))
    return (end - begin).total_seconds()


def _memory_gb(phase: str) -> float:
    functions = json.loads(CONFIG.read_text())["stages"]["api"]["lambda_functions"]
    name = "".join(part.capitalize() for part in phase.split("_"))
    return float(functions[name]["lambda_memory_size"]) / 1_024


@pytest.fixture
def rollout(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rollout]:
    with table_in_moto(monkeypatch):
        table = recorded.table()
        for item in table:
            boto3.client("dynamodb").put_item(TableName="proxyctl", Item=item)
        aws = FakeAws()
        aws.records = DynamoRecords("proxyctl")  # type: ignore[assignment]
        written = map(items.to_phase, recorded.of_kind(table, f"DEPLOYMENT#{RECORDED}", "PHASE#"))
        phases = sorted(
            (phase for phase in written if phase.name != "load_test"), key=lambda each: str(each.started_at)
        )
        yield Rollout(aws, phases, Meter(client("dynamodb")))


@pytest.mark.long  # 40 s of moto; in `make test` the ledger of an end-to-end rollout is held to the same bound
def test_a_rollout_without_load_costs_a_cent_at_most(rollout: Rollout) -> None:
    calls = {phase.name: CALLS_ON_AWS.get(phase.name, phase.polls) for phase in rollout.phases}
    with rollout.meter.counting() as meter:
        rollout.run(calls)
    ledger = rollout.bill()
    print(f"\nprices of {ledger.prices_of}, {ledger.region}: a rollout without load costs ${ledger.usd:.4f}")
    print("\n".join(text(ledger.lines)))
    print(f"  write units by item: {meter.by_kind}")
    assert ledger.recorded is Recorded.RECORDED
    assert ledger.usd is not None
    assert ledger.usd <= MOST_USD
    assert rollout.aws.records.environment("shop").lock is None
    # What a call cannot count of itself is estimated: together with it the ledger has all units.
    written = sum(each.amount for each in ledger.lines if each.unit == "write units")
    assert written == pytest.approx(meter.written, rel=0.15)


def test_a_call_that_waits_writes_ten_units_at_most(rollout: Rollout) -> None:
    """Two records of the phase and three renewals of the lease, whatever the environment's record has grown to."""
    phase = next(each for each in rollout.phases if each.name == "bake")
    rollout.phases = []
    rollout.run({})
    now = datetime.fromisoformat("2026-11-26T12:00:01.000+00:00")
    rollout._call(phase, is_last=False, now=now)
    with rollout.meter.counting() as meter:
        rollout._call(phase, is_last=False, now=now)
    assert set(meter.by_kind) == {"LOCK", "PHASE"}
    assert meter.written <= 10


def test_units_by_the_rules_of_the_developer_guide() -> None:
    small, large = {"pk": {"S": "x" * 1_000}}, {"pk": {"S": "x" * 1_023}}
    assert (size(small), size(large)) == (1_002, 1_025)
    assert write_units({}, small, factor=1) == 1
    assert write_units(small, large, factor=1) == 2
    assert write_units(large, {}, factor=2) == 4
    listed = {"pk": {"S": "a"}, "listed_all": {"S": "ALL"}, "at": {"S": "1"}}
    assert write_units({}, listed, factor=2) == 3
    assert write_units(listed, listed, factor=2) == 2
    assert write_units(listed, {**listed, "at": {"S": "2"}}, factor=1) == 3
    assert write_units(listed, {**listed, "more": {"N": "12"}}, factor=1) == 2
