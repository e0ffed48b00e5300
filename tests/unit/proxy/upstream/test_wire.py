"""A limit that the kernel keeps: whole seconds and microseconds, as setsockopt takes them."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.wire import timeval


@given(st.floats(0, 900, allow_nan=False))
def test_any_limit_has_less_than_a_million_microseconds_beside_its_seconds(seconds: float) -> None:
    whole, micros = struct.unpack("@ll", timeval(seconds))
    assert 0 <= micros < 1_000_000
    assert seconds < whole + micros / 1e6 <= seconds + 2e-6


@pytest.mark.parametrize("seconds", [0.0, 0.9999995, 9.9999999, 599.9999991])
def test_the_kernel_takes_it(seconds: float) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(seconds))
