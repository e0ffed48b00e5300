"""Limits that the kernel keeps."""

from __future__ import annotations

import struct

import pytest

from proxy.upstream.wire import _timeval


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, (0, 1)),
        (1e-9, (0, 1)),
        (0.3, (0, 300_000)),
        (0.9999999, (0, 999_999)),
        (1.0, (1, 0)),
        (899.5, (899, 500_000)),
    ],
)
def test_no_limit_is_zero_and_no_part_a_whole_second(seconds: float, expected: tuple[int, int]) -> None:
    """Zero would mean no limit, and the kernel refuses a million microseconds."""
    assert struct.unpack("@ll", _timeval(seconds)) == expected
