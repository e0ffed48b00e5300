"""The pauses between polls grow, and stop growing at 13 seconds."""

from __future__ import annotations

from chalicelib.engine.polling import next_poll_s


def test_the_pauses_are_these() -> None:
    assert [next_poll_s(polls) for polls in range(9)] == [1, 1, 2, 3, 5, 8, 13, 13, 13]
