"""Some hundred fuzzed inputs of fixed seeds; `make fuzz` runs 100,000 of new ones."""

from __future__ import annotations

import pytest

from tests.fuzz.run import Fuzzer


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_input_desyncs_hangs_or_breaks_the_local_door(seed: int) -> None:
    fuzzer = Fuzzer(seed)
    try:
        report = fuzzer.run(300, seconds=60.0)
    finally:
        fuzzer.close()
    assert report.failures == []
    assert report.inputs > 50
    assert {200, 400} <= set(report.answers)
