"""The deployment waits for a person, and says until when."""

from __future__ import annotations

from chalicelib.domain.config import Config
from chalicelib.domain.evidence.plan import ApprovalEvidence
from chalicelib.domain.model import Action, Deployment, DeploymentStatus
from chalicelib.domain.options import Options
from chalicelib.phases.await_approval import run as await_approval

from tests.fakes import FakeAws
from tests.fakes.requests import HELD, request


def test_it_stores_the_token_and_shows_until_when_it_waits() -> None:
    aws = FakeAws()
    running = Deployment("d-new", "dev", Action.DEPLOY, DeploymentStatus.RUNNING, Config(), Options(), "2026-01-02")
    aws.records.start(running, HELD, None, None)
    result = await_approval.run(request(token="t"), aws.as_aws())
    stands = aws.records.deployment("d-new")
    assert stands.status is DeploymentStatus.WAITING_APPROVAL
    assert stands.approval == {"token": "t", "until": "2026-01-03T03:04:05+00:00"}
    assert result.evidence == ApprovalEvidence("2026-01-03T03:04:05+00:00")
