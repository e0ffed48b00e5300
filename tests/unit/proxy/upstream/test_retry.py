"""When an attempt is made again."""

import pytest

from proxy.upstream import retry

NOW = 1_700_000_000.0


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_openais_sdks_retry_is_retryable(status: int) -> None:
    assert retry.is_retryable(status, "")
    assert not retry.is_retryable(status, "false")


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 413, 422])
def test_all_else_is_not_unless_the_upstream_says_so(status: int) -> None:
    assert not retry.is_retryable(status, "")
    assert retry.is_retryable(status, "true")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT"}, 10.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 01 Jan 2024 99999999999999999999:00:00 GMT"}, None),
        ({"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
        ({"retry-after": "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "-1"}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry.retry_after_s(headers.get, NOW) == seconds


def test_backoff_doubles_to_a_limit_and_jitter_only_shortens_it() -> None:
    assert [retry.backoff_s(attempt, 0.0) for attempt in (1, 2, 3, 9)] == [0.25, 0.5, 1.0, 4.0]
    assert retry.backoff_s(2, 0.999) > 0.37


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("wanted", [0.0, 0.5, 8.0])
def test_no_retry_comes_before_the_time_asked_for(wanted: float, chance: float) -> None:
    wait = retry.wait_s(1, wanted, chance, 60.0)
    assert wait is not None
    assert wanted < wait < wanted * 1.06 + 0.011


def test_a_wait_that_leaves_no_time_for_the_attempt_is_not_begun() -> None:
    assert retry.wait_s(1, None, 0.0, 0.25) is None
    assert retry.wait_s(1, 3.0, 0.0, 3.0) is None


def test_a_long_retry_after_is_left_to_the_caller() -> None:
    assert retry.wait_s(1, retry.MAX_RETRY_AFTER_S + 0.1, 0.0, 600.0) is None
