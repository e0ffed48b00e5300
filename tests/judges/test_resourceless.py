"""Preflight's list of actions without a resource type is what AWS's service authorization data say."""

from __future__ import annotations

from chalicelib.phases.preflight.policy_text import resourceless

from judges import resourceless as judge
from judges.documents import ROOT


def test_the_list_is_that_of_the_pinned_data() -> None:
    assert (ROOT / judge.FILE).read_text() == judge.text(), "run python -m judges.resourceless"


def test_it_has_those_that_the_simulator_is_known_to_misjudge_and_no_others() -> None:
    expected = {"states:SendTaskSuccess", "states:SendTaskFailure", "logs:DescribeLogGroups", "logs:PutQueryDefinition"}
    assert expected <= resourceless()
    assert not {"s3:GetObject", "states:StartExecution", "logs:PutRetentionPolicy"} & resourceless()
