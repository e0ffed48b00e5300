"""Where the control plane reaches the live version beside the candidate."""

from __future__ import annotations

import pytest
from chalicelib.checks.comparison.reach_live import reach_live
from chalicelib.domain.aws.http import Reply
from chalicelib.domain.errors import AwsCallFailed

from tests.fakes import FakeAws
from tests.fakes.endpoint import Sent

URL = "https://api.example/candidate/_candidate"


@pytest.mark.parametrize(
    ("status", "body", "is_reached"),
    [
        (200, b'{"version": "1"}', True),
        (200, b'{"version": "2"}', False),
        (200, b'["1"]', False),
        (200, b"{}", False),
        (404, b'{"version": "1"}', False),
    ],
)
def test_live_is_reached_where_its_own_version_answers(status: int, body: bytes, is_reached: bool) -> None:
    aws = FakeAws()
    aws.endpoint.answer = lambda _: Reply(status, {}, body, 1.0)
    assert reach_live(URL, "1", aws.as_aws()) == (f"{URL}/_live" if is_reached else "")
    assert [(sent.method, sent.url, sent.signed) for sent in aws.endpoint.sent] == [
        ("GET", f"{URL}/_live/health", True)
    ]


def test_a_path_that_does_not_answer_is_none() -> None:
    aws = FakeAws()

    def refuses(_: Sent) -> Reply:
        raise AwsCallFailed("no answer")

    aws.endpoint.answer = refuses
    assert reach_live(URL, "1", aws.as_aws()) == ""
