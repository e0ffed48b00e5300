"""The report's curves hold every answer and every failure of the run, at a size that a Lambda reads at once."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from chalicelib.domain.codec import decode, encode
from chalicelib.load import shard
from chalicelib.load.curves import Curves, curves_of
from chalicelib.load.recorder import Recorder
from chalicelib.load.shard import Summary
from hypothesis import given, settings
from hypothesis import strategies as st

requests = st.tuples(
    st.integers(0, 400), st.integers(1, 30_000_000), st.sampled_from(["good", "good", "http_500", "timeout", "connect"])
)


def run_of(sent: list[tuple[int, int, str]]) -> Summary:
    """sent: (second, microseconds, `good` or the kind of failure)."""
    recorder = Recorder(0.0)
    for second, us, kind in sent:
        recorder.due += 1
        if kind == "good":
            recorder.answered(second, second, second + us / 1e6)
        else:
            recorder.failed(kind, second, second + us / 1e6)
    return shard.combine([shard.encode(recorder, started_at=0.0)])


@settings(max_examples=30)
@given(st.lists(requests, max_size=60), st.lists(requests, max_size=60))
def test_nothing_is_lost_and_both_sides_share_bins_and_windows(
    ours: list[tuple[int, int, str]], theirs: list[tuple[int, int, str]]
) -> None:
    candidate, live = run_of(ours), run_of(theirs)
    curves = curves_of(candidate, live)
    assert curves.live is not None
    for summary, side, sent in ((candidate, curves.candidate, ours), (live, curves.live, theirs)):
        assert sum(side.counts) == summary.response.total
        assert sum(window.good for window in side.windows) == sum(kind == "good" for *_, kind in sent)
        kinds = [kind for *_, kind in sent if kind != "good"]
        failed = [kind for window in side.windows for kind, count in window.failed.items() for _ in range(count)]
        assert sorted(failed) == sorted(kinds)
        assert len(side.windows) <= 60
        assert [shares for shares in pairwise(side.percentiles) if shares[0][1] > shares[1][1]] == []
    assert list(curves.edges_ms) == sorted(curves.edges_ms)
    assert decode(Curves, json.loads(json.dumps(encode(curves)))) == curves


def test_a_percentile_needs_as_many_samples_as_it_resolves() -> None:
    """p99 of 99 answers is not drawn, p99 of 100 is."""
    for count, drawn in ((99, False), (100, True)):
        shares = [share for share, _ in curves_of(run_of([(0, 1_000, "good")] * count), None).candidate.percentiles]
        assert (0.99 in shares) is drawn


@pytest.mark.parametrize(("seconds", "window_s"), [(59, 1), (60, 2), (3_599, 60)])
def test_a_long_run_is_drawn_in_at_most_sixty_windows(seconds: int, window_s: int) -> None:
    curves = curves_of(run_of([(0, 1_000, "good"), (seconds, 1_000, "good")]), None)
    assert curves.window_s == window_s
    assert len(curves.candidate.windows) <= 60
    assert curves.live is None


def test_an_older_shard_that_does_not_say_which_kind_failed_still_counts() -> None:
    recorder = Recorder(0.0)
    recorder.failed("http_500", 3.0, 3.1)
    recorder.failed_as.clear()
    curves = curves_of(shard.combine([shard.encode(recorder, started_at=0.0)]), None)
    assert [dict(window.failed) for window in curves.candidate.windows] == [{}, {}, {}, {"failed": 1}]


def test_a_later_slice_keeps_its_failures_at_their_seconds() -> None:
    recorder = Recorder(0.0)
    recorder.failed("http_500", 3.0, 3.1)
    moved = shard.combine([shard.shifted(shard.encode(recorder, started_at=0.0), 60)])
    assert moved.failed_as == {"http_500": {63: 1}}
    assert moved.failures == {63: 1}
