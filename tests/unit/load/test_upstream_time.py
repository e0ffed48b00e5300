"""What a release is compared by leaves out the time that the upstream took itself, as the proxy reports it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from chalicelib.load.recorder import Recorder
from chalicelib.load.split import note
from chalicelib.load.wire import Wire


class Compared:
    """A recorder that keeps each time by its series, in seconds."""

    def __init__(self) -> None:
        self.series: dict[str, float] = {}
        self.parts: dict[str, float] = {}

    def part(self, name: str, seconds: float) -> None:
        self.parts[name] = seconds

    def compare(self, name: str, due: float, seconds: float) -> None:
        self.series[name] = seconds


def noted(headers: bytes, *, events: int = 0) -> dict[str, float]:
    """The series of an answer that was due at 10.0, began at 10.4 and ended at 12.0."""
    head = b"HTTP/1.1 200 OK\r\n" + headers + b"content-length: 2\r\n\r\nok"
    wire = SimpleNamespace(head=bytearray(head), due=10.0, sent=10.1, first=10.4, end=12.0, events=events)
    compared = Compared()
    note(cast(Recorder, compared), cast(Wire, wire))
    return compared.series


def test_the_total_is_without_the_upstreams_time() -> None:
    """A model that thinks for 1.5 s is no slow release."""
    series = noted(b"x-proxy-overhead-ms: 2.0\r\nx-proxy-upstream-ms: 1500.0\r\n")
    assert series == {"overhead": pytest.approx(0.002), "total": pytest.approx(0.5)}


def test_a_streams_first_byte_is_without_it_too() -> None:
    series = noted(b"x-proxy-overhead-ms: 2.0\r\nx-proxy-upstream-ms: 300.0\r\n", events=4)
    assert series == {"overhead": pytest.approx(0.002), "first_byte": pytest.approx(0.1)}


def test_without_the_proxys_header_the_whole_time_counts() -> None:
    assert noted(b"") == {"total": pytest.approx(2.0)}


def test_an_upstream_that_claims_more_than_the_whole_leaves_nothing() -> None:
    assert noted(b"x-proxy-upstream-ms: 9000.0\r\n") == {"total": 0.0}
