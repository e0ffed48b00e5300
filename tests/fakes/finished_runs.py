"""Deployments that have ended, with the evidence that the phases would have left: for the report, and for its look."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.checks.comparison.side_by_side import Sides, compare
from chalicelib.domain.codec import encode
from chalicelib.domain.config import AlarmThresholds, Config, Throttle
from chalicelib.domain.evidence.artifact import ArtifactEvidence
from chalicelib.domain.evidence.checks import CheckRow, EndpointsEvidence, ErrorsEvidence, Expectation
from chalicelib.domain.evidence.load import LoadEvidence, SizeRow, SloRow, Tuning
from chalicelib.domain.evidence.release import (
    BakeEvidence,
    Judgement,
    ReleaseEvidence,
    RollBackEvidence,
    ShiftEvidence,
)
from chalicelib.domain.evidence.secret import SecretEvidence
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import (
    Action,
    Applied,
    Deployment,
    DeploymentStatus,
    Environment,
    FinishedRun,
    PhaseRecord,
    PhaseStatus,
    Release,
)
from chalicelib.domain.options import Options
from chalicelib.engine.phase import OfPhase
from chalicelib.engine.registry import number_of
from chalicelib.load import curves, shard
from chalicelib.load.histogram import percentiles
from chalicelib.load.recorder import Recorder

BEGAN = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
SECONDS, RATE = 30, 30
LINKS = {"base_url": "https://abc.execute-api.eu-central-1.amazonaws.com/api/v1", "dashboard": "https://example/x"}


def at(seconds: float) -> str:
    """ISO 8601, so many seconds after the deployment began."""
    return (BEGAN + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def driven(seed: int, slower: float = 1.0, failing: float = 0.0) -> shard.Summary:
    """Thirty seconds of load. failing: share of the requests that fail from second 12 on."""
    chance, recorder = random.Random(seed), Recorder(0.0)
    for number in range(SECONDS * RATE):
        due = number / RATE
        took = slower * chance.lognormvariate(3.2, 0.35) / 1_000
        recorder.due += 1
        if due >= 12 and chance.random() < failing:
            recorder.failed(chance.choice(["http_500", "http_500", "http_502", "timeout"]), due, due + took)
            continue
        recorder.answered(due, due + 0.001, due + took)
        recorder.compare("total", due, took)
    return shard.combine([shard.encode(recorder, started_at=0.0)])


def _phase(began: float, took: float, evidence: OfPhase, summary: str, status: str = "SUCCEEDED") -> PhaseRecord:
    name = evidence.PHASE
    recorded = encode(evidence)
    return PhaseRecord(
        number_of(name), name, PhaseStatus(status), at(began), at(began + took), summary, recorded, polls=1
    )


def _load(candidate: shard.Summary, live: shard.Summary) -> LoadEvidence:
    return LoadEvidence(
        version="8",
        verdict="PASSED",
        slos=(
            SloRow("p99_ms", "PASSED", 2000, 58.3, (51.2, 70.4)),
            SloRow("error_rate", "FAILED" if candidate.failed else "PASSED", 0.01, candidate.error_rate, (0.0, 0.004)),
            SloRow("cold_start_ms", "PASSED", 5000, 412.0, (380.1, 412.0)),
        ),
        due=candidate.due,
        sent=candidate.sent,
        good=candidate.good,
        errors=dict(candidate.errors),
        rps=round(candidate.good / SECONDS, 2),
        response_ms=percentiles(candidate.response),
        service_ms=percentiles(candidate.service),
        own_ms=percentiles(candidate.response),
        split_ms={name: percentiles(candidate.response) for name in ("gateway", "proxy", "upstream")},
        cold_starts_ms=(380.1, 412.0, 399.5),
        compared_with="version 7, in the same seconds",
        estimated_usd=0.0123,
        usd_per_million=4.81,
        shards="load/d-2/",
        curves="reports/d-2/curves.json",
        tuning=Tuning(
            512,
            1024,
            (
                SizeRow(256, 61.0, 80.0, 600, 90, 3.61),
                SizeRow(512, 31.0, 44.0, 410, 90, 3.55),
                SizeRow(1024, 18.0, 22.0, 300, 90, 3.9),
            ),
        ),
        comparisons=compare(Sides(candidate, live, 2), Options().slo),
    )


def _checks(broken: bool) -> tuple[CheckRow, ...]:
    met = (
        Expectation("status is 200", "200", True),
        Expectation("json.object is chat.completion", "'chat.completion'", True),
    )
    failed = (Expectation("status is 200", "502", False), Expectation("json.object is chat.completion", "None", False))
    rows = [CheckRow(name, "PASSED", 12.5, expectations=met) for name in ("health", "models", "chat", "embeddings")]
    whole = (Expectation("json.secret.version_id is there", repr("3f" * 32), True),)  # as wide as a value gets
    rows.append(CheckRow("json_health", "PASSED", 1_050.0, expectations=whole))
    rows.append(CheckRow("cors", "NOT RUN", reason="cors_origins is not set in the secret"))
    if broken:
        reason = "status is 502 (upstream 127.0.0.1:9 <refused> the connection)"
        rows[2] = CheckRow("chat", "FAILED", 33.0, reason, ("status is 200",), "req-42", failed)
    return tuple(rows)


def _environment() -> Environment:
    good = Release(
        "7", "d-1", "2026-11-20T08:00:00.000+00:00", "1f" * 32, encode(Config(memory_mb=256)), "5c1d0e9a-old-version"
    )
    record = LoadEvidence(usd_per_million=4.6)
    applied = {"load_test": Applied("f", "d-1", "2026-11-20T08:00:00+00:00", encode(record))}
    return Environment("prod", "LIVE", live=good, last_good=good, applied=applied)


def _deployment(**other: Any) -> Deployment:
    config = Config(memory_mb=512, throttle=Throttle(80, 160), alarms=AlarmThresholds(error_rate=0.02))
    options = Options(reason="Larger memory: p99 was 20 % above last week's <b>", approval="required")
    given: dict[str, Any] = {
        "id": "d-2",
        "environment": "prod",
        "action": Action.DEPLOY,
        "status": DeploymentStatus.RUNNING,
        "config": config,
        "options": options,
        "created_at": at(-2),
        "caller": "arn:aws:sts::123456789012:assumed-role/deployers/ada",
        "approval": {"by": "arn:aws:sts::123456789012:assumed-role/owners/grace", "at": at(70)},
    }
    return Deployment(**given | other)


CHECKED = {
    True: ("1 of 5 endpoint checks failed", "FAILED"),
    False: ("4 of 5 endpoint checks passed; NOT RUN: cors", "SUCCEEDED"),
}


def _before_the_shift(broken: bool = False) -> list[PhaseRecord]:
    stack = StackEvidence(
        changes=("Modify Api (AWS::ApiGateway::RestApi)", "Add Deployment2 (AWS::ApiGateway::Deployment)")
    )
    release = ReleaseEvidence("8", True, "c2hh", "ab" * 32)
    secret = SecretEvidence(version_id="9e2b77aa-new-version", replaces="5c1d0e9a-old-version")
    return [
        _phase(1, 4, secret, "The execution role reads version 9e2b77aa, a stranger does not"),
        _phase(5, 6, ArtifactEvidence(digest="ab" * 32), "Reproducible: 162 files, 1.4 MB"),
        _phase(11, 14, stack, "2 changes applied"),
        _phase(25, 5, release, "Version 8 is published and answers as candidate"),
        _phase(30, 3, EndpointsEvidence("8", checks=_checks(broken)), *CHECKED[broken]),
    ]


def rolled() -> tuple[FinishedRun, curves.Curves]:
    """A release that passed, with all that a report can show."""
    candidate, live = driven(1), driven(2)
    load = _load(candidate, live)
    counts = {"candidateinvocations": 90, "candidateerrors": 0, "liveinvocations": 810, "liveerrors": 1}
    verdicts = ("UNDECIDED", "NOT_WORSE", "NOT RUN: all traffic goes to the candidate")
    judgements = tuple(
        Judgement(share, "quiet", verdict, 1.0, counts, at(seconds))
        for share, verdict, seconds in zip((10, 50, 100), verdicts, (150, 210, 270), strict=True)
    )
    shift = ShiftEvidence(
        "7",
        "8",
        100,
        (10, 50, 100),
        judgements,
        "yes",
        load.comparisons,
        secret_version="9e2b77aa-new-version",
        secret_from="5c1d0e9a-old-version",
        weights=((at(90), 10), (at(150), 50), (at(210), 100)),
    )
    bake = BakeEvidence({"proxyctl-prod-errors": "OK", "proxyctl-prod-duration": "OK"}, 7, 300)
    phases = [
        *_before_the_shift(),
        _phase(33, 5, ErrorsEvidence("8", checks=_checks(False)), "4 of 5 error checks passed"),
        _phase(38, 34, load, "Version 8 meets its SLOs at 30 requests a second"),
        _phase(90, 180, shift, "Moved all traffic from version 7 to 8 in 3 steps"),
        _phase(270, 300, bake, "7 alarms stayed quiet for 300 s (read 7 times)"),
    ]
    run = FinishedRun(
        _deployment(),
        _environment(),
        tuple(phases),
        DeploymentStatus.SUCCEEDED,
        "Version 8 serves all traffic",
        None,
        "",
        at(572),
    )
    return run, curves.curves_of(candidate, live)


def refused() -> tuple[FinishedRun, None]:
    """A release whose candidate failed a check, before anybody was served by it."""
    error = {
        "code": "CheckFailed",
        "message": "1 of 5 endpoint checks failed on version 8: chat: status is 502",
        "remedy": "Look for request req-42 in the proxy's log.",
    }
    summary = f"Deploy failed in validate_endpoints: {error['message']}. Users: still on version 7, healthy"
    run = FinishedRun(
        _deployment(approval={}),
        _environment(),
        tuple(_before_the_shift(broken=True)),
        DeploymentStatus.FAILED,
        summary,
        error,
        "still on version 7, healthy",
        at(41),
    )
    return run, None


def taken_back() -> tuple[FinishedRun, curves.Curves]:
    """A release that failed more often than live at the first step, and went back."""
    candidate, live = driven(1, failing=0.12), driven(2)
    load = _load(candidate, live)
    shift = ShiftEvidence("7", "8", 10, comparisons=load.comparisons, weights=((at(90), 10),))
    error = {"code": "CanaryWorse", "message": "version 8 is worse than live", "remedy": "Look at the function's log."}
    failed = replace(_phase(90, 60, shift, error["message"], "FAILED"), error=error)
    back = RollBackEvidence("7", {"live": "8", "candidate": "8"}, "d-1", at(-500_000))
    phases = [*_before_the_shift(), _phase(38, 34, load, "Version 8 meets its SLOs"), failed]
    phases.append(_phase(151, 2, back, "Users are back on version 7"))
    summary = "Deploy failed in shift_traffic: version 8 is worse than live. Users are back on version 7"
    run = FinishedRun(
        _deployment(),
        _environment(),
        tuple(phases),
        DeploymentStatus.ROLLED_BACK,
        summary,
        error,
        "back on version 7, healthy",
        at(155),
    )
    return run, curves.curves_of(candidate, live)


RUNS: Sequence[Any] = (rolled, refused, taken_back)
