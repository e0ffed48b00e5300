"""A target's ports count into the meter that the call began with."""

from __future__ import annotations

from chalicelib import wiring
from chalicelib.adapters.meter import CallMeter
from chalicelib.domain.aws.targets import Target

ROLE = "arn:aws:iam::210987654321:role/proxyctl-target-eu-west-1"


def test_the_meter_of_a_target_is_the_one_of_the_process() -> None:
    home = wiring._Aws()
    meter = home.__dict__["meter"] = CallMeter(512)
    assert home.at(Target(ROLE, "external", "eu-west-1"), "release_code").meter is meter
