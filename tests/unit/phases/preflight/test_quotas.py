"""Which quotas a deployment needs: each limit itself is enough."""

from __future__ import annotations

import pytest
from chalicelib.domain.aws.functions import ConcurrencyLimits
from chalicelib.domain.aws.gateway import GatewayAccount
from chalicelib.domain.config import Throttle
from chalicelib.domain.options import Load
from chalicelib.phases.preflight import quotas


@pytest.mark.parametrize(
    ("load", "unreserved", "enough"),
    [
        (Load(rps=100, workers=1), 403, True),  # 100 a second x 2 s x 2 to spare, one worker, two of our own
        (Load(rps=100, workers=1), 402, False),
        (Load(rps=100, workers=5), 407, True),
        (Load(rps=100, workers=5), 406, False),
        (Load(rps=0.1, workers=1), 3, True),
        (Load(rps=0.1, workers=1), 2, False),
        (Load(), 123, True),
        (Load(), 3, False),  # nothing that one could scale down to
    ],
)
def test_the_load_needs_rate_times_duration_twice_and_its_workers(load: Load, unreserved: int, enough: bool) -> None:
    findings = list(quotas.concurrency(ConcurrencyLimits(1_000, unreserved), load, None))
    assert (findings == []) is enough
    assert all(finding.blocks and finding.field == "options.load.rps" for finding in findings)


@pytest.mark.parametrize("unreserved", [4, 10, 50, 122])
def test_the_default_load_is_scaled_down_to_what_there_is_and_says_so(unreserved: int) -> None:
    """Issue 10, row f: a new account has ten concurrent executions; the default load needs 123."""
    (finding,) = quotas.concurrency(ConcurrencyLimits(unreserved, unreserved), Load(), None)
    assert not finding.blocks
    assert "scaled down from 30 requests a second" in finding.message
    assert f"{unreserved} concurrent executions are unreserved" in finding.message


@pytest.mark.parametrize(("reserve", "enough"), [(None, True), (0, True), (400, True), (401, False)])
def test_a_reservation_must_leave_a_hundred_executions_unreserved(reserve: int | None, enough: bool) -> None:
    findings = list(quotas.concurrency(ConcurrencyLimits(1_000, 500), Load(rps=1), reserve))
    assert (findings == []) is enough
    assert all(finding.blocks and finding.field == "config.reserved_concurrency" for finding in findings)
    assert all("401 would leave 99 of 1000 unreserved" in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("throttle", "within"),
    [(Throttle(50, 100), True), (Throttle(50.5, 100), False), (Throttle(50, 101), False)],
)
def test_a_throttle_above_the_accounts_is_a_warning(throttle: Throttle, within: bool) -> None:
    findings = list(quotas.throttle(GatewayAccount("role", 50, 100), throttle))
    assert (findings == []) is within
    assert not any(finding.blocks for finding in findings)


@pytest.mark.parametrize(
    ("mode", "timeout_s", "within"),
    [
        ("buffered", 29, True),
        ("buffered", 30, False),
        ("stream", 900, True),
        ("stream", 30, True),
        ("stream", 29, False),
    ],
)
def test_a_time_limit_that_does_not_fit_the_response_mode_is_a_warning(mode: str, timeout_s: int, within: bool) -> None:
    findings = list(quotas.time_limit(mode, timeout_s))
    assert (findings == []) is within
    assert not any(finding.blocks for finding in findings)
