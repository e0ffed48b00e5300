"""What workers hand over, and how it becomes one run."""

from __future__ import annotations

import json
import random

import pytest
from chalicelib.load import shard
from chalicelib.load.histogram import Histogram
from chalicelib.load.recorder import Recorder


def recorded(seed: int, count: int = 200, start: float = 100.0) -> tuple[Recorder, list[int]]:
    """A recorder over three seconds, and the response times (us) that it was given."""
    chance, recorder, samples = random.Random(seed), Recorder(start), []
    for number in range(count):
        due = start + 3 * number / count
        us = int(chance.lognormvariate(9, 1))
        recorder.due += 1
        recorder.answered(due, due + 0.001, due + us / 1e6 + 1e-9)
        samples.append(us)
    return recorder, samples


def test_combined_shards_are_exactly_the_histogram_of_all_samples() -> None:
    runs = [recorded(seed) for seed in range(5)]
    summary = shard.combine(shard.encode(recorder, started_at=0.0) for recorder, _ in runs)
    truth = Histogram()
    for _, samples in runs:
        for us in samples:
            truth.record(us)
    assert summary.response == truth
    assert (summary.due, summary.good, summary.workers) == (1_000, 1_000, 5)
    assert sum(second.total for second in summary.by_second.values()) == 1_000
    assert list(summary.by_second) == [0, 1, 2]


def test_errors_of_a_kind_are_added_over_workers() -> None:
    shards = []
    for kinds in (["http_500", "timeout"], ["http_500"]):
        recorder = Recorder(100.0)
        for kind in kinds:
            recorder.failed(kind, 100.0, 101.0)
        shards.append(shard.encode(recorder, started_at=0.0))
    summary = shard.combine(shards)
    assert summary.errors == {"http_500": 2, "timeout": 1}
    assert (summary.failed, summary.error_rate) == (3, 1.0)


def test_a_timeout_counts_among_the_response_times_and_a_quick_error_does_not() -> None:
    recorder = Recorder(100.0)
    recorder.failed("timeout", 100.0, 130.0)
    recorder.failed("http_503", 100.0, 100.001)
    response = shard.combine([shard.encode(recorder, started_at=0.0)]).response
    assert response.total == 1
    assert response.maximum() == pytest.approx(30_000_000, rel=0.01)


def test_start_skew_is_between_the_first_and_the_last_worker() -> None:
    shards = [shard.encode(Recorder(), started_at=at) for at in (1_000.0, 1_000.25, 1_000.1)]
    assert shard.combine(shards).start_skew_ms == pytest.approx(250)


def test_one_stopped_worker_makes_a_stopped_run() -> None:
    shards = [shard.encode(Recorder(), started_at=0.0, stopped=stopped) for stopped in (False, True)]
    assert shard.combine(shards).stopped


def test_a_later_slice_keeps_its_place_in_the_run() -> None:
    first, second = (shard.encode(recorded(seed)[0], started_at=0.0) for seed in (1, 2))
    summary = shard.combine([first, shard.shifted(second, 60)])
    assert list(summary.by_second) == [0, 1, 2, 60, 61, 62]
    assert summary.response.total == 400


def test_kept_seconds_come_back_as_they_were() -> None:
    summary = shard.combine([shard.encode(recorded(3)[0], started_at=0.0)])
    assert shard.decode_seconds(shard.encode_seconds(summary)) == summary.by_second


def test_seconds_that_an_earlier_version_stored_are_read() -> None:
    """A baseline may be older than this control plane: its head had `blobs` alone. A newer one's may have more."""
    histogram = Histogram()
    histogram.record(1_000)
    blob = histogram.encode()
    for head in ({}, {"of_a_later_version": 1}):
        text = json.dumps({**head, "blobs": {"response/12": len(blob)}}).encode()
        assert shard.decode_seconds(len(text).to_bytes(4, "big") + text + blob) == {12: histogram}


@pytest.mark.parametrize("broken", [b"", b"\x00\x00\x00\x05nope!", b"\x00\x00\x00\x02{}"])
def test_what_is_no_shard_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="not a shard"):
        shard.combine([broken])


def test_no_shards_are_no_run() -> None:
    with pytest.raises(ValueError, match="no shard"):
        shard.combine([])
