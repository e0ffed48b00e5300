"""What a rollout cost, from the units that its phases recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from chalicelib.costs.bill import Basis, Bill, Recorded
from chalicelib.costs.ledger import bill, region_of
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.aws.usage import Usage
from chalicelib.domain.codec import encode
from chalicelib.domain.config import Config
from chalicelib.domain.evidence.comparison import Compared
from chalicelib.domain.evidence.load import LoadEvidence, Percentiles
from chalicelib.domain.model import Action, Deployment, DeploymentStatus, PhaseRecord, PhaseStatus
from chalicelib.domain.options import Options

TODAY = date(2026, 11, 27)
DEPLOYMENT = Deployment(
    "d-1", "dev", Action.DEPLOY, DeploymentStatus.SUCCEEDED, Config(memory_mb=512), Options(), "2026-11-27T00:00:00Z"
)


CALLED = Usage(calls=1)


def record(name: str = "preflight", usage: Usage | None = CALLED, polls: int = 1, **other: Any) -> PhaseRecord:
    status = other.pop("status", PhaseStatus.SUCCEEDED)
    return PhaseRecord(1, name, status, polls=polls, usage=usage, **other)


def cost(*records: PhaseRecord, region: str = "us-east-1", deployment: Deployment = DEPLOYMENT) -> Bill:
    return bill(deployment, records, region, TODAY)


def usd(of: Bill, what: str) -> float:
    return sum(each.usd for each in of.lines if each.what == what)


@pytest.mark.parametrize(
    ("usage", "what", "expected"),
    [
        (Usage(calls=1, gb_s=1_000), "Lambdas", 0.0133334),
        (Usage(calls=1_000_000), "calls of Lambdas", 0.20),
        (Usage(calls=1, write_units=1_000_000), "records, written", 0.625),
        (Usage(calls=1, read_units=1_000_000), "records, read", 0.125),
        (Usage(calls=1, s3_writes=1_000), "artifacts and documents, written", 0.005),
        (Usage(calls=1, s3_reads=1_000), "artifacts and documents, read", 0.0004),
        (Usage(calls=1, s3_bytes=10**9), "artifacts and documents, the first month", 0.023),
        (Usage(calls=1, secret_calls=10_000), "secret, calls", 0.05),
        (Usage(calls=1, metrics_read=1_000), "metrics, read", 0.01),
        (Usage(calls=1, cloudwatch_calls=1_000), "alarms and dashboard, calls", 0.01),
        (Usage(calls=1, messages=1_000_000), "notifications and events", 1.0),
        (Usage(calls=1, proxy_calls=1_000_000), "checks through API Gateway", 3.5),
        (Usage(calls=1, proxy_calls=500_000, proxy_invokes=500_000), "checks: calls of the proxy", 0.2),
        (Usage(calls=1, proxy_s=2_000), "checks: time of the proxy", 0.0133334),
    ],
)
def test_each_unit_has_its_list_price(usage: Usage, what: str, expected: float) -> None:
    assert usd(cost(record(usage=usage)), what) == pytest.approx(expected)


def test_lines_say_how_their_units_are_known_and_add_up_to_the_whole() -> None:
    whole = cost(record(usage=Usage(calls=1, gb_s=3)))
    bases = {each.what: each.basis for each in whole.lines}
    assert (bases["Lambdas"], bases["state machine"], bases["logs"]) == (
        Basis.MEASURED,
        Basis.DERIVED,
        Basis.ESTIMATED,
    )
    assert whole.usd == pytest.approx(sum(each.usd for each in whole.lines), abs=1e-6)
    assert (whole.recorded, whole.region, whole.prices_of) == (Recorded.RECORDED, "us-east-1", "2026-11")


def test_a_record_of_an_earlier_version_has_no_figure_instead_of_zero() -> None:
    old = cost(record(usage=None))
    assert (old.recorded, old.usd, old.lines) == (Recorded.NOT, None, ())
    assert old.recorded == "not recorded"


def test_a_deployment_without_a_call_yet_has_no_figure() -> None:
    assert cost().usd is None


def test_phases_that_were_skipped_together_had_no_calls_and_make_nothing_partial() -> None:
    assert cost(record(), record("bake", None, polls=0, status=PhaseStatus.SKIPPED)).recorded is Recorded.RECORDED


def test_a_rollout_that_another_version_began_is_recorded_partly() -> None:
    assert cost(record(), record("bake", usage=None)).recorded is Recorded.PARTLY


@pytest.mark.parametrize(("polls", "recorded"), [(1, Recorded.RECORDED), (2, Recorded.PARTLY)])
def test_the_first_call_of_a_phase_has_no_units_while_it_runs(polls: int, recorded: Recorded) -> None:
    running = record("bake", None, polls, status=PhaseStatus.RUNNING)
    assert cost(record(), running).recorded is recorded


def test_a_call_that_died_is_taken_for_a_typical_one() -> None:
    whole = cost(record(usage=Usage(calls=2, gb_s=4), polls=3))
    assert usd(whole, "calls without a record: Lambdas") == pytest.approx(2 * 0.0000133334, rel=1e-4)
    assert [each.amount for each in whole.lines if each.what == "calls without a record"] == [1]


def test_each_phase_has_its_part_of_the_measured_units() -> None:
    parts = cost(record(usage=Usage(calls=1, gb_s=100)), record("bake", Usage(calls=1, gb_s=300))).by_phase
    assert parts["bake"] == pytest.approx(3 * parts["preflight"], rel=1e-3)


def test_a_region_without_prices_says_whose_they_are() -> None:
    there = cost(record(), region="mars-north-1")
    assert there.region == "us-east-1"
    assert "mars-north-1" in there.remarks[0]
    assert cost(record(), region="eu-central-1").remarks == ()


def load(status: PhaseStatus = PhaseStatus.SUCCEEDED, **evidence: Any) -> PhaseRecord:
    measured = LoadEvidence(**{"sent": 1_000_000, "workers": 1, "service_ms": Percentiles(p50=200.0), **evidence})
    return record("load_test", Usage(calls=1), status=status, evidence=encode(measured))


def test_the_load_counts_by_its_requests_and_their_median_time() -> None:
    whole = cost(load())
    assert usd(whole, "load through API Gateway") == pytest.approx(3.5)
    assert usd(whole, "load: calls of the proxy") == pytest.approx(0.2)
    assert usd(whole, "load: time of the proxy") == pytest.approx(200_000 * 0.5 * 0.0000133334)


def test_a_load_that_drove_live_too_counts_twice() -> None:
    assert usd(cost(load(comparisons=(Compared("errors"),))), "load through API Gateway") == pytest.approx(7.0)


def test_a_skipped_load_test_shows_the_evidence_of_another_deployment() -> None:
    assert usd(cost(load(PhaseStatus.SKIPPED)), "load through API Gateway") == 0


def test_workers_are_lambdas_of_a_gigabyte_for_as_long_as_the_load() -> None:
    seconds = DEPLOYMENT.options.load.duration_s + 5
    whole = cost(load(workers=4))
    assert usd(whole, "load: workers") == pytest.approx(4 * seconds * 0.0000133334)
    assert usd(cost(load(workers=1)), "load: workers") == 0


def test_a_larger_proxy_costs_more() -> None:
    large = replace(DEPLOYMENT, config=Config(memory_mb=1_024))
    small, big = cost(load()), cost(load(), deployment=large)
    assert usd(big, "load: time of the proxy") == pytest.approx(2 * usd(small, "load: time of the proxy"))


def test_an_environment_in_a_target_has_the_prices_of_its_region() -> None:
    role = "arn:aws:iam::123456789012:role/proxyctl-target-us-east-2"
    assert region_of(Config(target=Target(role, "external", "us-east-2")), "eu-central-1") == "us-east-2"
    assert region_of(Config(), "eu-central-1") == "eu-central-1"
